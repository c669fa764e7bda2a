"""The report of a prune as text: no row is lost, each reason has its name."""

from __future__ import annotations

from condaprune.model import Outcome
from condaprune.planning.account import make_account
from condaprune.report.layout import Show
from condaprune.report.text import Prune, prune
from tests.report.plans import made_up_plan

DRY_RUN = """\
env would be pruned with profile runtime

  before   51.1 kB         7 files
  after    8.51 kB         5 files
  saved    42.6 kB         2 files   83.3 %

  rule                    files     bytes    share
  c-headers                   1   40.0 kB   78.3 %
  --drop /include/b.h         1   2.00 kB    3.9 %
  rewritten                   1     600 B    1.2 %

  kept against a rule        files     bytes    share
  guard toolchain                1   5.00 kB    9.8 %
  trace                          1   3.00 kB    5.9 %
  --keep /include/kept.h         1     100 B    0.2 %
  rule-keep compilers            1      10 B    0.0 %

  kept against a rule, largest first
   5.00 kB  include/vetoed.h
            toolchain: lib/jit.py:3 compiles with it (wanted by c-headers)
   3.00 kB  include/traced.h
            trace: app.trace: opened by app (wanted by c-headers)

guards switched off: elf

note: something to see
"""


def report(outcome: Outcome | None = None, verbose: int = 0) -> str:
    plan = made_up_plan()
    return prune(Prune(plan, make_account(plan, outcome), outcome), Show(verbose=verbose))


def test_a_dry_run_has_all_its_rows() -> None:
    assert report() == DRY_RUN


def test_a_row_kept_by_a_trace_names_the_trace() -> None:
    reasons = [line.strip() for line in report().splitlines() if "opened by app" in line]
    assert reasons == ["trace: app.trace: opened by app (wanted by c-headers)"]


def test_a_run_names_its_output_and_its_size() -> None:
    text = report(Outcome(51_110, 8_510, output="env.tar.zst", output_size=4_000))
    assert text.startswith("env pruned with profile runtime\n")
    assert "  written env.tar.zst, 4.00 kB\n" in text


def test_twice_verbose_lists_every_removed_path() -> None:
    removed = [line for line in report(verbose=2).splitlines() if line.startswith("removed ")]
    assert removed == [
        "removed include/a.h",
        "removed include/b.h",
        "removed include/empty",
    ]


def test_a_long_list_of_reasons_says_how_to_see_the_rest() -> None:
    from dataclasses import replace

    from tests.report.plans import DECISIONS, entry

    plan = made_up_plan()
    more = {f"include/{n:02}.h": entry(f"include/{n:02}.h", 7) for n in range(15)}
    inventory = replace(plan.inventory, entries={**plan.inventory.entries, **more})
    decisions = {**DECISIONS, **dict.fromkeys(more, DECISIONS["include/traced.h"])}
    plan = replace(plan, inventory=inventory, decisions=decisions)
    text = prune(Prune(plan, make_account(plan), None), Show())
    assert "  ... and 7 more (-v shows all, `condaprune explain` any)\n" in text
    assert "more (-v" not in prune(Prune(plan, make_account(plan), None), Show(verbose=1))
