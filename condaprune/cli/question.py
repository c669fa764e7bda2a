"""The question before harm: asked on a terminal, before a run in place begins."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING, TextIO

from condaprune.cli.terminal import tell
from condaprune.errors import CondapruneError, UsageProblem
from condaprune.paths import printable

if TYPE_CHECKING:
    from condaprune.model import Plan


class Declined(CondapruneError):
    """The user does not want what was about to be done; the answer is no."""

    exit_code = 1


def is_asked() -> bool:
    """Whether somebody is there to answer: stdin is a terminal, and this is no job of a CI."""
    return sys.stdin.isatty() and os.environ.get("CI", "").lower() in ("", "0", "false")


def check_name(name: str, prefix: str) -> None:
    """Refuse to prune in place what was named by its name where nobody can be asked.

    Errors: `UsageProblem`.
    """
    if not is_asked():
        raise UsageProblem(
            f"is the name of {prefix}, and this would prune it in place",
            where=name,
            remedy="Name the path, or add --yes (-o FILE would leave it as it is)",
        )


def ask(plan: Plan, *, undoable: bool, verified: bool) -> None:
    """Show what would go and ask for a go-ahead. Errors: `Declined`, `UsageProblem`."""
    from condaprune.planning.account import make_account
    from condaprune.report.layout import share, size

    account = make_account(plan)
    if not account.saved_files and not account.rewritten.files:
        return
    label = printable(plan.inventory.label)
    part = share(account.saved_bytes, account.bytes_before)
    headline = (
        f"{label}: {size(account.bytes_before)} -> {size(account.bytes_after)}: "
        f"{size(account.saved_bytes)} ({part}) and {account.saved_files:,} files go"
    )
    end = "It can be undone" if undoable else "It cannot be undone"
    hint = "" if undoable else "; --undoable sets aside what goes, -o leaves ENV as it is"
    if verified and not undoable:
        end = "It is undone only if the verification fails"
    confirm(headline, f"{end}{hint}.", "Prune it in place?")


def confirm(*lines: str) -> None:
    """Show *lines*, the last one as a question, and go on only by a yes.

    Errors: `Declined`, `UsageProblem` where there is no terminal to ask on.
    """
    answer = _answer((*lines[:-1], f"{lines[-1]} [y/N] "))
    if answer.strip().lower() not in ("y", "yes"):
        raise Declined("nothing was done")


def last_lines(plan: Plan, *, undoable: bool) -> tuple[str, ...]:
    """How to undo a run in place that has ended, or that it cannot be; none if nothing went."""
    if not any(True for _ in plan.removed()) and not plan.edits:
        return ()
    env = shlex.quote(plan.inventory.label)
    if undoable:
        return (
            f"undo this:     condaprune undo {env}",
            f"make it final: condaprune undo {env} --forget",
        )
    return ("this cannot be undone (another time: --undoable, or -o for a copy)",)


def _answer(lines: tuple[str, ...]) -> str:
    """What is typed after *lines*; empty at the end of the input. Errors: `UsageProblem`."""
    *told, prompt = lines
    if sys.stderr.isatty():
        tell(*told)
        return _read(sys.stderr, prompt)
    try:  # a question in a file would be read by nobody
        with open("/dev/tty", "w", encoding="utf-8", errors="backslashreplace") as terminal:
            for line in told:
                terminal.write(f"{printable(line)}\n")
            return _read(terminal, prompt)
    except OSError as error:
        raise UsageProblem(
            "there is a question to answer, and no terminal to show it on",
            where="prune",
            remedy="Answer it beforehand with --yes",
        ) from error


def _read(terminal: TextIO, prompt: str) -> str:
    terminal.write(prompt)
    terminal.flush()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        terminal.write("\n")
    return answer
