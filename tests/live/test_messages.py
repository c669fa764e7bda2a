"""What error messages say is missing."""

from __future__ import annotations

import time

import pytest

from condaprune.live.messages import missing_modules, read_missing


@pytest.mark.parametrize(
    ("message", "kind", "name"),
    [
        ("ModuleNotFoundError: No module named 'a.b'", "module", "a.b"),
        ("No module named a.b", "module", "a.b"),
        ("cannot import name 'x' from 'p.q' (unknown location)", "module", "p.q.x"),
        ("ImportError: cannot import name 'x' from 'p.q' (/lib/p/q.py)", "module", "p.q.x"),
        (
            "cannot import name 'x' from partially initialized module 'p' (most likely ...)",
            "module",
            "p.x",
        ),
        ("module 'p' has no attribute 'x'", "attribute", "p.x"),
        ("PackageNotFoundError: No package metadata was found for some-dist", "distribution",
         "some-dist"),
        ("libz.so.1: cannot open shared object file: No such file", "library", "libz.so.1"),
        ("[Errno 2] No such file or directory: '/env/x y'", "file", "/env/x y"),
        ("bash: tool: command not found", "file", "tool"),
        ("the data lies in /env/share/data, they say", "file", "/env/share/data"),
    ],
)  # fmt: skip
def test_a_message_names_what_is_missing(message: str, kind: str, name: str) -> None:
    assert (kind, name) in [(missing.kind, missing.name) for missing in read_missing(message)]


def test_the_last_error_comes_first() -> None:
    output = "No module named 'first'\nNo module named 'second'\n"
    assert missing_modules(output) == ["second", "first"]


def test_a_package_without_its_init_is_missing_itself() -> None:
    assert missing_modules("cannot import name 'x' from 'p' (unknown location)") == ["p.x", "p"]


@pytest.mark.parametrize("message", ["all is well", "module 'p' has no attribute 'x'", ""])
def test_other_messages_name_no_module(message: str) -> None:
    assert missing_modules(message) == []


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("x" * 300_000, id="one word"),
        pytest.param("\u2018" * 300_000, id="quotes that nothing closes"),
        pytest.param("ModuleNotFoundError: " * 15_000, id="an error, over and over"),
        pytest.param("cannot import name 'x' from partially " * 8000, id="half an error"),
        pytest.param(".so" * 100_000 + ":", id="endings of libraries"),
        pytest.param("a:" * 150_000, id="colons"),
        pytest.param("can't open " + "y" * 300_000 + "(", id="a word that ends wrong"),
    ],
)
def test_time_is_in_proportion_to_a_line(line: str) -> None:
    began = time.process_time()
    assert all(len(missing.name) for missing in read_missing(line))
    assert time.process_time() - began < 5
