"""What each form makes of text that does more than be read."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import condaprune
from condaprune.paths import printable
from condaprune.report.rendering import (
    Command,
    Markdown,
    Page,
    as_csv,
    as_github,
    as_html,
    as_json,
    as_md,
    as_ncdu,
    as_text,
    markdown,
)
from tests.cli.hostile import (
    BAD,
    FORMULAS,
    check_csv,
    check_github,
    check_html,
    check_json,
    check_md,
    check_ncdu,
    check_text,
)

TEXTS = st.text(st.characters(), max_size=40) | st.text(
    st.sampled_from("ab :#[]=+-@;,'\"\\`|*<>&$/.w\n\r\t\x1b\x9b\u202e\u200b\ufe0f\udcff\ud800"),
    max_size=30,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("lib/é.so", "lib/é.so"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("\x1b]0;x\x07\x9b\x7f", "\\x1b]0;x\\x07\\x9b\\x7f"),
        ("\u202ea\u2066\u200f", "\\u202ea\\u2066\\u200f"),
        ("a\u200b\ufeff\u2060\u00ad", "a\\u200b\\ufeff\\u2060\\xad"),
        ("a\ufe0f\U000e0101\U000e0041", "a\\ufe0f\\U000e0101\\U000e0041"),
        ("\u3164\u115f\u2800\u034f", "\\u3164\\u115f\\u2800\\u034f"),
        ("\u2028\u2029\u00a0\u3000", "\\u2028\\u2029\\xa0\\u3000"),
        ("\udcff\udc80\ud800\udfff", "\\xff\\x80\\ud800\\udfff"),
        ("::error::x", "\\x3a:error::x"),
        ("  ::set-output", "  \\x3a:set-output"),
        ("std::string", "std::string"),
        ("a ##[error]b ##vso[x]", "a \\x23#[error]b \\x23#vso[x]"),
        ("## [1]", "## [1]"),
        ("e\u0301 日本 العربية 🐍", "e\u0301 日本 العربية 🐍"),
    ],
)
def test_a_text_as_it_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(TEXTS)
def test_any_text_is_shown_on_one_harmless_line_and_only_once_escaped(text: str) -> None:
    shown = printable(text)
    assert "\n" not in shown
    check_text(shown)
    assert printable(shown) == shown
    shown.encode()


@given(TEXTS, TEXTS)
def test_any_texts_in_any_form(one: str, two: str) -> None:
    check_text(as_text([one, f"  {one}: {two}"]))
    check_json(as_json([json.dumps({one: two})]))
    check_csv(as_csv([[one, two, -5]]))
    check_md(as_md([Markdown("## {} {}").fill(one, two), Markdown("| {} |").fill(one), two]))
    check_github(as_github([Command("notice", "condaprune", one)]))
    check_github(as_github([Command("error", f"condaprune: {one}", two)]))
    check_ncdu(as_ncdu([[1, {"name": one, two: [one]}]]))


@given(TEXTS)
def test_any_text_in_a_page(text: str) -> None:
    check_html(as_html([Page(text, {"label": text, "tree": [[text, 1]]})]))


@given(st.dictionaries(st.text(), st.text(max_size=20)))
def test_json_keeps_every_value(data: dict[str, str]) -> None:
    for text in (json.dumps(data), json.dumps(data, ensure_ascii=False)):
        assert json.loads(as_json([text])) == json.loads(text)


@pytest.mark.parametrize("text", [*FORMULAS, BAD, "  =1", "'=1", "a;b; @c", "-"])
def test_no_cell_is_a_formula(text: str) -> None:
    check_csv(as_csv([["name", text, 1]]))


def test_numbers_and_plain_names_are_cells_as_they_are() -> None:
    row = ["python", "3.11.7-h1_0", "a, b", "c++", -12]
    assert next(csv.reader(io.StringIO(as_csv([row])))) == [*map(str, row)]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a_b", r"a\_b"),
        ("<b>&lt;", r"\<b\>&amp;lt;"),
        ("[a](b)", r"\[a\](b)"),
        ("http://e.vil", "`http://e.vil`"),
        ("www.e.vil", "`www.e.vil`"),
        ("a@b.c`|", r"`a@b.c\x60\x7c`"),
        (Markdown("*others*"), "*others*"),
    ],
)
def test_a_text_in_markdown(text: str, escaped: str) -> None:
    assert markdown(text) == escaped


def test_a_line_of_markdown_that_is_a_plain_text_is_escaped_as_a_whole() -> None:
    assert as_md([f"**{'x'}**", Markdown("**{}**").fill("x")]) == "\\*\\*x\\*\\*\n**x**\n"


_WAYS = re.compile(r"click\.(secho|echo)|print|(sys\.)?std(out|err)(\.buffer)?\.(write|writelines)")


def test_the_command_line_has_no_other_way_to_a_terminal() -> None:
    folder = Path(condaprune.__file__).parent
    calls = {
        (path.relative_to(folder).as_posix(), ast.unparse(node.func))
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and _WAYS.fullmatch(ast.unparse(node.func))
    }
    probes = {name for name, _ in calls if name.startswith("live/")}  # run in a process of its own
    assert {name for name, _ in calls} - probes == {"cli/terminal.py"}


def test_only_one_module_makes_renderings() -> None:
    folder = Path(condaprune.__file__).parent
    makers = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.py")
        if re.search(r"\bRendering\(", path.read_text("utf-8"))
    }
    assert makers == {"report/rendering.py"}
