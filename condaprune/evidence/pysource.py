"""What the source of a Python file says about doomed files: facts, extracted while it is read.

A kept file is first asked for the words that any reference must hold (`Prefilter`), then for
statements that resolve to something doomed (`statements`), and only where there is such a
statement it is parsed (`syntax`). Files that do not parse, and doomed files (of interest once
they are rescued), go by their statements alone: that sees too much rather than too little.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from condaprune.evidence.datanames import DataNames
from condaprune.evidence.modules import Module, Modules
from condaprune.evidence.prefilter import Prefilter, Word
from condaprune.evidence.statements import (
    Reference,
    import_calls,
    import_statements,
    line_of,
    quoted_names,
    words_in,
)
from condaprune.evidence.syntax import parse, references
from condaprune.paths import parent

_NAME = "name:"
_REACH = 200  # how far from a call the literal start of its argument may be
_MANY = 4000  # more names than this: every file may hold one
_NAMING = frozenset({"import_module", "__import__", "__getattr__", "attach", "__all__"})
_DYNAMIC = frozenset({"import_module", "__import__"})
_COMPUTED = re.compile(
    rb"""(?<!def )\b(?:import_module|__import__)\s*\(\s*(?!["'][\w.]+["']\s*[,)])[^\s)]"""
)
_LISTED = re.compile(rb"""\b(?:iter_modules|walk_packages)\s*\(""")
_GETATTR = re.compile(rb"""^def __getattr__\b""", re.MULTILINE)
_ATTACH = re.compile(rb"""\battach\(\s*__name__""")
_PREFIX = re.compile(rb"""f?["']([^\W\d]\w*(?:\.\w+)*)\.(?:\{|["']\s*[+%]|%s)""")

WORDS = (
    Word("import_module", b"import_module"),
    Word("__import__", b"__import__"),
    Word("__getattr__", b"def __getattr__"),
    Word("attach", b"attach("),
    Word("__all__", b"__all__"),
    Word("iter_modules", b"iter_modules"),
    Word("iter_modules", b"walk_packages"),
)
"""Words of imports that are made by name at run time."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A line of a file, what it does, and the doomed files it does it to."""

    line: int
    text: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PythonFacts:
    """What one Python file says.

    `computed` names the packages whose modules the file imports by names it computes, with the
    line of the first such import; `words` are the words of interest that it holds.
    """

    imports: tuple[Edge, ...] = ()
    data: tuple[Edge, ...] = ()
    words: frozenset[str] = frozenset()
    computed: tuple[str, ...] = ()
    computed_line: int = 0
    parsed: bool = True


NOTHING = PythonFacts()


class PythonReader:
    """Extracts `PythonFacts`. *words* are those that other guards ask for."""

    def __init__(self, modules: Modules, data: DataNames, words: Sequence[Word]) -> None:
        self.modules = modules
        self._data = data
        names = sorted(modules.tokens) if len(modules.tokens) <= _MANY else []
        self._any = len(modules.tokens) > _MANY
        wanted = list(words)
        if modules.doomed or modules.loose:
            wanted += WORDS
        wanted += data.words()
        wanted += (Word(_NAME + name, name.encode(), whole=True) for name in names)
        self._prefilter = Prefilter(wanted)
        self._lines = {word.key: word.line for word in wanted if word.line is not None}

    def __bool__(self) -> bool:
        return bool(self._prefilter) or self._any

    def read(self, path: str, data: bytes, *, doomed: bool) -> PythonFacts:
        """The facts of one file. *doomed* is true for a candidate."""
        matched = self._prefilter.match(data)
        if not matched and not doomed and not self._any:
            return NOTHING
        stub = path.endswith(".pyi")
        module = self.modules.locate(path[:-1] if stub else path)
        imports, parsed = self._imports(path, data, module, matched, doomed or stub)
        computed, line = self._computed(path, data, module, matched)
        found = [
            Edge(line_of(data, at), f"names {literal!r}", targets)
            for at, literal, targets in self._data.evidence(path, data, matched)
        ]
        words = frozenset([key for key in matched if ":" not in key])
        for key in words & self._lines.keys():
            if not self._lines[key].search(data):
                words -= {key}
        if not (imports or found or words or computed):
            return NOTHING
        return PythonFacts(imports, tuple(found), words, computed, line, parsed)

    def _imports(
        self,
        path: str,
        data: bytes,
        module: Module | None,
        matched: frozenset[str],
        rough: bool,
    ) -> tuple[tuple[Edge, ...], bool]:
        if not (self.modules.doomed or self.modules.loose):
            return (), True
        names = [key[len(_NAME) :] for key in matched if key.startswith(_NAME)]
        if not names and not rough and not self._any:
            return (), True
        words = self.modules.tokens if self._any else frozenset(names)
        held = [] if rough else words_in(data, words)
        places = None if rough else [start for start, _ in held]
        seen = [(at, Reference(0, name)) for at, name in import_statements(data, places)]
        if matched & _DYNAMIC:
            seen += [(at, Reference(0, name)) for at, name in import_calls(data)]
        if not rough:
            seen = [pair for pair in seen if not words.isdisjoint(pair[1].name.split("."))]
            for at, name in quoted_names(data, held):
                seen.append((at, Reference(0, name.partition(":")[0], "names")))
        edges: dict[str, Edge] = {}
        for at, reference in seen:
            targets = self._resolve(path, module, reference, matched)
            if targets and reference.name not in edges:
                shown = _absolute(reference.name, module) or reference.name
                text = f"{reference.verb} {shown}"
                edges[reference.name] = Edge(line_of(data, at), text, targets)
        if not edges or rough:
            return tuple(edges.values()), True
        tree = parse(data)
        if tree is None:
            return tuple(edges.values()), False
        exact: dict[tuple[str, ...], Edge] = {}
        for reference in sorted(references(tree)):
            targets = self._resolve(path, module, reference, matched)
            if targets:
                text = f"{reference.verb} {_absolute(reference.name, module) or reference.name}"
                exact.setdefault(targets, Edge(reference.line, text, targets))
        return tuple(exact.values()), True

    def _resolve(
        self, path: str, module: Module | None, reference: Reference, matched: frozenset[str]
    ) -> tuple[str, ...]:
        """The doomed files that a reference needs."""
        modules = self.modules
        name = reference.name
        weak = reference.verb == "names"
        if weak and name.startswith(".") and not matched & _DYNAMIC:
            return ()
        if module is None and modules.loose and not weak:
            beside = tuple(p for p, _ in modules.needed_beside(parent(path), name) if p != path)
            if beside:
                return beside
        whole = _absolute(name, module)
        if whole is None or path.startswith(modules.elsewhere):
            return ()
        if whole.endswith("."):
            package = whole[:-1]
            if package not in modules.doomed or not matched & _DYNAMIC:
                return ()
            listed = [
                p for child in modules.children.get(package, ()) for p in modules.doomed[child]
            ]
            return (*(p for p, _ in modules.needed_for(package)), *listed)
        if weak and "." not in whole:
            if module is None or not module.package or not matched & _NAMING:
                return ()
            return tuple(modules.doomed.get(f"{module.name}.{whole}", ()))
        found = modules.needed_for(whole)
        return tuple(p for p, owner in found if p != path and not (weak and "." not in owner))

    def _computed(
        self, path: str, data: bytes, module: Module | None, matched: frozenset[str]
    ) -> tuple[tuple[str, ...], int]:
        """The packages whose modules the file imports by computed names."""
        if path.startswith(self.modules.elsewhere):
            return (), 0
        first = None
        dynamic = sorted(matched & _DYNAMIC)
        calls = [call for word in dynamic for call in _at(_COMPUTED, data, word.encode())]
        if calls:
            first = min(calls, key=re.Match.start)
        if first is None and "iter_modules" in matched:
            first = _LISTED.search(data)
        if first is None and module and module.package:
            if "__getattr__" in matched:
                first = next(_at(_GETATTR, data, b"def __getattr__"), None)
            if first is None and "attach" in matched:
                first = next(_at(_ATTACH, data, b"attach("), None)
        if first is None:
            return (), 0
        packages = {module.home} if module and module.home else set()
        for call in calls:
            named = _PREFIX.search(data, call.start(), call.end() + _REACH)
            if named:
                packages.add(named[1].decode("ascii", "replace"))
        return tuple(sorted(packages & self.modules.children.keys())), line_of(data, first.start())


def _at(pattern: re.Pattern[bytes], data: bytes, word: bytes) -> Iterator[re.Match[bytes]]:
    """The matches of a pattern that start with a word; finding the word first is far cheaper."""
    at = data.find(word)
    while at >= 0:
        match = pattern.match(data, at)
        if match:
            yield match
        at = data.find(word, at + 1)


def _absolute(name: str, module: Module | None) -> str | None:
    """A dotted name with its leading dots resolved; None where they lead nowhere."""
    if not name.startswith("."):
        return name
    if module is None:
        return None
    dots = len(name) - len(name.lstrip("."))
    home = module.home
    for _ in range(dots - 1):
        if not home:
            return None
        home = home.rpartition(".")[0]
    rest = name[dots:]
    if not rest:
        return home or None
    return f"{home}.{rest}" if home else rest


def import_line(text: str) -> Iterator[str]:
    """The modules that one line of a ``.pth`` file imports."""
    data = text.encode("utf-8", "surrogateescape")
    for source in (import_statements(data), import_calls(data)):
        for _, name in source:
            yield name
