"""A made-up plan with a row of every kind, for tests of what is said about it."""

from __future__ import annotations

from condaprune.edit import Edit
from condaprune.model import Decision, Entry, Inventory, Layout, Plan, Record, Veto
from condaprune.rule import Rule, When

RULE = Rule(
    id="c-headers",
    why="Headers serve compilers.",
    breaks=("building against them",),
    risk="low",
    category="native",
    references=("https://example.org/headers",),
    remove=("/include/",),
    keep=("/include/keep.h",),
    removed_examples=("include/a.h",),
    kept_examples=("lib/a.so",),
    package=("zlib",),
    owned=True,
    when=When(version=">=1", python=">=3.9", platform=("linux",)),
    origin="rules/native.toml",
    line=7,
)
DECISIONS = {
    "include/a.h": Decision(True, "rule", "c-headers"),
    "include/b.h": Decision(True, "drop", "--drop /include/b.h"),
    "include/empty": Decision(True, "emptied", "c-headers"),
    "include/kept.h": Decision(False, "keep", "/include/kept.h", "", "c-headers"),
    "include/traced.h": Decision(False, "trace", "", "app.trace: opened by app", "c-headers"),
    "include/vetoed.h": Decision(
        False, "guard", "toolchain", "lib/jit.py:3 compiles with it", "c-headers"
    ),
    "include/held.h": Decision(False, "rule-keep", "compilers", "", "c-headers"),
}


def entry(path: str, size: int) -> Entry:
    """A file of that size, or with a size of -1 a folder."""
    kind = "folder" if size < 0 else "file"
    return Entry(path, kind, max(size, 0), 0o644, 0, 1, hash(path), 1)


def made_up_plan() -> Plan:
    """One entry for each basis of a decision, an edit, a note and a guard that is off."""
    sizes = {
        "include": -1,
        "include/a.h": 40_000,
        "include/b.h": 2_000,
        "include/empty": -1,
        "include/held.h": 10,
        "include/kept.h": 100,
        "include/traced.h": 3_000,
        "include/vetoed.h": 5_000,
        "lib": -1,
        "lib/jit.py": 1_000,
    }
    record = Record("zlib", "1.3", "0", "conda-meta/zlib-1.3-0.json")
    inventory = Inventory(
        label="env",
        prefix="/env",
        entries={path: entry(path, size) for path, size in sizes.items()},
        owners={path: (record,) for path in sizes if path.endswith(".h")},
        records=(record,),
        distributions=(),
        layout=Layout("linux", "3.11.7", {}),
    )
    veto = Veto("include/vetoed.h", "lib/jit.py:3 compiles with it", "lib/jit.py", "toolchain")
    return Plan(
        inventory=inventory,
        decisions=DECISIONS,
        edits=(Edit("lib/jit.py", b"x" * 400, 0o644, "a list of files", True),),
        profile="runtime",
        rules=(RULE,),
        guards=("toolchain",),
        guards_off=("elf",),
        vetoes={veto.path: veto},
        notes=("something to see",),
    )
