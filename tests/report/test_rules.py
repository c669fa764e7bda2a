"""Rules as pages and lists."""

from __future__ import annotations

import json
from dataclasses import replace

from condaprune.report.rules import render_list, render_page, rule_data
from condaprune.rule import Parameter
from tests.report.plans import RULE, made_up_plan

PAGE = """\
c-headers
=========
Headers serve compilers.

risk      low (profiles: runtime, minimal)
category  native
package   zlib
only      files that a package owns, never a user's files
when      package >=1; python >=3.9; on linux
from      rules/native.toml:7

Removes
  - /include/

Keeps, against every rule
  - /include/keep.h

What breaks
  - building against them

See
  - https://example.org/headers

Parameter --set c-headers.languages=en,de
  The languages to keep.
  One of: en, de, fr

Examples
  removed  include/a.h
  kept     lib/a.so
"""


def test_a_page_has_all_that_a_rule_says() -> None:
    parameter = Parameter(
        "languages", "The languages to keep.", ("en", "de"), False, ("en", "de", "fr")
    )
    assert render_page(replace(RULE, parameters=(parameter,))) == PAGE


def test_a_page_with_an_environment_says_what_the_rule_saves_there() -> None:
    last = render_page(RULE, made_up_plan()).splitlines()[-1]
    assert last == "In env it removes 1 file, 40.0 kB, 78.3 %"
    other = replace(RULE, id="other")
    assert render_page(other, made_up_plan()).splitlines()[-1] == "In env it removes nothing"


def test_a_list_has_a_line_a_rule() -> None:
    general = replace(RULE, id="tests", package=(), risk="safe", category="python")
    assert render_list((RULE, general)).splitlines() == [
        "c-headers  low     native        zlib",
        "tests      safe    python",
        "2 rules",
    ]
    assert render_list(()) == "0 rules\n"


def test_the_json_has_all_fields() -> None:
    data = json.loads(json.dumps(rule_data(RULE)))
    assert data["when"] == {"version": ">=1", "python": ">=3.9", "platform": ["linux"]}
    assert data["profiles"] == ["runtime", "minimal"]
    assert data["examples"] == {"removed": ["include/a.h"], "kept": ["lib/a.so"]}
    assert rule_data(replace(RULE, when=None))["when"] is None
