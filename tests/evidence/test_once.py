"""What many share is gone through once."""

from __future__ import annotations

from condaprune.evidence.once import Once


def test_a_shared_tuple_is_given_once() -> None:
    once, shared = Once(), ("a", "b", "c")
    assert list(once.of(shared)) == ["a", "b", "c"]
    assert not list(once.of(shared))
    assert list(once.of(("a", "b", "c")[:2])) == ["a", "b"]


def test_the_file_that_asks_is_left_to_the_next() -> None:
    once, shared = Once(), ("a", "b", "c")
    assert list(once.of(shared, "b")) == ["a", "c"]
    assert not list(once.of(shared, "b"))
    assert list(once.of(shared, "c")) == ["b"]
    assert not list(once.of(shared, "b"))
