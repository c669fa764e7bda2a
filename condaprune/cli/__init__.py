"""The command line: its commands, how it starts and how it ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from condaprune.cli.failure import status_of, watch_background
from condaprune.cli.terminal import flush, open_streams


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; errors are printed, never shown as tracebacks."""
    import gc

    watch_background()
    status = run(arguments)
    flush(sys.stdout)
    flush(sys.stderr)
    gc.freeze()  # the end of the process need not search all that is left for cycles
    sys.exit(status)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit status."""
    try:
        open_streams()
        return _run(arguments)
    except SystemExit:
        raise
    except BaseException as error:
        return status_of(error)


def _run(arguments: Sequence[str] | None) -> int:
    import gc

    from condaprune.cli.group import cli

    # An inventory is many small objects that live to the end: collecting often only rescans them.
    gc.set_threshold(500_000, 20, 100)
    result = cli.main(
        args=None if arguments is None else list(arguments),
        prog_name="condaprune",
        standalone_mode=False,
    )
    sys.stdout.flush()
    return result if isinstance(result, int) else 0
