"""The registry of forms: what each can hold, and what is said where it cannot."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from condaprune.errors import UsageProblem
from condaprune.report.forms import (
    AUDIT,
    COMPARISON,
    EXPLANATION,
    FORMS,
    NEEDS,
    PRUNE,
    STATUS,
    VERDICT,
    VERIFICATION,
    WHY,
    Report,
    able,
    check_form,
    form_of,
)


@pytest.mark.parametrize(
    "report",
    [AUDIT, COMPARISON, VERDICT, PRUNE, NEEDS, WHY, EXPLANATION, STATUS, VERIFICATION],
    ids=lambda report: report.name,
)
def test_each_report_has_the_functions_it_declares(report: Report[Any]) -> None:
    assert report.modules.keys() == set(able(report))
    for form, module in report.modules.items():
        functions = import_module(f"condaprune.report.{module}")
        assert callable(getattr(functions, f"{report.name}_as_{form}"))


def test_forms_are_found_by_the_suffix_of_a_file() -> None:
    names = [form_of(path) for path in ("a.json", "A.HTM", "x.ncdu", "b.tar", "json")]
    assert names == ["json", "html", "ncdu", "", ""]


def test_each_report_says_which_forms_can_hold_it() -> None:
    assert able(AUDIT) == tuple(FORMS)
    assert able(VERDICT) == ("text", "json", "md", "github")
    assert able(NEEDS) == able(WHY) == able(STATUS) == able(VERIFICATION) == ("text", "json")


def test_a_form_that_cannot_hold_a_report_is_refused_with_those_that_can() -> None:
    check_form("md", VERDICT)
    with pytest.raises(UsageProblem, match="the form csv cannot hold a verdict") as caught:
        check_form("csv", VERDICT)
    assert caught.value.remedy == "Forms that can: text, json, md, github"
