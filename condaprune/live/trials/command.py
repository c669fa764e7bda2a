"""``--verify CMD``: a command of the user's that must end with 0 in the pruned environment."""

from __future__ import annotations

from condaprune.live.activation import Wrap, run_command
from condaprune.live.trials.base import Failure
from condaprune.model import Plan, Progress


class CommandTrial:
    """The shell command *command*."""

    def __init__(self, command: str) -> None:
        self.name = command

    def prepare(self, prefix: str, progress: Progress) -> None:
        """Nothing: the command itself says what is right."""

    def run(
        self, prefix: str, plan: Plan, *, seconds: float = 0.0, wrap: Wrap | None = None
    ) -> Failure | None:
        """Run the command; see `condaprune.live.activation.run_command`."""
        ended = run_command(self.name, prefix, seconds=seconds, wrap=wrap)
        if ended.code == 0:
            return None
        return Failure(self.name, ended.words, ended.output)
