"""The harness itself: it finds what must not happen, makes it small, and makes it again."""

from __future__ import annotations

import signal
from pathlib import Path
from random import Random

import pytest

from condaprune.errors import SourceError
from fuzz.child import Reading, Shared, minimise
from fuzz.mutate import Mutator
from fuzz.session import _end
from fuzz.target import Cost, Target
from fuzz.targets import TARGETS


def read(data: bytes, _place: str) -> object:
    if b"bad" in data:
        raise KeyError("bad")
    if b"typed" in data:
        raise SourceError("typed")
    return len([bytearray(1 << 20) for _ in range(200)]) if b"big" in data else None


def reading(tmp_path: Path) -> Reading:
    (tmp_path / "shared").write_bytes(b"")
    target = Target("x", read, lambda: (b"seed",), cost=Cost(memory=100 << 20))
    made = Reading(target, str(tmp_path / "place"), Shared(str(tmp_path / "shared"), 1 << 16))
    signal.signal(signal.SIGPROF, signal.SIG_IGN)
    made.warm_up()
    return made


def test_an_untyped_error_is_a_finding_with_its_place(tmp_path: Path) -> None:
    _, finding = reading(tmp_path).read(b"a bad thing")
    assert finding.startswith("KeyError at ")
    assert "test_harness.py" in finding


def test_a_typed_error_is_none(tmp_path: Path) -> None:
    assert reading(tmp_path).read(b"typed") == ("SourceError typed", "")


def test_memory_beyond_the_cost_is_a_finding(tmp_path: Path) -> None:
    _, finding = reading(tmp_path).read(b"big")
    assert finding.startswith("memory: ")


def test_the_input_is_known_whatever_becomes_of_the_process(tmp_path: Path) -> None:
    made = reading(tmp_path)
    made.read(b"last words")
    assert Shared.last(str(tmp_path / "shared")) == (2, b"last words")


def test_a_finding_is_made_small(tmp_path: Path) -> None:
    made = reading(tmp_path)
    data = b"x" * 900 + b"bad" + b"y" * 900
    _, finding = made.read(data)
    assert minimise(data, finding, made) == b"bad"


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_the_same_numbers_make_the_same_input(target: Target) -> None:
    seeds = list(target.seeds())

    def made() -> list[bytes]:
        mutator = Mutator(Random("x"), target.words, target.most)
        mutator.others = seeds
        return [target.mutate(mutator, seeds[n % len(seeds)]) for n in range(30)]

    assert made() == made()
    assert len(set(made())) > 20


def test_how_a_process_ended_is_said() -> None:
    where = 'File "/x/condaprune/sources/a.py", line 7'
    assert _end(-signal.SIGPROF, False, where) == "takes too long at condaprune/sources/a.py:7"
    assert _end(-signal.SIGKILL, True, "") == "waits for ever"
    assert _end(-signal.SIGSEGV, False, "") == "dies of SIGSEGV"
