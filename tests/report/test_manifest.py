"""The manifest of a plan: every row and every reason is in it."""

from __future__ import annotations

from dataclasses import replace

from condaprune.model import Outcome
from condaprune.planning.account import make_account
from condaprune.report.manifest import make_manifest
from tests.report.plans import entry, made_up_plan


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
