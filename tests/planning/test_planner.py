"""The order of decisions: one entry, one reason, first match wins."""

from pathlib import Path

import pytest

from condaprune.model import Plan
from condaprune.planning.planner import decide
from condaprune.planning.terms import Terms
from condaprune.rule import Rule
from condaprune.sources.prefix import PrefixSource
from tests.trees import Content, make_prefix


def rule(identity: str, remove: str, keep: tuple[str, ...] = ()) -> Rule:
    return Rule(
        id=identity,
        why="w",
        breaks=("b",),
        risk="safe",
        category="c",
        references=("https://x",),
        remove=(remove,),
        keep=keep,
        removed_examples=(),
        kept_examples=(),
    )


DATA = rule("data", "/share/data/")


def plan(root: Path, files: dict[str, Content], *rules: Rule, **terms: object) -> Plan:
    make_prefix(root, files)
    source = PrefixSource(str(root))
    return decide(source.inventory(), source, Terms(rules or (DATA,), **terms))  # type: ignore[arg-type]


FILES: dict[str, Content] = {"share/data/a.bin": b"1", "share/data/b.bin": b"2", "share/c": b"3"}


def test_a_rule_removes_what_it_matches_and_the_folder_it_empties(tmp_path: Path) -> None:
    made = plan(tmp_path, FILES)
    assert [e.path for e in made.removed()] == [
        "share/data",
        "share/data/a.bin",
        "share/data/b.bin",
    ]
    assert made.decision("share/data/a.bin").name == "data"
    assert made.decision("share/c").basis == "default"


def test_the_users_keep_beats_a_rule_and_keeps_the_folder(tmp_path: Path) -> None:
    made = plan(tmp_path, FILES, keep=("a.bin",))
    kept = made.decision("share/data/a.bin")
    assert (kept.remove, kept.basis, kept.wanted) == (False, "keep", "data")
    assert not made.removes("share/data")
    assert made.removes("share/data/b.bin")


def test_the_users_keep_beats_the_users_drop(tmp_path: Path) -> None:
    made = plan(tmp_path, FILES, keep=("/share/c",), drop=("/share/c",))
    assert not made.removes("share/c")


def test_a_trace_beats_a_rule_and_a_drop(tmp_path: Path) -> None:
    traced = {"share/data/a.bin": "app.trace: opened", "share/c": "app.trace: opened"}
    made = plan(tmp_path, FILES, traced=traced, drop=("/share/c",))
    assert made.decision("share/data/a.bin").basis == "trace"
    assert made.decision("share/c").wanted == "--drop /share/c"
    assert not made.removes("share/c")


def test_a_rules_own_keep_beats_the_users_drop_and_other_rules(tmp_path: Path) -> None:
    keeper = rule("keeper", "/nothing/", keep=("/share/data/a.bin",))
    made = plan(tmp_path, FILES, DATA, keeper, drop=("a.bin",))
    kept = made.decision("share/data/a.bin")
    assert (kept.basis, kept.name, kept.wanted) == ("rule-keep", "keeper", "--drop a.bin")


def test_the_users_drop_removes_what_no_rule_would(tmp_path: Path) -> None:
    made = plan(tmp_path, FILES, drop=("/share/c",))
    assert (made.removes("share/c"), made.decision("share/c").basis) == (True, "drop")


def test_an_empty_folder_stays_unless_a_rule_names_it(tmp_path: Path) -> None:
    made = plan(tmp_path, {"share/data/": b"", "var/log/": b""})
    assert made.removes("share/data")
    assert not made.removes("var/log")


def test_conda_meta_stays_even_when_all_in_it_goes(tmp_path: Path) -> None:
    made = plan(tmp_path, {}, rule("meta", "/conda-meta/"))
    assert not made.removes("conda-meta")


def test_folders_that_lose_everything_to_several_rules_go(tmp_path: Path) -> None:
    files: dict[str, Content] = {"opt/a/x.one": b"", "opt/a/b/y.two": b""}
    made = plan(tmp_path, files, rule("one", "*.one"), rule("two", "*.two"))
    assert {e.path for e in made.removed()} >= {"opt", "opt/a", "opt/a/b"}
    assert made.decision("opt/a").basis == "emptied"


def test_a_pipe_is_never_removed(tmp_path: Path) -> None:
    import os

    make_prefix(tmp_path, FILES)
    os.mkfifo(tmp_path / "share/data/pipe")
    source = PrefixSource(str(tmp_path))
    made = decide(source.inventory(), source, Terms((DATA,)))
    assert not made.removes("share/data/pipe")
    assert not made.removes("share/data")


@pytest.mark.parametrize("name", ["caf\udce9.bin", "new\nline.bin", "-rf", "*"])
def test_odd_names_are_planned_like_others(tmp_path: Path, name: str) -> None:
    made = plan(tmp_path, {f"share/data/{name}": b"1"})
    assert made.removes(f"share/data/{name}")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        pytest.param((), None, id="none"),
        pytest.param(("app",), "envs/app is an environment of its own: prune it by its", id="one"),
        pytest.param(
            ("a", "b", "c", "d"), "envs/a, envs/b, envs/c and 1 more are environments", id="many"
        ),
    ],
)
def test_environments_inside_are_told_of(
    tmp_path: Path, names: tuple[str, ...], said: str | None
) -> None:
    files: dict[str, Content] = {f"envs/{name}/conda-meta/history": b"" for name in names}
    source = PrefixSource(str(make_prefix(tmp_path / "env", files)))
    notes = decide(source.inventory(), source, Terms(())).notes
    assert [note.startswith(said or "") for note in notes] == [True] * bool(names)
