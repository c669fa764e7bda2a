"""What a target is: a reader, what it may cost, and how its input is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fuzz.mutate import Mutator

Mutation = Callable[[Mutator, bytes], bytes]
"""Makes another input of one; the mutator holds the random numbers and the words."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What reading may cost: so much for any input, and so much for each of its bytes.

    `seconds` are of the processor, in all threads. Both rates are generous, so that a slow or a
    loaded machine finds nothing; what grows with the square of the input passes them all the same.
    """

    seconds: float = 1.5
    seconds_per_mib: float = 12.0
    memory: int = 48 << 20
    memory_per_byte: int = 64

    def time_for(self, size: int) -> float:
        """Seconds for an input of *size* bytes."""
        return self.seconds + self.seconds_per_mib * size / (1 << 20)

    def memory_for(self, size: int) -> int:
        """Bytes for an input of *size* bytes."""
        return self.memory + self.memory_per_byte * size


def _plain(mutator: Mutator, data: bytes) -> bytes:
    return mutator.change(data)


@dataclass(frozen=True, slots=True)
class Target:
    """One reader.

    `read` is given the input and the name of a file or folder that it may make; it returns, or
    raises a `CondapruneError`: all else is a finding. `seeds` are inputs to begin with, `words`
    what the input is made of, `most` the bytes of the longest input.
    """

    name: str
    read: Callable[[bytes, str], object]
    seeds: Callable[[], Sequence[bytes]]
    words: tuple[bytes, ...] = ()
    mutate: Mutation = _plain
    cost: Cost = field(default_factory=Cost)
    most: int = 1 << 17
