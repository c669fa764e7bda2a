"""The files that commands write: open before the work begins, and each a file of its own."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence

import click

from condaprune.errors import SinkError, UsageProblem
from condaprune.paths import to_bytes
from condaprune.targets import Identity, Target, identity_of

STDOUT = "/dev/stdout"


class Files:
    """The files that a command writes, all of them open before its work begins.

    `Files.open` closes them when the command ends.
    """

    def __init__(self) -> None:
        self._targets: dict[str, Target] = {}

    @classmethod
    def open(cls, *named: tuple[str, str | None], others: Sequence[tuple[str, str]] = ()) -> Files:
        """Open the files *named*, each after the option that names it; None is none.

        *others* are outputs that the command opens itself. Errors: `SinkError`, `UsageProblem`
        where two names mean one file.
        """
        files = cls()
        click.get_current_context().call_on_close(files._close)
        wanted = [(option, path) for option, path in named if path]
        _check_distinct([*others, *wanted])
        # What waits for its reader comes last, when all else is known to be well.
        for option, path in sorted(wanted, key=lambda pair: _is_fifo(pair[1])):
            with writing(path, f"Name another file with {option}"):
                files._targets[path] = Target(path)
        return files

    def write(self, path: str, text: str) -> None:
        """Write all of a file that was opened. Errors: `SinkError`."""
        target = self._targets[path]
        if target.stream is not None:
            sys.stdout.flush()  # what was printed before comes first
        with writing(path, "Nothing was left behind; name another file"):
            target.write(to_bytes(text))

    def _close(self) -> None:
        for target in self._targets.values():
            target.close()


def _check_distinct(named: Sequence[tuple[str, str]]) -> None:
    seen: dict[Identity, str] = {}
    for option, path in named:
        identity = identity_of(path)
        if identity is None:
            continue
        if identity in seen:
            raise UsageProblem(
                f"{seen[identity]} names the same file",
                where=f"{option} {path}",
                remedy="Give each output a file of its own",
            )
        seen[identity] = f"{option} {path}"


def _is_fifo(path: str) -> bool:
    with contextlib.suppress(OSError):
        return stat.S_ISFIFO(os.stat(path).st_mode)
    return False


def is_stdout(path: str) -> bool:
    """Whether what is written to *path* comes out of the standard output, ``-`` included."""
    return path == "-" or identity_of(path) == (identity_of(STDOUT) or ())


@contextlib.contextmanager
def writing(path: str, remedy: str) -> Iterator[None]:
    """Name the file that could not be written. Errors: `SinkError`."""
    try:
        yield
    except OSError as error:
        what = f"cannot be written: {error.strerror}"
        raise SinkError(what, where=path, remedy=remedy) from error
