"""The engine: names, fixpoint, order, reads."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import condaprune.guards as guards
from condaprune.errors import UsageProblem
from condaprune.evidence.prefilter import Word
from condaprune.evidence.scene import Guard
from condaprune.guards import GUARDS, examine
from condaprune.model import Entry, Inventory, Layout, Veto
from condaprune.paths import parent
from condaprune.sources.archive import ArchiveSource
from condaprune.sources.kinds import FileKind
from condaprune.sources.prefix import PrefixSource
from tests.guards.helpers import Counted, guarded, matching, rescued
from tests.sinks.outputs.helpers import pack
from tests.trees import Content, make_prefix

SITE = "lib/python3.11/site-packages"


def test_an_unknown_guard_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="Did you mean 'imports'"):
        guarded(tmp_path, {}, [], off=frozenset({"import"}))


def test_a_guard_that_is_off_does_not_run(tmp_path: Path) -> None:
    files = {"{site}/a.py": b"import b\n", "{site}/b.py": b""}
    report = guarded(tmp_path, files, ["*/b.py"], off=frozenset({"imports"}))
    assert rescued(report) == {}
    assert "imports" not in report.ran
    assert set(report.ran) == GUARDS.keys() - {"imports"}


def test_every_guard_is_named_as_its_file_is() -> None:
    for name, guard in GUARDS.items():
        assert guard.name == name
        assert guard.__module__ == f"condaprune.guards.{name}"
        assert guard.__doc__


def test_no_file_is_read_twice_and_doomed_ones_only_when_rescued(tmp_path: Path) -> None:
    root = make_prefix(
        tmp_path / "env",
        {
            f"{SITE}/a.py": b"import t.one\n",
            f"{SITE}/t/__init__.py": b"",
            f"{SITE}/t/one.py": b"from t import two\n",
            f"{SITE}/t/two.py": b"\n",
            f"{SITE}/t/three.py": b"import t.two\n",
        },
    )
    source = PrefixSource(str(root))
    inventory = source.inventory()
    contents = Counted(source, [])
    report = examine(inventory, contents, matching(inventory, ["*/t/*"]))
    assert set(rescued(report)) == {"t/__init__.py", "t/one.py", "t/two.py"}
    assert len(contents.reads) == len(set(contents.reads))
    assert f"{SITE}/t/three.py" not in contents.reads


def test_nothing_is_read_when_no_guard_could_object(tmp_path: Path) -> None:
    root = make_prefix(tmp_path / "env", {f"{SITE}/a.py": b"", "share/man/man1/x.1": b""})
    source = PrefixSource(str(root))
    contents = Counted(source, [])
    inventory = source.inventory()
    assert not examine(inventory, contents, matching(inventory, ["share/man/*"])).vetoes
    assert contents.reads == []


class Notes(Guard):
    """Keeps what a note beside it names, and what code praises."""

    words = (Word("praise", b"praised("),)
    reads = (FileKind("notes", "text", (".note",)),)

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        for path in batch:
            for number, line in self.scene.facts.lines(path) if path.endswith(".note") else ():
                yield Veto(f"{parent(path)}/{line}", f"{path}:{number} names it", path)
        for path, facts in self.scene.code(batch):
            if "praise" in facts.words:
                yield Veto("share/notes/praised.bin", f"{path} praises it", path)


@pytest.mark.parametrize("form", ["prefix", "tar", "zip"])
def test_a_guard_needs_no_more_than_a_line_in_the_registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    files: dict[str, Content] = {
        "share/notes/a.note": b"kept.bin\n",
        "share/notes/kept.bin": b"x",
        "share/notes/praised.bin": b"x",
        "share/notes/lost.bin": b"x",
        f"{SITE}/m.py": b"praised('it')\n",
    }
    root = make_prefix(tmp_path / "env", files)
    source: PrefixSource | ArchiveSource = PrefixSource(str(root))
    if form != "prefix":
        pack(root, tmp_path / f"o.{form}")
        source = ArchiveSource(str(tmp_path / f"o.{form}"))
    monkeypatch.setitem(GUARDS, "notes", Notes)
    inventory = source.inventory()
    report = examine(inventory, source, matching(inventory, ["*.bin"]))
    assert {path: veto.guard for path, veto in report.vetoes.items()} == {
        "share/notes/kept.bin": "notes",
        "share/notes/praised.bin": "notes",
    }
    assert "notes" in report.ran


@pytest.mark.parametrize("concerned", [True, False])
def test_what_a_guard_is_not_concerned_with_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, concerned: bool
) -> None:
    files: dict[str, Content] = {"share/a.note": b"b.bin\n", "share/b.bin": b"x"}
    source = PrefixSource(str(make_prefix(tmp_path / "env", files)))
    monkeypatch.setattr(Notes, "concerned", lambda prospect: concerned)
    monkeypatch.setitem(GUARDS, "notes", Notes)
    contents = Counted(source, [])
    inventory = source.inventory()
    report = examine(inventory, contents, matching(inventory, ["*.bin"]))
    assert ("share/a.note" in contents.reads) is concerned
    assert bool(contents.reads) is concerned
    assert bool(report.vetoes) is concerned


class Memory:
    """Contents held in memory."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def read(self, path: str) -> bytes:
        return self.files[path]

    def read_many(self, paths):  # type: ignore[no-untyped-def]
        for path in paths:
            yield path, self.files[path]


def inventory_of(files: dict[str, bytes], links: dict[str, str]) -> Inventory:
    """An inventory made by hand."""
    names: set[str] = set()
    for path in (*files, *links):
        while path:
            names.add(path)
            path = path.rpartition("/")[0]
    entries = {}
    for number, path in enumerate(sorted(names, key=str.encode)):
        kind = "file" if path in files else "link" if path in links else "folder"
        size = len(files.get(path, b"")) + 1
        entries[path] = Entry(
            path,
            kind,
            size,
            0o644,
            0,
            0,
            number,
            1,
            links.get(path, ""),  # type: ignore[arg-type]
        )
    roots = {"site": (SITE,), "stdlib": ("lib/python3.11",), "bin": ("bin",)}
    return Inventory("memory", "", entries, {}, (), (), Layout("linux", "3.11", roots))


@st.composite
def environments(draw: st.DrawFn) -> tuple[dict[str, bytes], dict[str, str]]:
    """Packages that import each other, and links between them."""
    count = draw(st.integers(2, 9))
    names = [f"m{number}" for number in range(count)]
    files: dict[str, bytes] = {}
    for name in names:
        wanted = draw(st.lists(st.sampled_from(names), max_size=3))
        code = "".join(f"import {other}.sub\n" for other in wanted)
        if draw(st.booleans()):
            code += "import importlib\nimportlib.import_module(f'{__name__}.{x}')\n"
        files[f"{SITE}/{name}/__init__.py"] = code.encode()
        inner = draw(st.lists(st.sampled_from(names), max_size=2))
        files[f"{SITE}/{name}/sub.py"] = "".join(f"from {o} import data\n" for o in inner).encode()
        files[f"{SITE}/{name}/page.html"] = b"x"
        if draw(st.booleans()):
            files[f"{SITE}/{name}/sub.py"] += b"open(here + 'page.html')\n"
    links = {
        f"bin/{name}": f"../{SITE}/{draw(st.sampled_from(names))}/sub.py"
        for name in draw(st.lists(st.sampled_from(names), unique=True, max_size=3))
    }
    return files, links


@settings(max_examples=60, deadline=None)
@given(environments(), st.randoms(use_true_random=False), st.data())
def test_the_outcome_knows_no_order_and_only_grows_with_what_is_kept(
    made: tuple[dict[str, bytes], dict[str, str]], shuffler: random.Random, data: st.DataObject
) -> None:
    files, links = made
    inventory = inventory_of(files, links)
    paths = sorted([*files, *links])
    doomed = dict.fromkeys(data.draw(st.lists(st.sampled_from(paths), unique=True)), "r")
    first = examine(inventory, Memory(files), doomed)
    order = list(GUARDS)
    shuffler.shuffle(order)
    registered = dict(GUARDS)
    try:
        guards.GUARDS.clear()
        guards.GUARDS.update({name: registered[name] for name in order})
        second = examine(inventory, Memory(files), doomed)
    finally:
        guards.GUARDS.clear()
        guards.GUARDS.update(registered)
    assert first.vetoes.keys() == second.vetoes.keys()
    for veto in first.vetoes.values():  # every chain of evidence ends at something that is kept
        seen = set()
        while veto.needs in first.vetoes:
            assert veto.path not in seen
            seen.add(veto.path)
            veto = first.vetoes[veto.needs]
        assert veto.needs not in doomed or veto.needs in first.vetoes
    if doomed:
        spared = data.draw(st.sampled_from(sorted(doomed)))
        fewer = {path: rule for path, rule in doomed.items() if path != spared}
        third = examine(inventory, Memory(files), fewer)
        assert third.vetoes.keys() >= first.vetoes.keys() - {spared}


def test_an_emptied_folder_is_no_data_file(tmp_path: Path) -> None:
    files = {f"{SITE}/p/a.py": b"skip = ['tests']\n", f"{SITE}/p/tests/x.py": b""}
    source = PrefixSource(str(make_prefix(tmp_path / "env", files)))
    doomed = {f"{SITE}/p/tests": "r", f"{SITE}/p/tests/x.py": "r"}
    assert not examine(source.inventory(), source, doomed).vetoes
