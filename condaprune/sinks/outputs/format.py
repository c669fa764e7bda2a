"""The protocol of output formats; each is declared in its own file and listed in `registry`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from condaprune.model import Plan
from condaprune.sinks.outputs.options import OutputOptions
from condaprune.sinks.outputs.places import Place, new_file
from condaprune.sources.base import Body, Member


class Writer(Protocol):
    """Takes members in order. `compressor` names what compresses them, and its version; `notes`
    are findings for the user.

    `holds` is what the names of the extended attributes begin with that the format has a place for.
    `layer_of` gives the layer of each path, where there are layers: members of the first one come
    first then, if the source can be read in any order.
    """

    compressor: str = ""
    notes: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    layer_of: Callable[[str], int] | None = None

    def add(self, member: Member, body: Body) -> None:
        """Write one member. Errors: `SinkError`, OSError."""
        ...

    def finish(self) -> None:
        """Write what is left. Errors: `SinkError`, OSError."""
        ...

    def abort(self) -> None:
        """Stop what runs; what was written is of no use."""
        return


@dataclass(frozen=True, slots=True)
class Job:
    """What a writer is opened for.

    Members lie below `root`, a relative path, empty for none; `streamed` is true where they come
    in the order of the archive read.
    """

    options: OutputOptions
    plan: Plan
    root: str
    streamed: bool


@dataclass(frozen=True, slots=True)
class Format:
    """A format of outputs.

    `check` refuses options that do not fit (`UsageProblem`), and what is missing on this machine
    (`SinkError`). `streams` says whether it can go to the standard output, `place` where it lies.
    `keeps_root` says whether the folder around an archive's members stays, `home` where the
    environment is to be where ``--dest-prefix`` does not say.
    """

    name: str
    extensions: tuple[str, ...]
    open: Callable[[Place, Job], Writer]
    check: Callable[[OutputOptions], object]
    place: Callable[[str], AbstractContextManager[Place]] = new_file
    streams: bool = False
    keeps_root: bool = True
    home: str = ""
