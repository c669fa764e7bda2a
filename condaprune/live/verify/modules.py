"""Which modules an environment offers, by its files: nothing is imported to find out."""

from __future__ import annotations

from collections import Counter
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
        """Whether it looks like a test: tests run last, since they change their process."""
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
    best: dict[str, tuple[tuple[int, int], str]] = {}
    first: dict[str, int] = {}  # the folder of each top-level name, by its place in the order
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
        if not all(part.isidentifier() and part != "__pycache__" for part in parts):
            continue
        name = ".".join(parts)
        key = (order[folder], rank)
        if name not in best or key < best[name][0]:
            best[name] = (key, path)
        if len(parts) == 1:
            first[name] = min(order[folder], first.get(name, order[folder]))
    # `import a.b` looks in the first `a` only; a package there hides later folders.
    return {
        name: Module(name, path)
        for name, ((number, _), path) in sorted(best.items())
        if first.get(name.partition(".")[0], number) >= number
    }


def _search_folder(path: str, order: Mapping[str, int]) -> str | None:
    folder = parent(path)
    while folder:
        if folder in order:
            return folder
        folder = parent(folder)
    return None


def in_batches(modules: Mapping[str, Module], stdlib: str) -> dict[str, tuple[Module, ...]]:
    """The modules by the process they are imported in, largest first.

    One batch for each top-level name of site-packages and each large package of the standard
    library, one for the rest of the standard library. Within a batch, packages precede their
    modules, and tests come last.
    """
    sizes = Counter(name.partition(".")[0] for name in modules)
    batches: dict[str, list[Module]] = {}
    for module in modules.values():
        top = module.name.partition(".")[0]
        in_stdlib = bool(stdlib) and module.path.startswith(stdlib + "/")
        if in_stdlib and "/site-packages/" not in module.path and sizes[top] < _OWN_BATCH_FROM:
            top = STDLIB
        batches.setdefault(top, []).append(module)
    return {
        top: tuple(sorted(batch, key=lambda m: (m.is_test, to_bytes(m.name))))
        for top, batch in sorted(batches.items(), key=lambda item: (-len(item[1]), item[0]))
    }
