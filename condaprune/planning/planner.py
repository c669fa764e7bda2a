"""Decides every entry, once, with one reason; nothing is touched.

The order of decisions, first match wins: the user's ``--keep``, a trace, a guard's veto, a rule's
own ``keep``, the user's ``--drop``, a rule's ``remove``, else the entry stays. What guards do not
let one rule take is offered to the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from condaprune.edit import Edit
from condaprune.model import Decision, Inventory, Plan, Progress, Veto, no_progress
from condaprune.paths import parent, printable
from condaprune.planning.edits import make_edits
from condaprune.planning.terms import Terms, make_terms
from condaprune.request.request import Request
from condaprune.ruleset import Match, compile_rules
from condaprune.ruleset.match import NOTHING
from condaprune.sources.base import Source
from condaprune.sources.owners import inner_environments

ALL_GUARDS = "all"
_PLAIN = ("file", "link")


def make_plan(source: Source, request: Request, *, progress: Progress = no_progress) -> Plan:
    """The plan for an environment under a request: the one way to a plan; nothing is touched.

    Without contents to read (a path list) neither guards nor edits have a say, and a note says so.
    Errors: `SourceError` where a file that a guard or an edit needs cannot be read, `RuleError`,
    `ConfigError`, `TraceError` and `UsageProblem` for a request that does not fit.
    """
    progress("scan", 0, 0)
    inventory = source.inventory()
    return decide(inventory, source, make_terms(request, inventory), progress=progress)


def decide(
    inventory: Inventory, source: Source, terms: Terms, *, progress: Progress = no_progress
) -> Plan:
    """The plan for *inventory* under *terms*; see `make_plan`."""
    progress("match", 0, len(inventory.entries))
    rules = terms.rules
    matches = compile_rules(rules, inventory, terms.keep, terms.drop).match(inventory)
    draft = _Draft(inventory, matches, terms)
    vetoes: Mapping[str, Veto] = {}
    taken: Mapping[str, str] = {}
    ran: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    guards_off = terms.guards_off
    if not source.readable:
        guards_off = frozenset({ALL_GUARDS})
        notes = ("no guard looked: guards read files, and a path list holds no contents",)
    elif ALL_GUARDS not in guards_off:
        from condaprune.guards import examine

        progress("guards", 0, len(draft.candidates))
        report = examine(
            inventory,
            source,
            draft.candidates,
            rules={rule.id: rule for rule in rules},
            following=draft.following,
            off=guards_off,
            progress=progress,
        )
        vetoes, taken, ran, notes = report.vetoes, report.taken, report.ran, report.notes
    inner = inner_environments(inventory.entries)
    if inner:
        notes += (_note_on_inner(inner),)
    decisions = draft.decide(vetoes, taken)
    removed = {path for path, decision in decisions.items() if decision.remove}
    edits: tuple[Edit, ...] = ()
    if source.readable:
        edits, more = make_edits(inventory, source, removed, terms, progress)
        notes += more
    return Plan(
        inventory=inventory,
        decisions=decisions,
        edits=edits,
        profile=terms.profile,
        rules=rules,
        guards=ran,
        guards_off=tuple(sorted(guards_off)),
        vetoes=vetoes,
        notes=notes + terms.notes,
    )


def _note_on_inner(inner: Sequence[str]) -> str:
    shown = ", ".join(map(printable, inner[:3]))
    if len(inner) == 1:
        return f"{shown} is an environment of its own: prune it by its own path too"
    more = f" and {len(inner) - 3} more" if len(inner) > 3 else ""
    return f"{shown}{more} are environments of their own: prune each by its own path too"


class _Draft:
    """The decisions as they stand before the guards have spoken."""

    def __init__(self, inventory: Inventory, matches: Mapping[str, Match], terms: Terms) -> None:
        traced, dropped = terms.traced, terms.dropped
        self._inventory = inventory
        self._matches = matches
        self._dropped = dropped
        entries = inventory.entries
        # The matcher shares its matches, so that there are few decisions to make.
        shared = {
            id(match): _decide(match, None, "")
            for match in {id(match): match for match in matches.values()}.values()
        }
        made = {path: shared[id(match)] for path, match in matches.items()}
        for path in (*dropped, *(traced.keys() & matches.keys())):
            match = matches.get(path, NOTHING)
            made[path] = _decide(match, traced.get(path), dropped.get(path, ""))
        for path, because in traced.items():
            if path in entries and path not in made:
                made[path] = Decision(False, "trace", "", because)
        # Few entries are folders: what is asked of folders alone is asked of these.
        self._homes = []
        for path, kind in [(p, e.kind) for p, e in entries.items() if e.kind not in _PLAIN]:
            if kind == "folder":
                self._homes.append(path)
            elif path in made and made[path].remove:
                del made[path]  # a mount, a socket: never touched
        self._decisions = made
        self._unsorted = bool(dropped or traced)
        self._going = {path: decision.name for path, decision in made.items() if decision.remove}
        self.candidates = dict(self._going)
        self._pinned = {"conda-meta"}  # it tells conda and libraries that this is an environment
        for path in self._homes:
            self.candidates.pop(path, None)
            if path in made and not made[path].remove:
                self._pinned.add(path)
        self._folders = self._emptied(self._going, self._pinned)
        self.candidates.update(self._folders)

    def following(self, path: str, removal: str) -> str:
        """The rule or option that removes an entry if a given one may not; empty for none."""
        match = self._matches.get(path, NOTHING)
        drop = f"--drop {match.drop}" if match.drop else ""
        queue = iter((drop, self._dropped.get(path, ""), match.rule, *match.others))
        return next(filter(None, queue), "") if removal in queue else ""

    def decide(self, vetoes: Mapping[str, Veto], taken: Mapping[str, str]) -> dict[str, Decision]:
        """The final decisions: those of the draft, the vetoes, then the emptied folders.

        *taken* has what goes by another rule than its first, with that rule.
        """
        entries = self._inventory.entries
        decisions = dict(self._decisions)
        for path, rule in taken.items():
            self._going[path] = rule
            decisions[path] = Decision(True, "drop" if rule.startswith("--") else "rule", rule)
        for path in self._homes:
            if path in self._going:
                del decisions[path]
        for path, veto in vetoes.items():
            wanted = self.candidates.get(path, "")
            decisions[path] = Decision(False, "guard", veto.guard, veto.because, wanted)
        folders = self._folders
        if vetoes:
            going = {path: rule for path, rule in self._going.items() if path not in vetoes}
            pinned = self._pinned | {p for p in vetoes if entries[p].kind == "folder"}
            folders = self._emptied(going, pinned)
        emptied: dict[str, Decision] = {}
        for path, rule in folders.items():
            own = self._decisions.get(path)
            if own is None or not own.remove:
                own = emptied.setdefault(rule, Decision(True, "emptied", rule))
            decisions[path] = own
        return decisions

    def _emptied(self, going: Mapping[str, str], pinned: AbstractSet[str]) -> dict[str, str]:
        """The folders that go, each with the rule of the last that went from it.

        A folder goes when all that was in it goes; an empty one only where a rule names it.
        """
        occupied = {  # something in it stays
            path.rpartition("/")[0]
            for path, entry in self._inventory.entries.items()
            if path not in going and entry.kind != "folder"
        }
        ordered = sorted(going) if self._unsorted else going
        # Folders -> the last entry that goes from them.
        last = dict(zip([path.rpartition("/")[0] for path in ordered], ordered, strict=True))
        found: dict[str, str] = {}
        for path in reversed(self._homes):
            above = parent(path)
            inner = last.get(path, "")
            rule = going.get(path) or found.get(inner) or going.get(inner)
            if path in occupied or path in pinned or not rule:
                occupied.add(above)
                continue
            found[path] = rule
            if path > last.get(above, ""):
                last[above] = path
        return found


def _decide(match: Match, traced: str | None, dropped: str) -> Decision:
    """One entry's decision by the order of decisions, guards left aside."""
    drop = f"--drop {match.drop}" if match.drop else dropped
    wanted = drop or match.rule
    if match.keep:
        return Decision(False, "keep", match.keep, "", wanted)
    if traced is not None:
        return Decision(False, "trace", "", traced, wanted)
    if match.rule_keep:
        return Decision(False, "rule-keep", match.rule_keep, "", wanted)
    if wanted:
        return Decision(True, "drop" if drop else "rule", wanted)
    return Decision(False, "default")
