"""No kept link may come to point at nothing: its target stays, with all links on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from condaprune.evidence.scene import Guard
from condaprune.model import Veto


class Links(Guard):
    """Rescues what kept links lead to."""

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        tree = self.scene.tree
        for path in batch:
            entry = self.entries[path]
            trail = tree.follow(path) if entry.kind == "link" else None
            if trail and trail.end:  # otherwise it led nowhere before
                targets = (*trail.links, trail.end)
                yield from self.rescue(targets, f"{path} is a link to it", path)
