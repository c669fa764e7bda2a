"""docs/benchmarks.md is made from the figures of the last run and says what they say."""

from __future__ import annotations

import pytest

from benchmarks.figures import Section, Table
from benchmarks.page import Part, page, sections
from benchmarks.suite import PAGE, RESULTS, read, to_json


def contest(**sound: bool) -> Section:
    """The figures of a contest on one environment of 100 MB."""
    sizes = {
        "untouched": 100,
        "condaprune runtime": 40,
        "condaprune minimal": 35,
        "guide of 2021": 38,
        "tips of 2019": 60,
        "serverless slim": 80,
    }
    figures = {f"small/{name}/bytes": mb * 1e6 for name, mb in sizes.items()}
    for name in sizes:
        figures[f"small/{name}/nothing lost"] = float(sound.get(name.split()[0], True))
    table = Table("small", ("", "removed"), (("condaprune runtime", "1.00"),), ("(1) why",))
    return Section("Peers", "What runs.", (table,), figures)


def written(section: Section, busy: str = "") -> str:
    return page([Part(section, "2026-11-21", "2 cores", busy, 90)])


def test_the_page_in_docs_is_that_of_the_committed_figures():
    parts = sections(read(RESULTS))
    assert "Peers" in [part.section.title for part in parts]
    assert PAGE.read_text("utf-8") == page(parts), "run python -m benchmarks.suite --page"


def test_what_is_read_back_is_what_was_measured():
    section = contest()
    row = to_json(section, 90.4, "")
    (part,) = sections({"sections": {"peers": {**row, "tables": _lists(row["tables"])}}})
    assert part.section == section
    assert part.seconds == 90


def _lists(tables: object) -> object:
    """What JSON makes of tuples."""
    import json

    return json.loads(json.dumps(tables))


def test_what_breaks_is_not_the_best_recipe():
    text = written(contest(guide=False))
    assert "`runtime` removes 60.0% and nothing that worked is lost, `minimal` 65.0%" in text
    assert "of 3 pasted recipes 2 break nothing, the best of which removes 40.0%" in text
    assert "(`tips of 2019`)" in text


def test_a_loss_of_our_own_is_said_first():
    assert "`runtime` removes 60.0% and **things break**" in written(contest(condaprune=False))


def test_where_no_recipe_is_sound_none_is_the_best():
    text = written(contest(guide=False, tips=False, serverless=False))
    assert "`verify` finds losses after each of 3 pasted recipes" in text


@pytest.mark.parametrize("busy", ["", "4.0 processes ran beside on 2 cores"])
def test_a_busy_machine_is_mentioned(busy):
    assert ("which slows both sides" in written(contest(), busy)) == bool(busy)
