"""No link that led somewhere leads nowhere, and no new link leads nowhere."""

from __future__ import annotations

from condaprune.live.verify.results import Outcome
from condaprune.live.verify.subject import Pair


class LinksCheck:
    """Compares where links lead; links that dangled before do not count."""

    name = "links"
    runs_code = False

    def run(self, pair: Pair) -> Outcome:
        """See `Check.run`."""
        before, after = pair.before.listing, pair.after.listing
        lost = []
        counted = 0
        for path, entry in after.entries.items():
            if entry.kind != "link":
                continue
            target = before.resolve(path) if path in before else ""
            if target is None:
                continue
            counted += 1
            if after.resolve(path) is None:
                was = f"led to {target}" if target else "was not there"
                now, why = "leads nowhere", f"its target is {entry.target}"
                paths = (*before.links(path), target)
                lost.append(pair.loss(self.name, "link", path, was, now, why, *paths))
        return Outcome(counted, tuple(lost))
