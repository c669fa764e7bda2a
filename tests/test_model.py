"""A patch of a content, however it is cut into pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from condaprune.edit import Patch


@st.composite
def cases(draw: st.DrawFn) -> tuple[bytes, Patch, list[int]]:
    old = draw(st.binary(min_size=1, max_size=60))
    end = draw(st.none() | st.integers(0, len(old)))
    most = len(old) if end is None else end
    head = draw(st.binary(max_size=most))
    cuts = draw(st.lists(st.integers(0, len(old)), max_size=5).map(sorted))
    return old, Patch(head, end, draw(st.binary(max_size=9))), cuts


@given(case=cases())
def test_the_pieces_do_not_matter(case: tuple[bytes, Patch, list[int]]) -> None:
    old, patch, cuts = case
    pieces = [old[a:b] for a, b in zip([0, *cuts], [*cuts, len(old)], strict=True)]
    new = b"".join(patch.apply(pieces))
    assert new == patch.head + old[len(patch.head) : patch.end] + patch.tail
    assert len(new) == patch.size(len(old))
    assert patch.made(new, len(old))


def test_a_content_of_another_size_was_not_made_by_it() -> None:
    assert not Patch(b"a", 2).made(b"abc", 3)
