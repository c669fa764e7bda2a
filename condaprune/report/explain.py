"""Why an entry goes or stays, down to the root of the evidence, and how to override it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from condaprune.errors import UsageProblem, nearest
from condaprune.model import Basis, Decision, Entry, Plan
from condaprune.names import canonical_name
from condaprune.planning.account import Count
from condaprune.report.layout import Show, counted, size
from condaprune.rule import Rule

_CHAIN_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Explanation:
    """The entries that a question named, and by which reading.

    `reading` is ``path``, ``folder``, ``module``, ``package`` or ``environment``.
    """

    question: str
    reading: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """The explanations of several questions about a plan; `count` is that of its account."""

    plan: Plan
    count: Count
    explanations: tuple[Explanation, ...]

    def freed(self, explanation: Explanation) -> int:
        """The bytes that go; of a whole environment less what the plan adds."""
        freed = sum(map(self.count.freed, explanation.entries))
        if explanation.reading == "environment":
            freed -= sum(edit.size(0) for edit in self.count.added())
        return freed


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
        return Explanation(question, "folder", (entry, *_below(plan, path)))
    module = _module(plan, question)
    if module:
        return Explanation(question, "module", module)
    owned = _package(plan, question)
    if owned:
        return Explanation(question, "package", owned)
    tail = question.rpartition("/")[2]
    alike = next((p for p in entries if p.rpartition("/")[2] == tail), "")
    names = sorted({owner.name for owner in plan.inventory.packages})
    raise UsageProblem(
        "no such path, module or package in this environment",
        where=question,
        remedy=f"Did you mean {alike}?" if alike else nearest(question, names),
    )


def explanation_as_text(answers: Answers, _show: Show) -> Iterator[str]:
    """All explanations as text."""
    for number, each in enumerate(answers.explanations):
        if number:
            yield ""
        yield from _lines(answers, each)


def explanation_as_json(answers: Answers, _show: Show) -> Iterator[str]:
    """For each question, as JSON: its entries, what they count and what of that is freed."""
    data = [
        {
            "question": each.question,
            "reading": each.reading,
            "bytes": sum(map(answers.count.before, each.entries)),
            "freed": answers.freed(each),
            "entries": [_facts(answers, entry) for entry in each.entries],
        }
        for each in answers.explanations
    ]
    yield json.dumps(data, indent=1)


def _facts(answers: Answers, entry: Entry) -> dict[str, object]:
    decision = answers.plan.decision(entry.path)
    return {
        "path": entry.path,
        "kind": entry.kind,
        "bytes": entry.size,
        "freed": answers.count.freed(entry),
        "owners": [owner.label for owner in answers.plan.inventory.owners_of(entry.path)],
        "remove": decision.remove,
        "basis": decision.basis,
        "name": decision.name,
        "wanted": decision.wanted,
        "chain": chain(answers.plan, entry.path),
    }


def _lines(answers: Answers, explanation: Explanation) -> Iterator[str]:
    plan, before = answers.plan, answers.count.before
    if len(explanation.entries) == 1:
        yield from _one(plan, explanation.entries[0])
        return
    files = [e for e in explanation.entries if e.kind != "folder"]
    total, freed = size(sum(map(before, files))), size(answers.freed(explanation))
    named = f"{explanation.question}: {explanation.reading}"
    yield f"{named}, {counted(len(files), 'file')}, {total}, of which {freed} goes"
    groups: dict[tuple[bool, Basis, str], list[Entry]] = {}
    for entry in files:
        decision = plan.decision(entry.path)
        groups.setdefault((decision.remove, decision.basis, decision.name), []).append(entry)
    ranked = [(sum(map(before, group)), group) for group in groups.values()]
    for bytes_before, group in sorted(ranked, key=lambda pair: -pair[0]):
        first = max(group, key=lambda e: e.size)
        files_text = f"{counted(len(group), 'file')}, {size(bytes_before)}"
        yield ""
        yield f"{verdict(plan.decision(first.path))}: {files_text}, such as"
        yield from (f"  {line}" for line in _one(plan, first))


def _one(plan: Plan, entry: Entry) -> Iterator[str]:
    decision = plan.decision(entry.path)
    owners = ", ".join(f"{o.label} {o.version}" for o in plan.inventory.owners_of(entry.path))
    yield f"{entry.path}  ({entry.kind}, {size(entry.size)})"
    yield f"  owner     {owners or 'none: no package lists it'}"
    yield f"  decision  {verdict(decision)}"
    identity = decision.wanted or decision.name
    rule = next((rule for rule in plan.rules if rule.id == identity), None)
    if rule is not None:
        yield f"  rule      {rule.id} (risk {rule.risk}): {rule.why}"
        yield from (f"  breaks    {loss}" for loss in rule.breaks)
        yield from (f"  see       {reference}" for reference in rule.references)
    for number, step in enumerate(chain(plan, entry.path)):
        yield f"  {'because' if number == 0 else '   <-':<8}  {step}"
    yield f"  override  {_override(entry, decision, rule)}"


def verdict(decision: Decision) -> str:
    """A decision in a few words."""
    name = decision.name
    if decision.remove:
        words = {"rule": "rule ", "emptied": "nothing is left in it, after "}
        return f"goes: {words.get(decision.basis, '')}{name}"
    words = {
        "keep": f"kept by --keep {name}",
        "trace": "kept by a trace",
        "guard": f"kept by the guard {name}",
        "rule-keep": f"kept by the rule {name}",
        "default": "kept: no rule wants it",
    }
    against = f", against {decision.wanted}" if decision.wanted else ""
    return words[decision.basis] + against


def chain(plan: Plan, path: str) -> list[str]:
    """The evidence for an entry that stays, step by step down to a root."""
    decision = plan.decision(path)
    if decision.remove:
        return []
    steps: list[str] = []
    seen: set[str] = set()
    here = path
    while here and here not in seen and len(steps) < _CHAIN_LIMIT:
        seen.add(here)
        veto = plan.vetoes.get(here)
        if veto is None:
            root = f"{here} is {verdict(plan.decision(here))}"
            return [*steps, root] if steps else [decision.because] if decision.because else []
        steps.append(f"{veto.guard}: {veto.because}" if veto.guard else veto.because)
        here = veto.needs
    return steps


def _override(entry: Entry, decision: Decision, rule: Rule | None) -> str:
    path = "'/{}'".format(entry.path.replace("'", "'\"'\"'"))  # quoted for a shell
    if decision.remove:
        return f"--keep {path}" + (f", or --ignore {rule.id}" if rule else "")
    if decision.basis == "guard":
        return f"--no-guard {decision.name} (for the whole run; what it protects may break)"
    if decision.basis == "default":
        return f"--drop {path} (the guards still check it)"
    if decision.basis == "rule-keep":
        return f"--ignore {decision.name}"
    return "leave out the --keep or --trace that keeps it"


def _relative(plan: Plan, question: str) -> str:
    for folder in (plan.inventory.prefix, plan.inventory.label):
        start = folder.rstrip("/") + "/"
        if start != "/" and f"{question}/".startswith(start):
            return question[len(start) :].strip("/")
    return question.removeprefix("./").strip("/")


def _below(plan: Plan, folder: str) -> tuple[Entry, ...]:
    return tuple(e for p, e in plan.inventory.entries.items() if p.startswith(folder + "/"))


def _module(plan: Plan, question: str) -> tuple[Entry, ...]:
    entries = plan.inventory.entries
    tail = question.replace(".", "/")
    layout = plan.inventory.layout
    for home in (*layout.site, *layout.stdlib, *(f"{s}/lib-dynload" for s in layout.stdlib)):
        module = f"{home}/{tail}"
        if module in entries and entries[module].kind == "folder":
            return _below(plan, module)
        paths = [path for path in (f"{module}.py", f"{module}.pyc") if path in entries][:1]
        paths = paths or [p for p in entries if p.startswith(f"{module}.") and p.endswith(".so")]
        if paths:
            return tuple(entries[path] for path in paths)
    return ()


def _package(plan: Plan, question: str) -> tuple[Entry, ...]:
    inventory = plan.inventory
    name = canonical_name(question.partition(":")[2] or question)
    names = {owner.name for owner in inventory.packages}
    names = {each for each in names if each == question or canonical_name(each) == name}
    entries = inventory.entries.values()
    return tuple(e for e in entries if any(o.name in names for o in inventory.owners_of(e.path)))
