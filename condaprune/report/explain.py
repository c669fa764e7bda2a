"""Why an entry goes or stays, down to the root of the evidence, and how to override it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from condaprune.errors import UsageProblem, nearest
from condaprune.model import Basis, Decision, Entry, Owner, Plan, Rule
from condaprune.paths import printable
from condaprune.planning.account import Count
from condaprune.report.units import size

_CHAIN_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is to be said about one question: the entries it named, and by which reading.

    `reading` is ``path``, ``folder``, ``module``, ``package`` or ``environment``.
    """

    question: str
    reading: str
    entries: tuple[Entry, ...]


def find(plan: Plan, question: str) -> Explanation:
    """The entries that *question* names: a path, a folder, a module or a package; "." for all.

    Errors: `UsageProblem` where it names nothing, with the nearest path or package.
    """
    entries = plan.inventory.entries
    path = _relative(plan, question)
    if path in ("", "."):
        return Explanation(question, "environment", tuple(entries.values()))
    entry = entries.get(path)
    if entry is not None and entry.kind != "folder":
        return Explanation(question, "path", (entry,))
    if entry is not None:
        below = tuple(e for p, e in entries.items() if p.startswith(path + "/"))
        return Explanation(question, "folder", (entry, *below))
    module = _module(plan, question)
    if module:
        return Explanation(question, "module", module)
    owned = _package(plan, question)
    if owned:
        return Explanation(question, "package", owned)
    names = {owner.name for owner in plan.inventory.packages}
    tail = question.rpartition("/")[2]
    alike = [p for p in entries if p.rpartition("/")[2] == tail][:1]
    raise UsageProblem(
        "no such path, module or package in this environment",
        where=printable(question),
        remedy=f"Did you mean {printable(alike[0])}?"
        if alike
        else nearest(question, sorted(names)),
    )


def render(plan: Plan, count: Count, explanations: Sequence[Explanation]) -> str:
    """The explanations as text for people; *count* is that of the plan's account."""
    return "\n".join("\n".join(_lines(plan, count, e)) + "\n" for e in explanations)


def render_json(plan: Plan, count: Count, explanations: Sequence[Explanation]) -> str:
    """The explanations as JSON text: for each what it names, counts and frees."""
    answers = [
        {
            "question": explanation.question,
            "reading": explanation.reading,
            "bytes": sum(count.before(entry) for entry in explanation.entries),
            "freed": _freed(count, explanation),
            "entries": [_entry(plan, count, entry) for entry in explanation.entries],
        }
        for explanation in explanations
    ]
    return json.dumps(answers, indent=1) + "\n"


def _entry(plan: Plan, count: Count, entry: Entry) -> dict[str, object]:
    decision = plan.decision(entry.path)
    return {
        "path": entry.path,
        "kind": entry.kind,
        "bytes": entry.size,
        "freed": count.freed(entry),
        "owners": [owner.label for owner in plan.inventory.owners_of(entry.path)],
        "remove": decision.remove,
        "basis": decision.basis,
        "name": decision.name,
        "wanted": decision.wanted,
        "chain": chain(plan, entry.path),
    }


def _freed(count: Count, explanation: Explanation) -> int:
    """The bytes that go; of a whole environment less what the plan adds."""
    freed = sum(count.freed(entry) for entry in explanation.entries)
    if explanation.reading == "environment":
        freed -= sum(edit.size(0) for edit in count.added())
    return freed


def _lines(plan: Plan, count: Count, explanation: Explanation) -> Iterator[str]:
    if explanation.reading == "path" or len(explanation.entries) == 1:
        for entry in explanation.entries:
            yield from _one(plan, entry)
        return
    files = [e for e in explanation.entries if e.kind != "folder"]
    yield (
        f"{printable(explanation.question)}: {explanation.reading}, {len(files):,} files, "
        f"{size(sum(map(count.before, files)))}, of which {size(_freed(count, explanation))} goes"
    )
    groups: dict[tuple[bool, Basis, str], list[Entry]] = {}
    for entry in files:
        decision = plan.decision(entry.path)
        key = (decision.remove, decision.basis, decision.name)
        groups.setdefault(key, []).append(entry)
    totals = {key: sum(map(count.before, group)) for key, group in groups.items()}
    for key, group in sorted(groups.items(), key=lambda item: -totals[item[0]]):
        first = max(group, key=lambda e: e.size)
        yield ""
        verdict_text = verdict(plan.decision(first.path))
        yield f"{verdict_text}: {len(group):,} files, {size(totals[key])}, such as"
        yield from (f"  {line}" for line in _one(plan, first))


def _one(plan: Plan, entry: Entry) -> Iterator[str]:
    decision = plan.decision(entry.path)
    yield f"{printable(entry.path)}  ({entry.kind}, {size(entry.size)})"
    owners = plan.inventory.owners_of(entry.path)
    yield f"  owner     {', '.join(map(_owner, owners)) or 'none: no package lists it'}"
    yield f"  decision  {verdict(decision)}"
    rule = _rule(plan, decision.wanted or decision.name)
    if rule is not None:
        yield f"  rule      {rule.id} (risk {rule.risk}): {rule.why}"
        for loss in rule.breaks:
            yield f"  breaks    {loss}"
        for reference in rule.references:
            yield f"  see       {reference}"
    for number, step in enumerate(chain(plan, entry.path)):
        yield f"  {'because' if number == 0 else '   <-':<8}  {printable(step)}"
    yield f"  override  {_override(entry, decision, rule)}"


def verdict(decision: Decision) -> str:
    """A decision in a few words."""
    if decision.remove:
        what = {"rule": "rule", "drop": "", "emptied": "nothing is left in it, after"}
        return f"goes: {what.get(decision.basis, '')} {decision.name}".replace(":  ", ": ")
    by = {
        "keep": f"kept by --keep {decision.name}",
        "trace": "kept by a trace",
        "guard": f"kept by the guard {decision.name}",
        "rule-keep": f"kept by the rule {decision.name}",
        "default": "kept: no rule wants it",
    }[decision.basis]
    return f"{by}, against {decision.wanted}" if decision.wanted else by


def chain(plan: Plan, path: str) -> list[str]:
    """The evidence for an entry that stays, step by step down to a root."""
    decision = plan.decision(path)
    if decision.remove:
        return []
    steps: list[str] = []
    seen: set[str] = set()
    here = path
    while here not in seen and len(steps) < _CHAIN_LIMIT:
        seen.add(here)
        veto = plan.vetoes.get(here)
        if veto is None:
            break
        steps.append(f"{veto.guard}: {veto.because}" if veto.guard else veto.because)
        here = veto.needs
    if not steps and decision.because:
        steps.append(decision.because)
    elif steps and here and here not in seen:
        steps.append(f"{here} stays: {verdict(plan.decision(here))}")
    return steps


def _override(entry: Entry, decision: Decision, rule: Rule | None) -> str:
    shown = printable(entry.path)
    if decision.remove:
        ignored = f", or --ignore {rule.id}" if rule else ""
        return f"--keep '/{shown}'{ignored}"
    if decision.basis == "guard":
        return f"--no-guard {decision.name} (for the whole run; what it protects may break)"
    if decision.basis == "default":
        return f"--drop '/{shown}' (guards still look at it)"
    if decision.basis == "rule-keep":
        return f"--ignore {decision.name}"
    return "leave out the --keep or --trace that holds it"


def _relative(plan: Plan, question: str) -> str:
    for home in (plan.inventory.prefix, plan.inventory.label):
        start = home.rstrip("/") + "/"
        if start != "/" and f"{question}/".startswith(start):
            return question[len(start) :].strip("/")
    return question.removeprefix("./").strip("/")


def _module(plan: Plan, question: str) -> tuple[Entry, ...]:
    entries = plan.inventory.entries
    tail = question.replace(".", "/")
    layout = plan.inventory.layout
    for home in (*layout.site, *layout.stdlib, *(f"{s}/lib-dynload" for s in layout.stdlib)):
        package = f"{home}/{tail}"
        if f"{package}/__init__.py" in entries or (
            package in entries and entries[package].kind == "folder"
        ):
            return tuple(e for p, e in entries.items() if p.startswith(package + "/"))
        for ending in (".py", ".pyc"):
            if package + ending in entries:
                return (entries[package + ending],)
        extension = [
            e for p, e in entries.items() if p.startswith(package + ".") and p.endswith(".so")
        ]
        if extension:
            return tuple(extension)
    return ()


def _package(plan: Plan, question: str) -> tuple[Entry, ...]:
    from condaprune.names import canonical_name

    wanted = canonical_name(question.partition(":")[2] or question)

    def named(owner: Owner) -> bool:
        return owner.name == question or canonical_name(owner.name) == wanted

    return tuple(
        entry
        for path, entry in plan.inventory.entries.items()
        if any(named(owner) for owner in plan.inventory.owners_of(path))
    )


def _owner(owner: Owner) -> str:
    return f"{owner.label} {owner.version}"


def _rule(plan: Plan, identity: str) -> Rule | None:
    return next((rule for rule in plan.rules if rule.id == identity), None)
