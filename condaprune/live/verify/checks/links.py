"""No link that led somewhere leads nowhere, and no new link leads nowhere."""

from __future__ import annotations

from condaprune.live.verify.checks.base import Pair
from condaprune.live.verify.results import Finding, Outcome


class LinksCheck:
    """Compares where links lead. Links that dangled before are none of its business."""

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
            was = before.resolve(path) if path in before else ""
            if was is None:
                continue
            counted += 1
            if after.resolve(path) is None:
                lost.append(
                    Finding(
                        self.name,
                        "link",
                        path,
                        f"led to {was}" if was else "was not there",
                        "leads nowhere",
                        f"its target is {entry.target}",
                        pair.removals.culprits(*before.chain(path), was),
                    )
                )
        return Outcome(counted, tuple(lost))
