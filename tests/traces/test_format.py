"""A trace file holds any path, appears whole, and is refused where it is damaged."""

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from condaprune.errors import TraceError
from condaprune.paths import from_bytes
from condaprune.traces.format import check_replaceable, dump_lines, read_trace, write_trace
from condaprune.traces.trace import KINDS, Run, Trace, TracedEntry

from .conftest import trace_of

_NAME = st.binary(min_size=1, max_size=12).filter(
    lambda name: not set(name) & set(b"\0/") and name not in (b".", b"..")
)
_PATHS = st.lists(_NAME, min_size=1, max_size=4).map(lambda parts: from_bytes(b"/".join(parts)))
_TEXT = st.text(max_size=8).map(lambda text: text.encode("utf-8", "replace").decode())
_ENTRIES = st.builds(
    TracedEntry,
    st.frozensets(st.sampled_from(KINDS), min_size=1),
    st.integers(0, 10**9),
    st.frozensets(_TEXT, max_size=2),
    st.frozensets(_TEXT, max_size=2),
    st.frozensets(_TEXT, max_size=2),
)
_RUNS = st.builds(
    Run,
    prefix=_PATHS,
    recorders=st.tuples(_TEXT),
    command=st.tuples(_PATHS),
    exit_code=st.none() | st.integers(0, 255),
    overflow=st.booleans(),
    fingerprint=st.dictionaries(_TEXT, _TEXT, max_size=2),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(entries=st.dictionaries(_PATHS, _ENTRIES, max_size=5), run=_RUNS)
def test_what_is_written_is_read_again(
    tmp_path: Path, entries: dict[str, TracedEntry], run: Run
) -> None:
    path = os.fspath(tmp_path / "a.trace")
    write_trace(Trace((run,), entries), path)
    found = read_trace(path)
    assert dict(found.entries) == entries
    assert found.runs == (run,)
    assert found.label == path
    assert (tmp_path / "a.trace").read_bytes().isascii()
    assert os.listdir(tmp_path) == ["a.trace"]


def test_one_line_an_entry_in_the_order_of_their_bytes() -> None:
    lines = list(dump_lines(trace_of({"b": ["open"], "a": ["exec", "stat"], "é": ["list"]})))
    assert [json.loads(line).get("path") for line in lines] == [None, "a", "b", "é", None]
    assert json.loads(lines[1])["kinds"] == ["exec", "stat"]
    assert json.loads(lines[-1]) == {"end": 3}


def _lines(tmp_path: Path) -> tuple[Path, list[str]]:
    path = tmp_path / "a.trace"
    write_trace(trace_of({"a": ["open"], "b": ["open"]}), os.fspath(path))
    return path, path.read_text().splitlines(keepends=True)


def _refused(path: Path, match: str) -> None:
    with pytest.raises(TraceError, match=match) as raised:
        read_trace(os.fspath(path))
    assert raised.value.where == os.fspath(path)
    assert raised.value.remedy


@pytest.mark.parametrize("cut", [1, 2])
def test_a_file_that_lacks_its_end_is_truncated(tmp_path: Path, cut: int) -> None:
    path, lines = _lines(tmp_path)
    path.write_text("".join(lines[:-cut]))
    _refused(path, "truncated")


def test_a_file_cut_within_a_line_is_truncated(tmp_path: Path) -> None:
    path, lines = _lines(tmp_path)
    path.write_text("".join(lines[:2]) + lines[2][:10])
    _refused(path, "truncated: it ends at line 3")


def test_a_file_that_lost_a_line_is_damaged(tmp_path: Path) -> None:
    path, lines = _lines(tmp_path)
    path.write_text("".join([lines[0], *lines[2:]]))
    _refused(path, "closing line does not fit")


@pytest.mark.parametrize(
    "content",
    [b"", b"{}\n", b"[]\n", b"execve(...) = 0\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n"],
    ids=["empty", "other JSON", "a list", "an strace log", "binary", "deep JSON"],
)
def test_a_foreign_file_is_no_trace(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign"
    path.write_bytes(content)
    _refused(path, "not a trace.*condaprune trace import")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    _refused(tmp_path / "missing", "cannot be read: No such file")
    _refused(tmp_path, "the trace is a folder")


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "new"
    path.write_text('{"condaprune_trace": 99, "runs": []}\n{"end": 0}\n')
    _refused(path, "format 99")


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ('{"path": "../etc", "kinds": ["open"]}', "not one inside a prefix"),
        ('{"path": "/etc", "kinds": ["open"]}', "not one inside a prefix"),
        ('{"path": "a//b", "kinds": ["open"]}', "not one inside a prefix"),
        ('{"path": "a\\u0000", "kinds": ["open"]}', "not one inside a prefix"),
        ('{"path": 1, "kinds": ["open"]}', "not one inside a prefix"),
        ('{"path": "a", "kinds": ["sniff"]}', "'kinds' is not a list from open, exec"),
        ('{"path": "a", "kinds": []}', "'kinds' is not a list from"),
        ('{"path": "a", "kinds": [1]}', "'kinds' is not a list from"),
        ('{"path": "a", "kinds": "open"}', "'kinds' is not a list from"),
        ('{"path": "a"}', "'kinds' is not a list from"),
        ('{"path": "a", "kinds": ["open"], "recorder": [1]}', "'recorders' is not a list of texts"),
        ('{"path": "a", "kinds": ["open"], "count": -1}', "'count' is not a number"),
        ("[]", "not a JSON object"),
        ("{", "not a JSON object"),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str, match: str) -> None:
    path = tmp_path / "damaged"
    path.write_text(f'{{"condaprune_trace": 1, "runs": []}}\n{line}\n{{"end": 1}}\n')
    _refused(path, f"line 2.*{match}")


def test_an_entry_named_twice_is_damage(tmp_path: Path) -> None:
    path, lines = _lines(tmp_path)
    path.write_text("".join([*lines[:2], lines[1], *lines[2:]]))
    _refused(path, "twice")


@pytest.mark.parametrize(
    "run",
    [
        {"prefix": 1},
        {"command": "app"},
        {"duration": "long"},
        {"exit_code": "0"},
        {"ended": "badly"},
        {"fingerprint": {"a": 1}},
    ],
)
def test_a_damaged_header_is_named(tmp_path: Path, run: dict[str, object]) -> None:
    path = tmp_path / "damaged"
    path.write_text(json.dumps({"condaprune_trace": 1, "runs": [run]}) + '\n{"end": 0}\n')
    _refused(path, "damaged at line 1")


@pytest.mark.parametrize("header", ['{"condaprune_trace": 1}', '{"condaprune_trace": "1"}'])
def test_a_header_without_runs_or_version_is_damaged(tmp_path: Path, header: str) -> None:
    path = tmp_path / "damaged"
    path.write_text(header + '\n{"end": 0}\n')
    _refused(path, "damaged at line 1")


def test_a_header_that_does_not_deny_loss_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "vague"
    path.write_text('{"condaprune_trace": 1, "runs": [{}]}\n{"end": 0}\n')
    assert read_trace(os.fspath(path)).overflow


def test_a_file_that_is_no_trace_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("important")
    with pytest.raises(TraceError, match="not a trace; it is not overwritten"):
        write_trace(trace_of({}), os.fspath(path))
    assert path.read_text() == "important"
    with pytest.raises(TraceError, match="is a folder"):
        check_replaceable(os.fspath(tmp_path))
    with pytest.raises(TraceError, match="no such folder"):
        check_replaceable(os.fspath(tmp_path / "missing" / "a.trace"))


def test_a_trace_and_an_empty_file_are_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.trace"
    path.touch()
    write_trace(trace_of({}), os.fspath(path))
    write_trace(trace_of({"a": ["open"]}), os.fspath(path))
    assert set(read_trace(os.fspath(path)).entries) == {"a"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_trace_can_be_written_to_a_device(tmp_path: Path) -> None:
    device = tmp_path / "null"
    os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    write_trace(trace_of({}), os.fspath(device))
    assert device.is_char_device()
