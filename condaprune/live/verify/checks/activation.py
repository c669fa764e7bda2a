"""What activating the environment sets still points to something."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace

from condaprune.live.sandbox import SYSTEM_PATH, Sandbox, environment
from condaprune.live.verify.checks.base import Pair
from condaprune.live.verify.listing import Listing
from condaprune.live.verify.results import Finding, Outcome, Unchecked
from condaprune.paths import from_bytes

FOLDER = "etc/conda/activate.d/"
_STATE = "conda-meta/state"
# Names that the shell or the sandbox sets by itself.
_OURS = frozenset({"PWD", "OLDPWD", "SHLVL", "_"})
_SOURCE = 'for script in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do\n. "$script"\ndone\nenv -0\n'


class ActivationCheck:
    """Sources the activation scripts of both environments and compares the variables they set."""

    name = "environment"
    runs_code = True

    def run(self, pair: Pair) -> Outcome:
        """See `Check.run`."""
        before, why_before = activate(pair.before.listing, pair.before.sandbox, pair.timeout)
        after, why_after = activate(pair.after.listing, pair.after.sandbox, pair.timeout)
        if why_before:
            return Outcome(unchecked=(Unchecked(self.name, "", why_before),))
        lost = []
        counted = 0
        for name, value in before.items():
            paths = existing(value, pair.before.listing)
            counted += 1
            if name not in after:
                scripts = [p for p in pair.before.listing if p.startswith(FOLDER)]
                evidence = why_after or "no script sets it any more"
                blamed = pair.removals.culprits(*scripts, _STATE)
                lost.append(
                    Finding(self.name, "variable", name, value, "not set", evidence, blamed)
                )
                continue
            still = existing(after[name], pair.after.listing)
            gone = [path for path in paths if path not in still]
            if gone:
                lost.append(
                    Finding(
                        self.name,
                        "variable",
                        name,
                        value,
                        "points to nothing",
                        f"{gone[0]} is gone",
                        pair.removals.culprits(*gone),
                    )
                )
        return Outcome(counted, tuple(lost))


def existing(value: str, listing: Listing) -> tuple[str, ...]:
    """The entries of the prefix that a variable's value points to, as a path or a list of them."""
    found = []
    for item in value.split(":"):
        path = listing.inside(item.removeprefix("file://")) if "/" in item else None
        if path and listing.resolve(path):
            found.append(path)
    return tuple(found)


def activate(listing: Listing, sandbox: Sandbox, timeout: float) -> tuple[Mapping[str, str], str]:
    """The variables that activation sets or changes, and why they could not be read (or '')."""
    variables = _state(listing)
    if not any(path.startswith(FOLDER) and path.endswith(".sh") for path in listing):
        return variables, ""
    shell = shutil.which("bash", path=SYSTEM_PATH) or shutil.which("sh", path=SYSTEM_PATH)
    if shell is None:
        return variables, "there is no shell to source the activation scripts with"
    # What an earlier activation set must not pass for what the scripts set.
    done = replace(sandbox, variables={}, bytecode="").run([shell, "-c", _SOURCE], timeout)
    if done.code != 0:
        last = done.err.decode("utf-8", "replace").strip().splitlines()[-1:]
        return variables, f"the activation scripts ended with {done.code}: {''.join(last)}"
    base = environment(listing.root, "", {})
    plain = {from_bytes(name): from_bytes(value) for name, value in base.items()}
    found = dict(variables)
    for row in done.out.decode("utf-8", "surrogateescape").split("\0"):
        name, equals, value = row.partition("=")
        # What differs by the scratch home is the sandbox's doing, not the scripts'.
        if not equals or name in _OURS or plain.get(name) == value:
            continue
        if name in plain and sandbox.scratch in value:
            continue
        found[name] = value
    return found, ""


def _state(listing: Listing) -> dict[str, str]:
    """The variables of ``conda env config vars``, which conda sets on activation."""
    try:
        raw = json.loads(listing.read(_STATE) or b"{}")
    except ValueError:
        return {}
    variables = raw.get("env_vars") if isinstance(raw, dict) else None
    if not isinstance(variables, dict):
        return {}
    return {str(name): str(value) for name, value in variables.items()}
