"""Reads the imports of a Python file off its syntax tree: exact, but a hundred times slower.

Used only for files in which `statements` saw something, to distinguish code from docstrings.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator

from condaprune.evidence.statements import Reference

_COMPARING = frozenset({"startswith", "endswith", "removeprefix", "removesuffix"})
_DOTTED = re.compile(r"\.*[^\W\d]\w*(?:\.\w+)*\.?(?::[\w.]+)?")


def parse(data: bytes) -> ast.Module | None:
    """The syntax tree; None for what this Python does not take for Python."""
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
            if text is not None and _DOTTED.fullmatch(text):
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
    if isinstance(node, ast.If) and _type_checking(node.test):
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


def _type_checking(test: ast.expr) -> bool:
    return getattr(test, "id", getattr(test, "attr", "")) == "TYPE_CHECKING"
