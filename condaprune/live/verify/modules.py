"""Which modules an environment offers, read off its files: nothing is imported to find out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from condaprune.live.verify.listing import Listing
from condaprune.paths import parent, to_bytes

STDLIB = "the standard library"
_OWN_BATCH_FROM = 25


@dataclass(frozen=True, slots=True)
class Module:
    """A module that an import statement can name: its dotted name and its file."""

    name: str
    path: str

    @property
    def is_test(self) -> bool:
        """Whether it looks like a test: those run last, since they change their process."""
        parts = self.name.split(".")
        return any(p in ("tests", "test", "testing", "conftest") for p in parts) or (
            parts[-1].startswith("test_") or parts[-1].endswith("_test")
        )


def find_modules(
    listing: Listing, search: tuple[str, ...], suffixes: tuple[str, ...]
) -> dict[str, Module]:
    """All modules below the folders *search*, by dotted name, as the interpreter would find them.

    *suffixes* are those of extension modules. A folder without ``__init__`` counts as a namespace
    package; names that no import statement can spell are left out, and so are modules whose name
    is taken by a folder earlier on the search path.
    """
    order = {folder: number for number, folder in enumerate(search)}
    kinds = (*suffixes, ".py", ".pyc")
    found: dict[str, tuple[tuple[int, int], str]] = {}
    owners: dict[str, int] = {}
    for path, entry in listing.entries.items():
        if entry.kind == "folder" or not path.endswith(kinds):
            continue
        folder = _search_folder(path, order)
        if folder is None:
            continue
        rank = next(i for i, suffix in enumerate(kinds) if path.endswith(suffix))
        inner = path[len(folder) + 1 : -len(kinds[rank])]
        parts = inner.split("/")
        if parts[-1] == "__init__" and len(parts) > 1:
            parts.pop()
        if not all(_importable(part) for part in parts):
            continue
        name = ".".join(parts)
        key = (order[folder], rank)
        if name not in found or key < found[name][0]:
            found[name] = (key, path)
        if len(parts) == 1 and (parts[0] not in owners or order[folder] < owners[parts[0]]):
            owners[parts[0]] = order[folder]
    modules = {}
    for name in sorted(found):
        (number, _), path = found[name]
        # `import a.b` looks in the first `a` only; a package there hides later folders.
        if owners.get(name.partition(".")[0], number) >= number:
            modules[name] = Module(name, path)
    return modules


def _search_folder(path: str, order: Mapping[str, int]) -> str | None:
    folder = parent(path)
    while folder:
        if folder in order:
            return folder
        folder = parent(folder)
    return None


def _importable(part: str) -> bool:
    return part.isidentifier() and part != "__pycache__"


def in_batches(modules: Mapping[str, Module], stdlib: str) -> dict[str, tuple[Module, ...]]:
    """The modules by the process they are imported in, largest first.

    One batch for each top-level name of site-packages and each large package of the standard
    library, one for the rest of the standard library. Within a batch packages precede what lies
    in them, and tests come last.
    """
    sizes: dict[str, int] = {}
    for name in modules:
        top = name.partition(".")[0]
        sizes[top] = sizes.get(top, 0) + 1
    batches: dict[str, list[Module]] = {}
    for module in modules.values():
        top = module.name.partition(".")[0]
        if _is_stdlib(module.path, stdlib) and sizes[top] < _OWN_BATCH_FROM:
            top = STDLIB
        batches.setdefault(top, []).append(module)
    return {
        top: tuple(sorted(batch, key=lambda m: (m.is_test, to_bytes(m.name))))
        for top, batch in sorted(batches.items(), key=lambda item: (-len(item[1]), item[0]))
    }


def _is_stdlib(path: str, stdlib: str) -> bool:
    return bool(stdlib) and path.startswith(stdlib + "/") and "/site-packages/" not in path
