"""Reports of what no honest environment has: depths, numbers, times, and texts that take long."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from condaprune.cli.completion import _starting
from condaprune.errors import nearest
from condaprune.names import history_names
from condaprune.report.audit.budget import load_budget
from condaprune.report.audit.categories import Categories
from condaprune.report.audit.runtime import exported
from condaprune.report.forms import STATUS, render
from condaprune.report.forms.answers import Status
from condaprune.report.layout import Show, changed, folder_and_name, share, size
from condaprune.sinks.inplace.status import PrefixStatus
from tests.cli.hostile import CHECKS
from tests.cli.runner import condaprune
from tests.trees import make_prefix

HUGE = 10**400


@pytest.mark.parametrize("form", ["text", "json", "csv", "md", "ncdu", "html", "github"])
def test_folders_far_deeper_than_json_nests(form: str, tmp_path: Path) -> None:
    deep = "/".join("d" * 250)
    env = make_prefix(tmp_path / "env", {f"{deep}/deepest": b"x" * 50})
    ran = condaprune("audit", env, "-q", "--all-files", "--format", form)
    assert ran.status == 0, ran.err
    CHECKS[form](ran.out)
    if form in ("ncdu", "html", "json"):
        assert "deepest" in ran.out


def test_a_tree_shows_what_lies_too_deep_under_the_rest_of_its_path() -> None:
    assert folder_and_name("a/b/c") == ("a/b", "c")
    assert folder_and_name("a") == ("", "a")
    assert folder_and_name("/".join("d" * 102)) == ("/".join("d" * 100), "d/d")


def test_a_folder_of_any_depth_has_a_category() -> None:
    assert Categories().of("lib/x/include/" * 5_000 + "a.h", "file") == "headers"
    assert Categories().of("share/doc/" + "d/" * 20_000 + "a", "file") == "documentation"


def test_numbers_of_any_size_are_shown() -> None:
    assert size(HUGE) == "inf TB"
    assert size(-HUGE) == "-inf TB"
    assert share(HUGE, 1) == "inf %"
    assert share(HUGE, HUGE) == "100.0 %"
    assert changed(1, HUGE) == "+inf TB (+inf %)"


@pytest.mark.parametrize("form", ["text", "json", "csv", "md", "html", "github"])
def test_documents_with_such_numbers_are_refused(form: str, tmp_path: Path) -> None:
    env = make_prefix(tmp_path / "env", {"a": b"x" * 77})
    saved, huge = tmp_path / "a.json", tmp_path / "b.json"
    assert condaprune("audit", env, "-q", "--all-files", "-o", f"json={saved}").status == 0
    huge.write_text(re.sub(r"\b77\b", str(HUGE), saved.read_text()))
    ran = condaprune("diff", saved, huge, "-q", "--format", form)
    assert ran.status == 2, "no environment is as large"
    assert "is damaged" in ran.err


@pytest.mark.parametrize("when", [2**63 - 1, -(2**63), 10**30, -1])
def test_the_status_of_a_file_from_any_time(when: int) -> None:
    for form in ("text", "json"):
        assert render(form, STATUS, Status("env", PrefixStatus((), when, False, "")), Show())


def test_a_history_of_any_list() -> None:
    hostile = [b"['a\\", b"['" + b"\\'" * 50_000, b'["' + b"x" * 200_000, b"['a]", b"[" * 10_000]
    for text in hostile:
        history_names(b"# update specs: " + text + b"\n")
        history_names(b"# update specs: " + text + b"]\n")
    assert history_names(rb"""# update specs: ['a[version=\'1\']', "b"]""") == {"a", "b"}


@pytest.mark.parametrize(
    "work",
    [
        lambda: list(exported("a.sh", "\n" * 300_000 + "export", "")),
        lambda: list(exported("a.sh", "export" + "\n " * 300_000, "")),
        lambda: history_names(b"# update specs: ['" + b"\\'" * 300_000 + b"]"),
        lambda: nearest("a" * 50_000, ["ab" * 25_000] * 10),
    ],
    ids=["line ends", "spaces", "quotes", "long names"],
)
def test_a_text_takes_time_by_its_length(work: Callable[[], object]) -> None:
    began = time.process_time()
    work()
    assert time.process_time() - began < 2


def test_an_amount_of_too_many_digits_is_an_error_with_its_key(tmp_path: Path) -> None:
    from condaprune.errors import ConfigError

    file = tmp_path / "condaprune.toml"
    file.write_text(f'[budget.environment]\nmax = "{"9" * 10_000} MB"\n')
    with pytest.raises(ConfigError):
        load_budget(str(file))


def test_a_shell_completes_no_name_that_means_anything_to_it() -> None:
    names = ["numpy", "c++", "a.b_c-d", "$(x)", "a b", "a;b", "a\nb", "`x`", "-rf", "\x1b[2J", "'"]
    assert _starting("", names) == ["a.b_c-d", "c++", "numpy"]


def test_commands_to_paste_are_quoted(tmp_path: Path) -> None:
    name = "a'; touch x; '.h"
    env = make_prefix(tmp_path / "env", {f"include/{name}": b"x"}, packages={"z": []})
    ran = condaprune("explain", env, f"include/{name}")
    assert """'/include/a'"'"'; touch x; '"'"'.h'""" in ran.out
    base = tmp_path / "base.json"
    assert condaprune("audit", env, "-q", "--quick", "--save", base).status == 0
    saved = json.loads(base.read_text())
    saved["packages"] = {f"conda:{number}": "1" for number in range(9)}
    base.write_text(json.dumps(saved))
    moved = env.rename(tmp_path / "env; x")
    budget = tmp_path / "budget.toml"
    budget.write_text('[budget.environment]\nmax = "1 B"\n')
    ran = condaprune("check", moved, "-q", "--budget", budget, "--baseline", base)
    assert f"condaprune check '{moved}' --save" in ran.err
