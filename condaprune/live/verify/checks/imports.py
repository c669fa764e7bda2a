"""Every module that could be imported before can be imported after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from condaprune.live.messages import missing_modules
from condaprune.live.verify.importer import Attempt, ImportResults, replay, sweep_subject
from condaprune.live.verify.results import Culprit, Finding, Outcome, Unchecked
from condaprune.live.verify.subject import Pair
from condaprune.model import no_progress
from condaprune.paths import parent


class ImportsCheck:
    """Imports all modules in both environments, one process a top-level package."""

    name = "imports"
    runs_code = True

    def run(self, pair: Pair) -> Outcome:
        """See `Check.run`."""
        if pair.before.interpreter is None:
            # That Python itself was lost is what `compare_with` finds.
            why = pair.before.why_not
            return Outcome(unchecked=(Unchecked(self.name, "", why),) if why else ())
        progress = pair.effort.progress

        def first_half(check: str, done: int, total: int) -> None:
            progress(check, done, 2 * total)

        first = replace(pair.effort, progress=first_half)
        baseline = sweep_subject(pair.before, first, pair.scope)
        tried = sum(attempt.state != "excluded" for attempt in baseline.attempts.values())

        def second_half(check: str, done: int, total: int) -> None:
            progress(check, tried + done, tried + total)

        second = replace(pair.effort, progress=second_half)
        return compare_with(baseline, replace(pair, effort=second))


def compare_with(baseline: ImportResults, pair: Pair) -> Outcome:
    """The modules that a baseline could import and `pair.after` cannot."""
    worked = baseline.imported()
    if pair.after.interpreter is None:
        why = pair.after.why_not or "there is no interpreter"
        paths = ("bin/python", "bin/python3")
        finding = pair.loss("imports", "interpreter", "python", "ran", "does not run", why, *paths)
        return Outcome(len(worked), (finding,))
    after = replay(pair.after, baseline, pair.effort, worked)
    outcome = difference(baseline, after, pair)
    # A module may have worked thanks to a half-imported one that was left out above, or have been
    # slow: batches with a loss that no removed file explains are run once more, whole.
    doubtful = {baseline.attempts[f.name].batch for f in outcome.lost if _in_doubt(f)}
    if not doubtful:
        return outcome
    names = {name for name, attempt in baseline.attempts.items() if attempt.batch in doubtful}
    again = replay(pair.after, baseline, replace(pair.effort, progress=no_progress), names)
    better = {
        name: attempt
        for name, attempt in again.attempts.items()
        if attempt.state == "imported" and attempt.located and name in after.attempts
    }
    return difference(baseline, ImportResults({**after.attempts, **better}), pair)


def _in_doubt(finding: Finding) -> bool:
    return not finding.removed or finding.after in ("died", "timed out")


def difference(before: ImportResults, after: ImportResults, pair: Pair) -> Outcome:
    """The modules that were imported *before* and not *after*.

    A module whose own file was removed on purpose is ``removed``; all others are ``lost``,
    among them packages that turned silently into namespace packages: they import, but are empty.
    """
    lost: list[Finding] = []
    removed: list[Finding] = []
    unchecked: list[Unchecked] = []
    code = pair.after.listing.folders_with((".py", ".pyc", ".so"))
    paths = {name: attempt.path for name, attempt in before.attempts.items()}
    for name, old in before.attempts.items():
        if old.state in ("timed out", "not reached"):
            unchecked.append(Unchecked("imports", name, f"before pruning: {old.error}"))
        if old.state == "excluded":
            unchecked.append(Unchecked("imports", name, old.error))
        if old.state != "imported":
            continue
        new = after.attempts.get(name)
        if new is None or new.state == "not reached":
            why = new.error if new else "it was not tried"
            unchecked.append(Unchecked("imports", name, f"after pruning: {why}"))
            continue
        emptied = new.state == "imported" and old.located and not new.located
        if new.state == "imported" and not emptied:
            continue
        loss = partial(pair.loss, "imports", "module", name, "imported")
        if pair.removals.on_purpose(old.path) and not (emptied and parent(old.path) in code):
            rule = pair.removals.rule(old.path)
            removed.append(replace(loss("removed", "", old.path), rule=rule))
        elif emptied:
            why = f"{old.path} is gone while other files of the package stay"
            lost.append(loss("an empty namespace package", why, old.path))
        else:
            state = "cannot be imported" if new.state == "failed" else new.state
            evidence = new.error
            if new.where:
                evidence += f" ({new.where.replace(pair.after.listing.root + '/', '')})"
            culprits = _culprits(old, new, paths, pair)
            lost.append(replace(loss(state, evidence), removed=culprits))
    return Outcome(len(before.imported()), tuple(lost), tuple(removed), tuple(unchecked))


def _culprits(
    old: Attempt, new: Attempt, paths: Mapping[str, str], pair: Pair
) -> tuple[Culprit, ...]:
    """The missing files behind a failed import; *paths* are the files of all modules by name."""
    root, removals = pair.after.listing.root, pair.removals
    named = (*missing_modules(new.error), new.missing)
    missing = [paths[name] for name in named if name in paths]
    if new.missing.startswith(root + "/"):
        missing.append(new.missing[len(root) + 1 :])
    return (
        removals.culprits(old.path, *missing)
        or removals.blame(new.error, root)
        or removals.modules(*named)
    )
