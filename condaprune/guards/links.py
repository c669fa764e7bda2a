"""No kept link may come to point at nothing: its target stays, with all links on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from condaprune.evidence.scene import Guard
from condaprune.model import Veto


class Links(Guard):
    """Rescues what kept links lead to."""

    name = "links"

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        tree = self.scene.tree
        for path in batch:
            entry = self.entries[path]
            if entry.kind != "link":
                continue
            trail = tree.follow(path)
            if not trail.end:
                continue  # it led nowhere before
            for target in (*trail.links, trail.end):
                if target != path and target in self.candidates:
                    yield Veto(target, f"{path} is a link to it", path)
