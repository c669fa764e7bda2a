"""The variables that activation sets still point to something."""

from __future__ import annotations

from condaprune.live.activation import activate
from condaprune.live.verify.listing import Listing
from condaprune.live.verify.results import Finding, Outcome, Unchecked
from condaprune.live.verify.subject import Pair


class ActivationCheck:
    """Sources the activation scripts of both environments and compares the variables they set."""

    name = "environment"
    runs_code = True

    def run(self, pair: Pair) -> Outcome:
        """See `Check.run`."""
        before = activate(pair.before.sandbox, pair.timeout)
        after = activate(pair.after.sandbox, pair.timeout)
        if before.failure:
            return Outcome(unchecked=(Unchecked(self.name, "", before.failure),))
        lost = []
        for name, (value, source) in before.variables.items():
            blamed: tuple[str, ...]
            if name not in after.variables:
                evidence = after.failure or f"{source} does not set it any more"
                state, blamed = "not set", (source,)
            else:
                paths = existing(value, pair.before.listing)
                still = existing(after.variables[name].value, pair.after.listing)
                gone = tuple(path for path in paths if path not in still)
                if not gone:
                    continue
                evidence, state, blamed = f"{gone[0]} is gone", "points to nothing", gone
            culprits = pair.removals.culprits(*blamed)
            lost.append(Finding(self.name, "variable", name, value, state, evidence, culprits))
        return Outcome(len(before.variables), tuple(lost))


def existing(value: str, listing: Listing) -> tuple[str, ...]:
    """The entries of the prefix that a variable's value points to, as a path or a list of them."""
    items = (item.removeprefix("file://") for item in value.split(":") if "/" in item)
    paths = (listing.inside(item) for item in items)
    return tuple(path for path in paths if path and listing.resolve(path))
