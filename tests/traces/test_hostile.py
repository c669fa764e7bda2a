"""Traces and evidence from anybody: a `TraceError` at once, or a trace whose texts are harmless."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest

from condaprune.errors import TraceError
from condaprune.live.trace.show import render_trace
from condaprune.traces.foreign import import_trace
from condaprune.traces.format import dump_lines, read_trace

RUN = {"prefix": "/env", "recorders": ["inotify"], "exit_code": 0, "overflow": False}
ENTRY = {"path": "bin/a", "kinds": ["open"], "recorder": ["inotify"], "count": 1}
END = {"end": 1}


def lines(*documents: object) -> bytes:
    texts = (doc if isinstance(doc, str) else json.dumps(doc) for doc in documents)
    return "".join(text + "\n" for text in texts).encode()


def header(**changes: object) -> dict[str, object]:
    return {"condaprune_trace": 1, "runs": [{**RUN, **changes}]}


DEEP = "[" * 100_000
HUGE = "9" * 4000
DAMAGED = {
    "a deep header": lines('{"condaprune_trace": 1, "runs": ' + DEEP, ENTRY, END),
    "a deep entry": lines(header(), '{"path": ' + DEEP, END),
    "a version that is huge": lines(f'{{"condaprune_trace": {HUGE}, "runs": []}}', {"end": 0}),
    "a version that is true": lines({"condaprune_trace": True, "runs": []}, {"end": 0}),
    "a version that is a text": lines({"condaprune_trace": "1", "runs": []}, {"end": 0}),
    "a count that is huge": lines(header(), json.dumps(ENTRY).replace("1}", HUGE + "}"), END),
    "a count that is true": lines(header(), {**ENTRY, "count": True}, END),
    "a count that is infinite": lines(header(), json.dumps(ENTRY).replace("1}", "Infinity}"), END),
    "a count that is 1e999": lines(header(), json.dumps(ENTRY).replace("1}", "1e999}"), END),
    "an exit code that is huge": lines(
        json.dumps(header()).replace(": 0,", f": {HUGE},"), ENTRY, END
    ),
    "an exit code that is true": lines(header(exit_code=True), ENTRY, END),
    "a path that is no text of bytes": lines(header(), {**ENTRY, "path": "\ud800"}, END),
    "a prefix that is no text of bytes": lines(header(prefix="\ud800/env"), ENTRY, END),
    "a command that is no text of bytes": lines(header(command=["\udbff"]), ENTRY, END),
    "a package that is no text of bytes": lines(header(fingerprint={"\ud800": "1"}), ENTRY, END),
    "a path that leaves": lines(header(), {**ENTRY, "path": "../x"}, END),
    "an absolute path": lines(header(), {**ENTRY, "path": "/etc/passwd"}, END),
    "a path with NUL": lines(header(), {**ENTRY, "path": "a\0b"}, END),
    "runs that are no list": lines({"condaprune_trace": 1, "runs": {"a": 1}}, END),
    "a run that is no object": lines({"condaprune_trace": 1, "runs": [[1]]}, END),
    "entries that are lists": lines(header(), [1], END),
    "a line without an end": b"{" + lines(header())[1:] + b'{"path": "' + b"a" * (3 << 20),
    "a header without an end": b'{"condaprune_trace": 1' + b" " * (70 << 20),
    "zeros": bytes(3 << 20),
    "not UTF-8": lines(header()) + b'{"path": "\xff"}\n' + lines(END),
    "an entry twice": lines(header(), ENTRY, ENTRY, {"end": 2}),
    "more after the end": lines(header(), ENTRY, END, ENTRY),
    "kinds that are unknown": lines(header(), {**ENTRY, "kinds": [{"a": 1}]}, END),
    "nothing": b"",
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_trace_is_refused_at_once(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "t"
    path.write_bytes(data)
    began = time.process_time()
    with pytest.raises(TraceError) as raised:
        read_trace(str(path))
    assert len(str(raised.value)) < 1000
    assert time.process_time() - began < 5


@pytest.mark.parametrize("form", ["FIFO", "folder", "device", "link to a FIFO"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, form: str) -> None:
    path = tmp_path / "t"
    if form == "FIFO":
        os.mkfifo(path)
    elif form == "folder":
        path.mkdir()
    elif form == "device":
        path.symlink_to("/dev/zero")
    else:
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to("pipe")
    with pytest.raises(TraceError):
        read_trace(str(path))
    with pytest.raises(TraceError):
        import_trace(str(path), "list", "/env")


def test_a_pipe_that_the_shell_holds_open_is_read() -> None:
    reader, writer = os.pipe()

    def write() -> None:
        with open(writer, "wb") as stream:
            stream.write(lines(header(), ENTRY, END))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert list(read_trace(f"/dev/fd/{reader}").entries) == ["bin/a"]
    finally:
        thread.join()
        os.close(reader)


def test_what_is_shown_of_a_trace_is_printable(tmp_path: Path) -> None:
    evil = "\x1b]0;x\x07\n::error::\u202e\x9b31m\udcff"
    texts = ("prefix", "started", "filesystem", "canary")
    lists = ("recorders", "command", "changed", "notes")
    run = {**dict.fromkeys(texts, evil), **{key: [evil] for key in lists}, "changes": 1}
    path = tmp_path / "t"
    path.write_bytes(lines(header(**run), {**ENTRY, "path": evil, "askers": [evil]}, END))
    shown = list(render_trace(read_trace(str(path))))
    assert len(shown) > 8
    assert all(line.isprintable() for line in shown)


def test_a_trace_of_bytes_that_are_no_utf8_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes(lines(header(), {**ENTRY, "path": "bin/\udcff"}, END))
    assert b"".join(line.encode() for line in dump_lines(read_trace(str(path))))


CREPORTS = {
    "deep": DEEP,
    "a list": "[]",
    "files that are a text": '{"monitors": {"fan": {"process_files": {"1": "x"}}}}',
    "a number": "3",
    "infinity": "Infinity",
}


@pytest.mark.parametrize("text", CREPORTS.values(), ids=CREPORTS)
def test_a_report_that_names_nothing_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "creport.json"
    path.write_text(text)
    with pytest.raises(TraceError, match="names nothing"):
        import_trace(str(path), "creport", "/env")


def test_odd_counts_and_paths_of_a_report_do_no_harm(tmp_path: Path) -> None:
    files = {"/env/a": {"event_count": 10**4000}, "/env/\ud800": {}, "/env/../x": {}, "/env/b": 7}
    path = tmp_path / "creport.json"
    path.write_text(json.dumps({"monitors": {"fan": {"process_files": {"1": files}}}}))
    trace = import_trace(str(path), "creport", "/env")
    assert sorted(trace.entries) == ["a", "b"]
    (tmp_path / "t").write_text("".join(dump_lines(trace)))
    read_trace(str(tmp_path / "t"))


LOGS = {
    "a text without an end": '1 open("' + '\\"' * 500_000 + ", O_RDONLY) = 3",
    "parentheses": "1 open(" + ") " * 500_000 + "= 3",
    "spaces": "1" + " " * 1_000_000 + "open()",
    "a descriptor without an end": "1 openat(3<" + "\\>" * 300_000 + '"a") = 3',
    "one line": "a" * 5_000_000,
    "digits": "9" * 1_000_000,
}


@pytest.mark.parametrize("line", LOGS.values(), ids=LOGS)
def test_a_log_takes_time_by_its_length(tmp_path: Path, line: str) -> None:
    path = tmp_path / "log"
    path.write_text(line + '\n1 open("/env/a", O_RDONLY) = 3\n')
    began = time.process_time()
    assert list(import_trace(str(path), "strace", "/env").entries) == ["a"]
    assert time.process_time() - began < 5
