"""What a Python file says about the candidates: facts, extracted while it is read.

A kept file is first asked for the words that any reference must hold (`Prefilter`), then for
statements that resolve to a candidate, and only where there is such a statement it is parsed.
Files that do not parse, and candidates (of interest once they are rescued), go by their statements
alone: that sees too much rather than too little.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from condaprune.evidence.datanames import DataNames
from condaprune.evidence.modules import Module, Modules
from condaprune.evidence.prefilter import Prefilter, Word, find_all
from condaprune.evidence.references import (
    Lines,
    Reference,
    TooOdd,
    import_calls,
    import_statements,
    line_of,
    parse,
    quoted_names,
    references,
    words_in,
)
from condaprune.paths import parent, to_bytes

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

_WORDS = (
    *(Word(word, word.encode()) for word in ("import_module", "__import__", "__all__")),
    *(Word("iter_modules", text) for text in (b"iter_modules", b"walk_packages")),
    Word("__getattr__", b"def __getattr__"),
    Word("attach", b"attach("),
)
"""Words of imports that are made by name at run time."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A line of a file, what it does, and the candidates it does it to.

    Where many lines may name as many candidates, `targets` is one tuple for all of them.
    """

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


class _Source(NamedTuple):
    """A file as it is read: `matched` are the words that it holds."""

    path: str
    data: bytes
    module: Module | None
    matched: frozenset[str]

    @property
    def dynamic(self) -> bool:
        """Whether it may import by names that it is given."""
        return not self.matched.isdisjoint(_DYNAMIC)


class PythonReader:
    """Extracts `PythonFacts`. *words* are those that guards ask for."""

    def __init__(
        self,
        modules: Modules,
        data: DataNames,
        words: Iterable[Word],
        candidates: Collection[str] = (),
    ) -> None:
        self.modules = modules
        self._candidates = candidates
        self._data = data
        names = sorted(modules.tokens) if len(modules.tokens) <= _MANY else []
        self._any = len(modules.tokens) > _MANY
        wanted = list(words)
        if modules.candidates or modules.loose:
            wanted += _WORDS
        wanted += data.words()
        wanted += (Word(_NAME + name, name.encode(), whole=True) for name in names)
        self._prefilter = Prefilter(wanted)
        self._also = {word.key: word.also for word in wanted if word.also is not None}

    def __bool__(self) -> bool:
        return bool(self._prefilter) or self._any

    def read(self, path: str, data: bytes) -> PythonFacts:
        """The facts of one file."""
        try:
            return self._read(path, data)
        except TooOdd:
            return self.anything("cannot be read and may need")

    @cached_property
    def everything(self) -> tuple[str, ...]:
        """All candidates."""
        return tuple(self._candidates)

    def anything(self, why: str) -> PythonFacts:
        """The facts of a file that is not read: all candidates, as it may need any of them."""
        return PythonFacts((Edge(0, f"{why} anything", self.everything),), parsed=False)

    def _read(self, path: str, data: bytes) -> PythonFacts:
        rough = path in self._candidates
        matched = self._prefilter.match(data)
        if not matched and not rough and not self._any:
            return NOTHING
        stub = path.endswith(".pyi")
        source = _Source(path, data, self.modules.locate(path[:-1] if stub else path), matched)
        imports, parsed = self._imports(source, rough or stub)
        if stub:  # it imports, and does nothing else
            return PythonFacts(imports, parsed=parsed) if imports else NOTHING
        computed, line = self._computed(source)
        named = tuple(
            Edge(line_of(data, at), f"names {literal!r}", targets)
            for at, literal, targets in self._data.evidence(path, data, matched)
        )
        words = frozenset(
            key
            for key in matched
            if ":" not in key and (key not in self._also or self._also[key](data))
        )
        if not (imports or named or words or computed):
            return NOTHING
        return PythonFacts(imports, named, words, computed, line, parsed)

    def read_bytecode(self, path: str, data: bytes) -> PythonFacts:
        """The facts of lone bytecode: the candidates that it names, in full or relative to its
        own package. Nothing is unmarshalled, since the format differs between versions of Python:
        a name counts where its bytes are found, so this sees too much rather than too little."""
        modules, module = self.modules, self.modules.locate(path)
        names = set(modules.index.find(data))
        home = module.home if module else ""
        while home:  # relative to a package that the module lies in, only the last word is there
            near = modules.children.get(home, ())
            names.update(name for name in near if name.rpartition(".")[2].encode() in data)
            home = home.rpartition(".")[0]
        edges = tuple(
            Edge(0, f"imports {name}", tuple(path for path, _ in modules.needed_for(name)))
            for name in sorted(names)
        )
        # Imports by computed names leave no trace: treated like an extension module.
        computed = (module.home,) if module and module.home in modules.children else ()
        return PythonFacts(edges, computed=computed) if edges or computed else NOTHING

    def _imports(self, source: _Source, rough: bool) -> tuple[tuple[Edge, ...], bool]:
        """The candidates that a file imports, and whether it was parsed where it had to be."""
        names = [key[len(_NAME) :] for key in source.matched if key.startswith(_NAME)]
        if not (self.modules.candidates or self.modules.loose) or not (names or rough or self._any):
            return (), True
        line = Lines(source.data).of
        if rough:
            return self._edges(source, _statements(source), line), True
        words = self.modules.tokens if self._any else frozenset(names)
        edges = self._edges(source, _statements(source, words), line)
        tree = parse(source.data) if edges else None
        if tree is None:
            return edges, not edges
        return self._edges(source, sorted(references(tree)), int), True

    def _edges(
        self, source: _Source, seen: Iterable[Reference], line: Callable[[int], int]
    ) -> tuple[Edge, ...]:
        """The references that lead to candidates, the first of each; *line* gives their lines."""
        edges: dict[tuple[str, str], Edge] = {}
        for reference in seen:
            key = (reference.name, reference.verb)
            if key not in edges and (targets := self._resolve(source, reference)):
                shown = _absolute(reference.name, source.module) or reference.name
                edges[key] = Edge(line(reference.at), f"{reference.verb} {shown}", targets)
        return tuple(edges.values())

    def _resolve(self, source: _Source, reference: Reference) -> tuple[str, ...]:
        """The candidates that a reference needs."""
        modules, name, path, module = self.modules, reference.name, source.path, source.module
        weak = reference.verb == "names"
        if weak and name.startswith(".") and not source.dynamic:
            return ()
        if module is None and modules.loose and not weak:
            beside = modules.needed_beside(parent(path), name)
            if targets := tuple(p for p, _ in beside if p != path):
                return targets
        whole = _absolute(name.removeprefix("six.moves."), module)
        if whole is None or path.startswith(modules.elsewhere):
            return ()
        if whole.endswith("."):
            return modules.needed_below(whole[:-1]) if source.dynamic else ()
        if weak and "." not in whole:
            if module is None or not module.package or source.matched.isdisjoint(_NAMING):
                return ()
            return tuple(modules.candidates.get(f"{module.name}.{whole}", ()))
        needed = modules.needed_for(whole)
        return tuple(p for p, owner in needed if p != path and not (weak and "." not in owner))

    def _computed(self, source: _Source) -> tuple[tuple[str, ...], int]:
        """The packages whose modules the file imports by computed names, and in which line."""
        path, data, module, matched = source
        if path.startswith(self.modules.elsewhere):
            return (), 0
        dynamic = sorted(matched & _DYNAMIC)
        calls = [call for word in dynamic for call in _at(_COMPUTED, data, word.encode())]
        first = min(calls, key=re.Match.start, default=None)
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


def _statements(source: _Source, words: frozenset[str] | None = None) -> list[Reference]:
    """Everything that looks like an import in a file; with *words* what holds one of them, and
    the quoted names that do."""
    data = source.data
    places = words_in(data, words) if words is not None else []
    seen = list(import_statements(data, None if words is None else [at for at, _ in places]))
    if source.dynamic:
        seen += import_calls(data)
    if words is not None:
        seen = [reference for reference in seen if not words.isdisjoint(reference.name.split("."))]
    return [*seen, *quoted_names(data, places)]


def _at(pattern: re.Pattern[bytes], data: bytes, word: bytes) -> Iterator[re.Match[bytes]]:
    """The matches of a pattern that start with a word; finding the word first is far cheaper."""
    yield from filter(None, (pattern.match(data, at) for at in find_all(data, word)))


def _absolute(name: str, module: Module | None) -> str | None:
    """A dotted name with its leading dots resolved; None where they lead nowhere."""
    if not name.startswith("."):
        return name
    if module is None:
        return None
    rest = name.lstrip(".")
    parts = module.home.split(".") if module.home else []
    left = len(parts) + 1 - (len(name) - len(rest))
    return ".".join([*parts[:left], *filter(None, [rest])]) or None if left >= 0 else None


def import_line(text: str) -> Iterator[str]:
    """The modules that one line of a ``.pth`` file imports. Errors: `TooOdd`."""
    data = to_bytes(text)
    yield from (found.name for found in (*import_statements(data), *import_calls(data)))
