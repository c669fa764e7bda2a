"""What ``--strip`` saves beside a profile, and what it leaves alone.

Usage: python -m benchmarks.stripping [--profile runtime] PREFIX...

Plans only: nothing is changed. `strippable` is what all symbol tables and debug sections of the
files that stay amount to, as ``condaprune audit`` counts them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.figures import Table, markdown, mb


def measure(prefixes: Sequence[str], profile: str = "runtime") -> Table:
    """A row an environment."""
    from condaprune import api
    from condaprune.app.audit import audit
    from condaprune.planning.account import STRIPPED, make_account
    from condaprune.report.audit.make import Wanted
    from condaprune.request.request import Request

    rows = []
    for prefix in prefixes:
        plan = api.plan(prefix, Request(profile=profile, strip=True))
        account = make_account(plan)
        row = next((row for row in account.rules if row.name == STRIPPED), None)
        cut, files = (row.bytes, row.files) if row else (0, 0)
        held = audit(prefix, Wanted(strippable=True))
        stays = sum(i.strippable for i in held.items if not plan.removes(i.path))
        without = account.saved_bytes - cut
        rows.append(
            (
                prefix.rstrip("/").rpartition("/")[2],
                mb(account.bytes_before),
                f"{without / account.bytes_before:.1%}",
                f"{account.saved_bytes / account.bytes_before:.1%}",
                mb(cut),
                f"{files}",
                mb(stays),
            )
        )
    heads = ("environment", "before", profile, "with --strip", "cut", "files", "strippable")
    return Table(f"symbols and debug data beside `{profile}`, MB", heads, tuple(rows))


def main(arguments: Sequence[str]) -> int:
    """Measure and print. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("prefixes", nargs="+", metavar="PREFIX")
    parser.add_argument("--profile", default="runtime")
    options = parser.parse_args(arguments)
    print("\n".join(markdown(measure(options.prefixes, options.profile))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
