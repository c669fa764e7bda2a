"""The report of a prune as text and as a manifest: no row is lost, each reason is in it."""

from __future__ import annotations

from dataclasses import replace

from condaprune.model import Outcome
from condaprune.planning.account import make_account
from condaprune.report.forms import PRUNE, render
from condaprune.report.layout import Show
from condaprune.report.prune import Prune, make_manifest
from tests.report.plans import DECISIONS, entry, made_up_plan

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
    return render(
        "text", PRUNE, Prune(plan, make_account(plan, outcome), outcome), Show(verbose=verbose)
    )


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
    plan = made_up_plan()
    more = {f"include/{n:02}.h": entry(f"include/{n:02}.h", 7) for n in range(15)}
    inventory = replace(plan.inventory, entries={**plan.inventory.entries, **more})
    decisions = {**DECISIONS, **dict.fromkeys(more, DECISIONS["include/traced.h"])}
    plan = replace(plan, inventory=inventory, decisions=decisions)
    done = Prune(plan, make_account(plan), None)
    text = render("text", PRUNE, done, Show())
    assert "  ... and 7 more (-v shows all, `condaprune explain` any)\n" in text
    assert "more (-v" not in render("text", PRUNE, done, Show(verbose=1))


def test_a_dry_run_says_what_would_go_and_what_stays_against_a_rule() -> None:
    plan = made_up_plan()
    data = make_manifest(plan, make_account(plan), None)
    assert (data["dry_run"], data["output"], data["profile"]) == (True, None, "runtime")
    assert data["before"] == {"files": 7, "bytes": 51_110}
    assert data["after"] == {"files": 5, "bytes": 8_510}
    assert data["saved"] == {"files": 2, "bytes": 42_600, "shared_bytes": 0}
    assert data["guards"] == {"ran": ["toolchain"], "off": ["elf"]}
    assert data["environment"]["packages"] == ["conda:zlib==1.3"]
    assert data["rules"][0] == {
        "name": "c-headers",
        "files": 1,
        "bytes": 40_000,
        "risk": "low",
        "breaks": ["building against them"],
    }
    assert data["rewritten"]["paths"] == [
        {"path": "lib/jit.py", "bytes": 400, "because": "a list of files"}
    ]
    assert [row["path"] for row in data["removed"]] == [
        "include/a.h",
        "include/b.h",
        "include/empty",
    ]
    reasons = {row["path"]: (row["basis"], row["because"]) for row in data["kept_against_a_rule"]}
    assert reasons == {
        "include/held.h": ("rule-keep", ""),
        "include/kept.h": ("keep", ""),
        "include/traced.h": ("trace", "app.trace: opened by app"),
        "include/vetoed.h": ("guard", "lib/jit.py:3 compiles with it"),
    }
    assert data["notes"] == ["something to see"]


def test_an_archive_is_described() -> None:
    plan = made_up_plan()
    outcome = Outcome(
        51_110, 8_510, "env.tar.zst", 4_000, "tar", "zstd", 9_000, ("bin/activate",), notes=("n",)
    )
    data = make_manifest(plan, make_account(plan, outcome), outcome)
    assert data["dry_run"] is False
    assert data["output"] == {
        "path": "env.tar.zst",
        "bytes": 4_000,
        "format": "tar",
        "content_bytes": 9_000,
        "compressor": "zstd",
        "added": ["bin/activate"],
        "notes": ["n"],
    }


def test_a_removed_path_frees_nothing_while_another_path_holds_its_file() -> None:
    plan = made_up_plan()
    linked = {
        path: entry(path, 700)._replace(inode=1, links=2)
        for path in ("include/a.h", "include/kept.h")
    }
    entries = {**plan.inventory.entries, **linked}
    plan = replace(plan, inventory=replace(plan.inventory, entries=entries))
    data = make_manifest(plan, make_account(plan), None)
    freed = {row["path"]: row["bytes"] for row in data["removed"]}
    assert freed == {"include/a.h": 0, "include/b.h": 2_000, "include/empty": 0}
    assert sum(freed.values()) + data["rewritten"]["bytes"] == data["saved"]["bytes"]
