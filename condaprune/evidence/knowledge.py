"""The tables that guards go by: data with a reason and a reference each, under ``rules/knowledge``.

They are compiled with the rules; a row becomes an object when a guard asks for its table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from condaprune.ruleset.builtin import load_tables


@dataclass(frozen=True, eq=False, repr=False)
class Row:
    """What all rows say; `place` is the file and the key of a row's table there."""

    place: ClassVar[tuple[str, str]]
    reason: str
    reference: str


@dataclass(frozen=True, eq=False, repr=False)
class Compiler(Row):
    """A package that compiles at run time, and what it takes for that.

    `folder` is a folder of site-packages that shows the package too; empty for one shown by its
    name alone. `own` adds all headers and sources of the package itself: of the top folder of
    `folder`, and of the one that showed it.
    """

    place = ("compilers", "compiler")
    package: str
    needs: Sequence[str]
    folder: str = ""
    own: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class PlacedData(Row):
    """Data that is needed where something is kept: patterns of whole paths.

    Data without a `user` is needed always. Where the patterns have a group `at`, only a user at the
    same place counts: a vendored copy of a package has its own data.
    """

    place = ("data", "data")
    data: str
    user: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Opened(Row):
    """Libraries that those named `host...` open: their kin, or all in `folder` (a pattern)."""

    place = ("libraries", "opened")
    host: str
    folder: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class IgnoredImport(Row):
    """A file (the end of its path; with a slash at the end, a folder of files) and the module that
    it may import: that, or one below it."""

    place = ("imports", "ignored")
    importer: str
    module: str

    def covers(self, importer: str, name: str) -> bool:
        """Whether it is about this import. The module ``*`` covers all."""
        below = self.module in ("*", name) or name.startswith(self.module + ".")
        if self.importer.endswith("/"):
            return below and self.importer in importer
        return below and importer.endswith(self.importer)


@dataclass(frozen=True, eq=False, repr=False)
class Landmark(Row):
    """Files that are looked for by their place in the prefix."""

    place = ("landmarks", "landmark")
    paths: Sequence[str]


@dataclass(frozen=True, eq=False, repr=False)
class UnpackFile(Landmark):
    """Files that a packed environment needs in its folder of programs."""

    place = ("landmarks", "unpack")


@dataclass(frozen=True, eq=False, repr=False)
class ImportedFromC(Row):
    """Modules of the standard library, as words, that its C code or every start of it imports."""

    place = ("landmarks", "from-c")
    modules: str


_T = TypeVar("_T", bound=Row)


def table(kind: type[_T]) -> tuple[_T, ...]:
    """All rows of a table."""
    name, key = kind.place
    return tuple(kind(**row) for row in load_tables(name)[key])
