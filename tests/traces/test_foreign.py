"""Other tools' evidence becomes a trace, or is refused."""

import json
import os
from pathlib import Path

import pytest

from condaprune.errors import TraceError, UsageProblem
from condaprune.paths import from_bytes
from condaprune.traces.foreign import import_trace
from condaprune.traces.trace import check_usable


def imported(tmp_path: Path, kind: str, data: bytes | str) -> dict[str, set[str]]:
    path = tmp_path / "evidence"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    trace = import_trace(os.fspath(path), kind, "/opt/env/")
    check_usable(trace)
    assert trace.runs[0].recorders == (kind,)
    assert trace.prefix == "/opt/env"
    assert trace.runs[0].ended == "imported"
    return {name: set(entry.kinds) for name, entry in trace.entries.items()}


def test_an_strace_log(tmp_path: Path) -> None:
    log = (
        '7 execve("/opt/env/bin/python", ["python"], 0x7 /* 1 var */) = 0\n'
        '7 openat(AT_FDCWD, "/opt/env/lib/a.so", O_RDONLY) = 3\n'
        '7 stat("/opt/env/lib/b", 0x7ffd) = -1 ENOENT (No such file or directory)\n'
        '7 openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3\n'
    )
    assert imported(tmp_path, "strace", log) == {
        "bin/python": {"exec"},
        "lib/a.so": {"open"},
        "lib/b": {"enoent"},
    }


def test_paths_that_strace_did_not_tell_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text('open("/opt/env/a", O_RDONLY) = 3\nopenat(4, "b", O_RDONLY) = 5\n')
    trace = import_trace(os.fspath(path), "strace", "/opt/env")
    assert any("strace -f -y" in note for note in trace.runs[0].notes)


def test_a_list_of_paths(tmp_path: Path) -> None:
    text = b"/opt/env/a\n./b/c\nd\n\n/etc/passwd\n../outside\n\xff\n"
    assert imported(tmp_path, "list", text) == {
        name: {"open"} for name in ("a", "b/c", "d", from_bytes(b"\xff"))
    }
    assert imported(tmp_path, "list", b"/opt/env/a\nb\0/opt/env/c\0") == {
        "a\nb": {"open"},
        "c": {"open"},
    }


def test_a_report_of_slimtoolkit(tmp_path: Path) -> None:
    report = {
        "monitors": {
            "fan": {
                "process_files": {
                    "1": {
                        "/opt/env/bin/python3.11": {"event_count": 2, "execs": 1},
                        "/opt/env/lib/x.so": {"event_count": 4, "reads": 4},
                        "/usr/bin/env": {"event_count": 1, "execs": 1},
                    }
                }
            },
            "pt": {
                "fs_activity": {
                    "/opt/env/lib/y.py": {"ops_all": 3, "ops_checkfile": 3},
                    "/opt/env/lib/z.pyc": {"ops_all": 3, "ops_checkfile": 1},
                }
            },
        },
        "image": {
            "files": [
                {"file_type": "Dir", "file_path": "/opt/env/lib"},
                {"file_type": "Symlink", "file_path": "/opt/env/bin/python"},
                {"file_type": "File", "file_path": "/opt/env/lib/w"},
                {"file_type": "File"},
                None,
            ]
        },
    }
    assert imported(tmp_path, "creport", json.dumps(report)) == {
        "bin/python3.11": {"exec"},
        "lib/x.so": {"open"},
        "lib/y.py": {"stat"},
        "lib/z.pyc": {"open"},
        "lib": {"stat"},
        "bin/python": {"readlink"},
        "lib/w": {"open"},
    }


@pytest.mark.parametrize("kind", ["strace", "list", "creport"])
@pytest.mark.parametrize("data", [b"", b"\x00\xff", b"[1, 2]", b"/elsewhere/a\n", b"[" * 99999])
def test_what_names_nothing_of_the_prefix_is_refused(
    tmp_path: Path, kind: str, data: bytes
) -> None:
    if kind == "list" and not data.startswith(b"/") and data:
        pytest.skip("a list may hold any name")
    with pytest.raises(TraceError, match=r"names nothing in /opt/env.*--prefix"):
        imported(tmp_path, kind, data)


def test_a_missing_file_and_an_unknown_kind_are_named(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="cannot be read"):
        import_trace(os.fspath(tmp_path / "none"), "list", "/opt/env")
    with pytest.raises(UsageProblem, match=r"no import from 'straze'\. Did you mean 'strace'"):
        import_trace(os.fspath(tmp_path / "none"), "straze", "/opt/env")
