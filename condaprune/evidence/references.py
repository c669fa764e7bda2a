"""Finds imports in Python files: in their bytes, or on their syntax tree.

The bytes can be searched for every version of the language, and in files that do not parse, but
lines of docstrings are taken for imports: the filter before the parser, and in its place where
there is no parse. The syntax tree is exact, and a hundred times slower. Blocks under
``if TYPE_CHECKING:`` are left out.
"""

from __future__ import annotations

import ast
import re
import warnings
from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from condaprune.evidence.prefilter import find_all, occurrences

_KEYWORD = b"import"
_MANY = 100  # for more words than this one pass over the text is cheaper than a search a word
_WORD = re.compile(rb"[\w\x80-\xff]+")
_NESTED = 6  # parentheses that comments may open within an import's own
_LONGEST_HEAD = 400
_HEAD = re.compile(rb"[ \t]*(?:[^\n#]*[:;][ \t]*)?(?:lazy[ \t]+)?(?:from[ \t]*([.\w][.\w \t]*))?")
_ALIAS = re.compile(rb"\bas\s+\w+")
_COMMENT = re.compile(rb"#[^\n]*")
_CALLS = (b"import_module", b"__import__", b"find_spec", b"run_module", b"importorskip")
_CALL = re.compile(rb"""(?:""" + b"|".join(_CALLS) + rb""")\s*\(\s*["']([\w.]+)["']""")
_GUARDED = re.compile(rb"([ \t]*)if[ \t]+(?:[\w.]+\.)?TYPE_CHECKING[ \t]*:")
_GUARD = b"TYPE_CHECKING"
_INDENT = re.compile(rb"^([ \t]*)[^\s#]", re.MULTILINE)
_QUOTES = b"\"'"
_DOTTED = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:")
_COMPARING = frozenset({"startswith", "endswith", "removeprefix", "removesuffix"})
_LARGEST_TREE = 2 << 20
"""The largest source that is parsed (bytes): its tree takes up to 500 times its size."""
_LISTED = 1 << 16
"""How much more than the file the lists of its imports may have in all (bytes)."""
_NAME_TEXT = re.compile(r"\.*[^\W\d]\w*(?:\.\w+)*\.?(?::[\w.]+)?")


class TooOdd(Exception):
    """A file is no Python and made so that reading it takes for ever: lists that never end."""


class Reference(NamedTuple):
    """A place that may import a module: `name` with leading dots is relative.

    `at` is the offset of one that was found in bytes, the line of one in a syntax tree.
    """

    at: int
    name: str
    verb: str = "imports"


def line_of(data: bytes, at: int) -> int:
    """The number of the line that an offset lies in."""
    return data.count(b"\n", 0, at) + 1


class Lines:
    """The numbers of lines in a file; offsets that ascend cost one pass over it in all."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at, self._line = 0, 1

    def of(self, at: int) -> int:
        """The number of the line that an offset lies in."""
        if at < self._at:
            self._at, self._line = 0, 1
        self._line += self._data.count(b"\n", self._at, at)
        self._at = at
        return self._line


def import_statements(data: bytes, places: Sequence[int] | None = None) -> Iterator[Reference]:
    """Everything imported by statement: modules, and names from modules.

    With *places*, only statements that may hold one of these offsets are looked at. Errors:
    `TooOdd`.
    """
    hidden = _type_checking(data)
    starts = [first for first, _ in hidden]
    left = len(data) + _LISTED
    for at in find_all(data, _KEYWORD) if places is None else _keywords_near(data, sorted(places)):
        end = at + 6
        if data[end : end + 1].isalnum() or data[end : end + 1] == b"_":
            continue
        start = _start_of_line(data, at, at - _LONGEST_HEAD)
        head = data[start:at].replace(b"\\", b" ").replace(b"\r", b" ").replace(b"\n", b" ")
        match = _HEAD.fullmatch(head) if len(head) < _LONGEST_HEAD else None
        inside = bisect_right(starts, at) - 1
        if match and not (inside >= 0 and at < hidden[inside][1]):
            listed, enclosed = _listed(data, end, match[1])
            left -= len(listed)
            if left < 0:
                raise TooOdd
            yield from _names(listed, at, match[1], enclosed)


def _keywords_near(data: bytes, places: Sequence[int]) -> list[int]:
    """Where ``import`` stands in the statements that hold *places*, which are sorted: cheaper than
    to take all."""
    found: set[int] = set()
    line_end = before = 0
    opened: deque[int] = deque(maxlen=_NESTED)  # parentheses that are open at a place
    for place in places:
        if place >= line_end:
            start = _start_of_line(data, place, line_end)
            line_end = _end_of_line(data, place)
            found.update(start + at for at in find_all(data[start:line_end], _KEYWORD))
        closed = data.rfind(b")", before, place)
        if closed >= 0:
            opened.clear()
            before = closed
        opened.extend(_last(data, b"(", before, place))
        before = place
        for at in reversed(opened):
            head = data[max(0, at - 80) : at].rstrip(b" \t\r\n\\")
            if head.endswith(_KEYWORD):
                found.add(data.rfind(_KEYWORD, 0, at))
                break
    return sorted(found)


def _last(data: bytes, text: bytes, start: int, end: int) -> list[int]:
    """Where *text* occurs last between two offsets, a few times, in order."""
    found: list[int] = []
    while len(found) < _NESTED and (at := data.rfind(text, start, end)) >= 0:
        found.insert(0, at)
        end = at
    return found


def _start_of_line(data: bytes, at: int, floor: int = 0) -> int:
    """Where the line of an offset starts, lines joined by backslashes taken as one; *floor* is how
    far back matters."""
    floor = max(0, floor)
    start = data.rfind(b"\n", floor, at) + 1 or floor
    while start > max(1, floor) and data[start - 3 : start - 1].rstrip(b"\r").endswith(b"\\"):
        start = data.rfind(b"\n", floor, start - 1) + 1 or floor
    return start


def _end_of_line(data: bytes, at: int) -> int:
    """Where that line ends."""
    stop = data.find(b"\n", at)
    while stop > 0 and data[stop - 2 : stop].rstrip(b"\r").endswith(b"\\"):
        stop = data.find(b"\n", stop + 1)
    return stop if stop >= 0 else len(data)


def import_calls(data: bytes) -> Iterator[Reference]:
    """The modules imported by a call with a literal name."""
    calls = (_CALL.match(data, at) for word in _CALLS for at in find_all(data, word))
    yield from sorted(Reference(m.start(), m[1].decode("ascii", "replace")) for m in calls if m)


def words_in(data: bytes, words: Collection[str]) -> list[tuple[int, int]]:
    """Start and end of every place where one of *words* stands as a whole word."""
    if len(words) > _MANY:
        wanted = {word.encode() for word in words}
        return [found.span() for found in _WORD.finditer(data) if found[0] in wanted]
    return [(at, at + len(word)) for word in words for at in occurrences(data, word.encode())]


def quoted_names(data: bytes, places: Iterable[tuple[int, int]]) -> Iterator[Reference]:
    """The quoted dotted names that the words at *places* are part of.

    In ``f"a.b.{name}"`` that is ``a.b.``, in ``"a.b:name"`` it is ``a.b``.
    """
    last = (0, 0)  # all words of one long text are part of the same name
    for start, end in places:
        if last[0] <= start < last[1]:
            continue
        while start and data[start - 1] in _DOTTED:
            start -= 1
        while end < len(data) and data[end] in _DOTTED:
            end += 1
        last = start, end
        if start and data[start - 1] in _QUOTES:
            yield Reference(start, data[start:end].decode("ascii").partition(":")[0], "names")


def _listed(data: bytes, end: int, base: bytes | None) -> tuple[bytes, bool]:
    """What follows ``import``: as it stands, and whether it is in parentheses."""
    rest = data[end : end + 200].lstrip(b" \t")
    if base is not None and rest[:1] == b"(":
        opened = data.find(b"(", end)
        closed = data.find(b")", opened)
        return data[opened + 1 : closed if closed >= 0 else len(data)], True
    return data[end : _end_of_line(data, end)], False


def _names(listed: bytes, at: int, base: bytes | None, enclosed: bool) -> Iterator[Reference]:
    if enclosed:
        listed = _COMMENT.sub(b"", listed).replace(b"\n", b" ").replace(b"\r", b" ")
    else:
        listed = listed.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")
        listed = listed.partition(b"#")[0].partition(b";")[0]
    prefix = ""
    if base is not None:
        prefix = re.sub(rb"\s+", b"", base).decode("ascii", "replace")
        if not prefix:
            return
        yield Reference(at, prefix)
    for part in _ALIAS.sub(b"", listed).split(b","):
        name = part.strip().decode("ascii", "replace")
        if name.replace(".", "").isidentifier():
            glue = "." if prefix and not prefix.endswith(".") else ""
            yield Reference(at, f"{prefix}{glue}{name}")


def _type_checking(data: bytes) -> list[tuple[int, int]]:
    """The ranges of the blocks that only type checkers run, in order, none inside another."""
    found: list[tuple[int, int]] = []
    for at in find_all(data, _GUARD):
        start = data.rfind(b"\n", max(0, at - _LONGEST_HEAD), at) + 1
        match = _GUARDED.match(data, start) if start or at < _LONGEST_HEAD else None
        if match and not (found and start < found[-1][1]):
            depth = len(match[1].expandtabs())
            below = data.find(b"\n", match.end()) + 1 or len(data)
            lines = _INDENT.finditer(data, below)
            ends = (line.start() for line in lines if len(line[1].expandtabs()) <= depth)
            found.append((start, next(ends, len(data))))
    return found


def parse(data: bytes) -> ast.Module | None:
    """The syntax tree; None for what this Python does not take for Python, or is too large."""
    if len(data) > _LARGEST_TREE:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(data)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        except SystemError:
            # "AST constructor recursion depth mismatch": CPython 3.11, where threads parse at once.
            return None


def references(tree: ast.Module) -> Iterator[Reference]:
    """Everything that may import a module, ``if TYPE_CHECKING:`` and docstrings left out.

    Strings that look like dotted names are among them; a name without a dot counts where it is
    the first argument of a call with ``import`` in its name, or (as ``verb`` "names") anywhere,
    for the caller to judge.
    """
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (Reference(node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from _imported_from(node)
        elif not _imports_nothing(node):
            if isinstance(node, ast.Call):
                yield from _call(node)
            text = _text(node)
            if text is not None and _NAME_TEXT.fullmatch(text):
                yield Reference(getattr(node, "lineno", 1), text.partition(":")[0], "names")
            pending.extend(_parts(node))


def _imported_from(node: ast.ImportFrom) -> Iterator[Reference]:
    base = "." * node.level + (node.module or "")
    yield Reference(node.lineno, base)
    glue = "" if base.endswith(".") else "."
    for alias in node.names:
        if alias.name != "*":
            yield Reference(node.lineno, f"{base}{glue}{alias.name}")


def _imports_nothing(node: ast.AST) -> bool:
    """Whether nothing in a node is an import, whatever names it holds."""
    if isinstance(node, ast.Expr):
        return _text(node.value) is not None  # a docstring, or a string used as a comment
    if isinstance(node, ast.FunctionDef):
        return node.name == "__dir__"  # names for people to read
    if isinstance(node, ast.Subscript):
        return _loaded(node.value) and bool(_text(node.slice))
    if isinstance(node, ast.Call):
        called = getattr(node.func, "attr", "")
        looks_up = called == "get" and _loaded(getattr(node.func, "value", node))
        return looks_up or called in _COMPARING
    return False


def _parts(node: ast.AST) -> Iterable[ast.AST]:
    """The nodes in a node that may import."""
    if isinstance(node, ast.If) and _only_for_types(node.test):
        return node.orelse
    if isinstance(node, ast.Compare) and _loaded(node.comparators[-1]):
        # Whether somebody else has imported it.
        return [child for child in (node.left, *node.comparators) if not _text(child)]
    return ast.iter_child_nodes(node)


def _call(node: ast.Call) -> Iterator[Reference]:
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    first = _text(node.args[0]) if node.args else None
    if not first or not ("import" in name or name in ("find_spec", "run_module")):
        return
    if first.startswith(".") and len(node.args) > 1:
        anchor = _text(node.args[1])
        if anchor:
            dots = len(first) - len(first.lstrip("."))
            base = anchor.rsplit(".", dots - 1)[0] if dots > 1 else anchor
            first = f"{base}.{first[dots:]}"
    yield Reference(node.lineno, first)
    for listed in (*node.args[1:], *(keyword.value for keyword in node.keywords)):
        if isinstance(listed, (ast.List, ast.Tuple)):  # __import__("a", ..., fromlist=["b"])
            for item in listed.elts:
                text = _text(item)
                if text and text.isidentifier():
                    yield Reference(node.lineno, f"{first}.{text}")


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def _loaded(node: ast.AST) -> bool:
    """Whether this is ``sys.modules``: to look something up there imports nothing."""
    return isinstance(node, ast.Attribute) and node.attr == "modules"


def _only_for_types(test: ast.expr) -> bool:
    return getattr(test, "id", getattr(test, "attr", "")) == "TYPE_CHECKING"
