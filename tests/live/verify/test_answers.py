"""What processes of an environment say is checked: nothing of it ends in a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from condaprune.live.verify.answers import parse_answer, text
from condaprune.live.verify.checks.metadata import read_metadata
from condaprune.live.verify.importer import sweep_subject
from condaprune.live.verify.listing import list_prefix
from condaprune.live.verify.subject import Effort, copy_probes, describe

BAD = {
    "nothing": b"",
    "no literal": b"import os",
    "deep": b"(" * 5000,
    "deep and closed": b"(" * 200 + b")" * 200,
    "not ASCII": b"('\xff',)",
    "another length": b"(1, 2, 3)",
    "a list": b"[1, 2]",
    "NUL": b"\0",
    "a number too long": b"(" + b"9" * 5000 + b", 1)",
    "unhashable": b"({[]: 1}, 2)",
}


@pytest.mark.parametrize("line", BAD.values(), ids=BAD)
def test_another_answer_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError, match="an answer"):
        parse_answer(line, 2)


def test_a_text_can_always_be_written() -> None:
    assert text("a\ud800\udcff").encode("utf-8", "surrogateescape")


@pytest.fixture
def lying(tmp_path: Path):  # type: ignore[no-untyped-def]
    """An environment whose Python is a shell script that prints what it is told to."""

    def make(script: str) -> Path:
        python = tmp_path / "env" / "bin" / "python"
        python.parent.mkdir(parents=True, exist_ok=True)
        site = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
        site.mkdir(parents=True, exist_ok=True)
        for name in ("one", "two"):
            (site / f"{name}.py").write_text("")
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
        return tmp_path / "env"

    return make


ANSWERS = {
    "nothing": "exit 0",
    "junk": "echo junk",
    "no text": "printf '\\377\\n'",
    "wrong types": "echo '(3, 11, 7, 8)'",
    "a version of texts": "echo \"(['a', 'b', 'c'], [], [], '')\"",
    "a version of two": "echo \"([3, 11], [], [], '')\"",
    "paths that are numbers": "echo '([3, 11, 7], [1], [], 2)'",
    "much": "head -c 3000000 /dev/zero",
    "a NUL in a path": "echo \"([3, 11, 7], ['/a\\\\0b'], [], '')\"",
}


@pytest.mark.parametrize("script", ANSWERS.values(), ids=ANSWERS)
def test_a_python_that_does_not_describe_itself(lying, tmp_path: Path, script: str) -> None:  # type: ignore[no-untyped-def]
    env = lying(script)
    subject = describe("env", list_prefix(str(env)), str(tmp_path), 20.0)
    assert subject.interpreter is None
    assert subject.why_not


LIES = {
    "junk": "echo junk",
    "an end of something else": "echo \"('start', 'one')\"; "
    "echo \"('end', 'two', True, True, '', '', '', '')\"",
    "a start of nothing": "echo \"('start', 'nothing')\"",
    "twice": "for i in 1 2; do echo \"('start', 'one')\"; "
    "echo \"('end', 'one', True, True, '', '', '', '')\"; done",
    "an end of another form": "echo \"('start', 'one')\"; echo \"('end', 'one')\"",
    "numbers": "echo \"('start', 'one')\"; echo \"('end', 'one', 1, 1, 1, 1, 1, 1)\"",
    "without an end": "head -c 3000000 /dev/zero",
}


@pytest.mark.parametrize("script", LIES.values(), ids=LIES)
def test_a_probe_that_lies(lying, tmp_path: Path, script: str) -> None:  # type: ignore[no-untyped-def]
    site = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    about = f"([3, 11, 7], ['{site}'], ['.so'], '{site.parent}')"
    env = lying(f'case "$*" in *probe_*) {script};; *) echo "{about}";; esac')
    copy_probes(str(tmp_path))
    subject = describe("env", list_prefix(str(env)), str(tmp_path), 20.0)
    assert subject.interpreter is not None, subject.why_not
    results = sweep_subject(subject, Effort(timeout=5.0))
    assert set(results.attempts) == {"one", "two"}
    assert "two" not in results.imported()
    assert read_metadata(subject, 20.0)[0] == {}
