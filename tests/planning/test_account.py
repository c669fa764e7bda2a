"""Every byte is counted once, and the rows add up to the difference."""

import os
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from condaprune.edit import Edit
from condaprune.model import Decision, Inventory, Plan, unique_bytes
from condaprune.planning.account import Account, make_account
from condaprune.sources.prefix import walk
from tests.trees import make_tree


def plan(root: Path, removed: dict[str, str], edits: tuple[Edit, ...] = ()) -> Plan:
    from condaprune.model import Layout

    inventory = Inventory("x", "/x", walk(os.fsencode(root)), {}, (), (), Layout("linux", "", {}))
    decisions = {path: Decision(True, "rule", rule) for path, rule in removed.items()}
    return Plan(inventory, decisions, edits, "p", (), ())


def adds_up(account: Account) -> bool:
    rows = sum(row.bytes for row in account.rules) + account.rewritten.bytes
    return rows == account.bytes_before - account.bytes_after


def test_rows_are_sorted_by_what_they_free(tmp_path: Path) -> None:
    make_tree(tmp_path, {"a": b"1", "b": b"22", "c": b"333"})
    account = make_account(plan(tmp_path, {"a": "small", "b": "large", "c": "large"}))
    assert [(r.name, r.files, r.bytes) for r in account.rules] == [("large", 2, 5), ("small", 1, 1)]
    assert (account.bytes_before, account.bytes_after) == (6, 0)


def test_a_hard_link_counts_once_and_is_freed_with_its_last_path(tmp_path: Path) -> None:
    make_tree(tmp_path, {"a": b"12345"})
    os.link(tmp_path / "a", tmp_path / "b")
    one = make_account(plan(tmp_path, {"a": "r"}))
    assert (one.bytes_before, one.bytes_after, one.rules[0].bytes) == (5, 5, 0)
    both = make_account(plan(tmp_path, {"a": "r", "b": "s"}))
    assert both.bytes_after == 0
    assert adds_up(both)


def test_links_outside_of_the_environment_are_told(tmp_path: Path) -> None:
    make_tree(tmp_path, {"cache/a": b"12345", "env/": b""})
    os.link(tmp_path / "cache/a", tmp_path / "env/a")
    account = make_account(plan(tmp_path / "env", {"a": "r"}))
    assert (account.saved_bytes, account.shared_bytes) == (5, 5)


def test_rewritten_files_have_a_row_of_their_own(tmp_path: Path) -> None:
    make_tree(tmp_path, {"RECORD": b"x" * 10, "a": b"1"})
    edits = (
        Edit("RECORD", b"y" * 4, 0o644, "shorter", True),
        Edit("new", b"zz", 0o644, "made", False),
    )
    account = make_account(plan(tmp_path, {"a": "r"}, edits))
    assert (account.rewritten.files, account.rewritten.bytes) == (2, 4)
    assert (account.bytes_after, account.files_after) == (6, 2)
    assert adds_up(account)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_rows_add_up_to_what_is_measured(tmp_path_factory: object, data: st.DataObject) -> None:
    root = tmp_path_factory.mktemp("t")  # type: ignore[attr-defined]
    names = data.draw(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=8, unique=True))
    for number, name in enumerate(names):
        if number and data.draw(st.booleans()):
            os.link(root / data.draw(st.sampled_from(names[:number])), root / name)
        else:
            (root / name).write_bytes(b"x" * data.draw(st.integers(0, 50)))
    removed = {
        name: data.draw(st.sampled_from(["r", "s"])) for name in names if data.draw(st.booleans())
    }
    account = make_account(plan(root, removed))
    for name in removed:
        (root / name).unlink()
    assert account.bytes_after == unique_bytes(walk(os.fsencode(root)).values())
    assert adds_up(account)
