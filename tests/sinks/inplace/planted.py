"""Journals that somebody else has put into a prefix, each made to do harm in its own way.

Each is made from the journal of a real plan, so that one thing alone is wrong with it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from condaprune.sinks.inplace.journal import FORMAT, dump
from condaprune.sinks.inplace.prepare import make_journal
from tests.sinks.inplace.prefixes import LIBRARY, build, make_plan

Raw = dict[str, Any]


def build_with_outside(where: Path) -> Path:
    """The prefix `where/env`, beside a folder `where/outside` that nothing may change."""
    root = build(where)
    outside = where / "outside"
    outside.mkdir()
    for name in ("victim", "0", "e0"):
        (outside / name).write_bytes(b"nobody's business")
    (root / "bin/conda-unpack").write_bytes(
        b"#!/usr/bin/env python\n_prefix_records = [\n('bin/tool', '/opt/place', 'text'),\n"
        b"('bin/python', '/opt/place', 'text')\n]\n"
    )
    return root


def raw_journal(root: Path, *, move: bool = False, patched: bool = False) -> Raw:
    """The journal of a plan for the prefix as JSON has it, *patched* with the patch of a library.

    Without, it is carried out where the user says so: that library is no real one, and stripping
    would not make that patch of it.
    """
    journal, _ = make_journal(make_plan(root), mode="move" if move else "unlink", verified=False)
    assert journal is not None
    raw: Raw = json.loads(dump(journal))
    if not patched:
        raw["rewrites"] = [row for row in raw["rewrites"] if row[0] != LIBRARY]
    return raw


def row(path: Path, name: str) -> list[object]:
    """The row of a journal for a file, under any name."""
    info = path.lstat()
    kind = "link" if path.is_symlink() else "folder" if path.is_dir() else "file"
    return [name, kind, info.st_size, info.st_mtime_ns, info.st_ino]


def plant(root: Path, raw: object, name: str = "journal.apply") -> None:
    """Put a journal into the prefix, with a folder of what is set aside."""
    folder = root / ".condaprune"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "moved").mkdir(mode=0o700, exist_ok=True)
    data = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    (folder / name).write_bytes(data)


def _rewrite(
    raw: Raw, path: str, text: str, replaces: object = None, mode: int = 0o4755
) -> list[Any]:
    like: list[Any] = list(raw["rewrites"][0])
    like[:7] = [path, text, mode, 1_600_000_000_000_000_000, [0, 0], replaces, None]
    return like


_CODE = "IyEvYmluL3NoCmlkCg=="  # a shell script


def removes(path: str) -> Callable[[Path], None]:
    """Removes a file outside by that path."""

    def planted(root: Path) -> None:
        raw = raw_journal(root)
        name = path.format(outside=root.parent / "outside")
        raw["removals"].insert(0, row(root.parent / "outside/victim", name))
        plant(root, raw)

    return planted


def writes(path: str, *, over: str = "") -> Callable[[Path], None]:
    """Writes a setuid program by that path, *over* a file of the prefix."""

    def planted(root: Path) -> None:
        raw = raw_journal(root)
        name = path.format(outside=root.parent / "outside")
        raw["rewrites"].insert(
            0, _rewrite(raw, name, _CODE, row(root / over, path) if over else None)
        )
        plant(root, raw)

    return planted


def changes(*keys: str | int, to: object) -> Callable[[Path], None]:
    """Has another value at that place of the journal."""

    def planted(root: Path) -> None:
        raw = raw_journal(root)
        place: Any = raw
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = to
        plant(root, raw)

    return planted


def through_a_link(root: Path) -> None:
    """Removes a file outside through a link to its folder."""
    (root / "lib/out").symlink_to("../../outside")
    removes("lib/out/victim")(root)


def writes_through_a_link(root: Path) -> None:
    """Writes the bill of materials outside: `share` is a link to there."""
    raw = raw_journal(root)
    (root / "share").symlink_to("../outside")
    plant(root, raw)


def patches_a_program(root: Path) -> None:
    """Puts code where a program begins."""
    raw = raw_journal(root, patched=True)
    patched = next(row for row in raw["rewrites"] if row[0] == LIBRARY)
    patched[2] = 0o4755
    patched[6][0] = "f0VMRg" + "B" * 80
    plant(root, raw)


def rewrites_unpack(root: Path) -> None:
    """Makes a program of its own of conda-unpack."""
    writes("bin/conda-unpack", over="bin/conda-unpack")(root)


def puts_back_outside(root: Path) -> None:
    """Undoes a run that never was: what is set aside goes outside."""
    raw = raw_journal(root, move=True)
    raw["removals"] = [["../outside/victim", "file", 4, 0, 1]]
    plant(root, raw, "journal.undo")
    (root / ".condaprune/moved/0").write_bytes(b"evil")


def drops_through_a_link(root: Path) -> None:
    """Deletes what was set aside, where that folder is a link."""
    raw = raw_journal(root, move=True)
    plant(root, raw, "journal.drop")
    (root / ".condaprune/moved").rmdir()
    (root / ".condaprune/moved").symlink_to("../../outside")


def drops_what_it_has_not(root: Path) -> None:
    """Has a number set aside that is not in it."""
    plant(root, raw_journal(root, move=True), "journal.drop")
    (root / ".condaprune/moved/99999").write_bytes(b"")


def puts_back_a_folder_for_a_file(root: Path) -> None:
    """Has a folder set aside in the place of a file."""
    plant(root, raw_journal(root, move=True), "journal.kept")
    (root / ".condaprune/moved/0").mkdir()


def undoes_what_deletes(root: Path) -> None:
    """Is to be undone, and deletes for good."""
    plant(root, raw_journal(root), "journal.undo")


def is_a_fifo(root: Path) -> None:
    """Never ends."""
    plant(root, b"")
    (root / ".condaprune/journal.apply").unlink()
    os.mkfifo(root / ".condaprune/journal.apply")


def is_a_link(root: Path) -> None:
    """Lies elsewhere."""
    plant(root, raw_journal(root))
    (root / ".condaprune/journal.apply").rename(root.parent / "outside/journal")
    (root / ".condaprune/journal.apply").symlink_to("../../outside/journal")


def has_a_link_for_a_folder(root: Path) -> None:
    """Lies in a folder elsewhere."""
    plant(root, raw_journal(root))
    shutil.move(root / ".condaprune", root.parent / "outside/state")
    (root / ".condaprune").symlink_to("../outside/state")


def has_a_file_for_a_folder(root: Path) -> None:
    """Has no folder at all."""
    (root / ".condaprune").write_bytes(b"")


def is_there_twice(root: Path) -> None:
    """Is applied, and kept."""
    plant(root, raw_journal(root, move=True))
    plant(root, raw_journal(root, move=True), "journal.kept")


def is_whole(root: Path) -> None:
    """Says what a plan says: it is only not ours."""
    plant(root, raw_journal(root))


def of_bytes(data: bytes) -> Callable[[Path], None]:
    """Is no journal at all."""

    def planted(root: Path) -> None:
        plant(root, data)

    return planted


_BIG = 10**30
JOURNALS: dict[str, Callable[[Path], None]] = {
    "removes by ..": removes("../outside/victim"),
    "removes by .. further in": removes("lib/../../outside/victim"),
    "removes by an absolute path": removes("{outside}/victim"),
    "removes with an empty part": removes("lib//../../outside/victim"),
    "removes through a link": through_a_link,
    "writes by ..": writes("../outside/new"),
    "writes by .. below a folder it makes": writes("share/condaprune/../../../outside/new"),
    "writes by an absolute path": writes("{outside}/new"),
    "writes through a link": writes_through_a_link,
    "writes a setuid program": writes("bin/new"),
    "writes over a program": writes("bin/python", over="bin/python"),
    "writes over a module": writes("lib/libdemo.so.1", over="lib/libdemo.so.1"),
    "writes code into conda-unpack": rewrites_unpack,
    "writes into the state folder": writes(".condaprune/moved/0"),
    "writes a .pth file": writes("lib/python3.11/site-packages/x.pth"),
    "patches a program": patches_a_program,
    "gives setuid to a list": changes("rewrites", 0, 2, to=0o6755),
    "gives a list to another user": changes("rewrites", 0, 4, to=[12345, 12345]),
    "gives new files to another user": changes("owner", to=[12345, 12345]),
    "sets times outside": changes("times", to=[["../outside", 0]]),
    "makes folders outside": changes("made", to=["../outside/made"]),
    "makes a folder of its own": changes("made", to=["bin/made"]),
    "has its status elsewhere": changes("status", 0, to="../outside/status.json"),
    "has its status in a program": changes("status", 0, to="bin/python"),
    "removes the state folder": changes("removals", 0, 0, to=".condaprune"),
    "removes the prefix": changes("removals", 0, 0, to=""),
    "removes a device": changes("removals", 0, 1, to="other"),
    "has a NUL": changes("removals", 0, 0, to="bin/a\0b"),
    "has a lone surrogate": changes("removals", 0, 0, to="bin/\ud800"),
    "has a size below nothing": changes("removals", 0, 2, to=-1),
    "has a time too late": changes("stamp_ns", to=_BIG),
    "has a time of a folder too late": changes("times", 0, 1, to=_BIG),
    "has a time too early": changes("status", 3, to=-_BIG),
    "puts back outside": puts_back_outside,
    "drops through a link": drops_through_a_link,
    "drops what it has not": drops_what_it_has_not,
    "puts back a folder for a file": puts_back_a_folder_for_a_file,
    "undoes what deletes": undoes_what_deletes,
    "is a FIFO": is_a_fifo,
    "is a link": is_a_link,
    "has a link for a folder": has_a_link_for_a_folder,
    "has a file for a folder": has_a_file_for_a_folder,
    "is there twice": is_there_twice,
    "is empty": of_bytes(b""),
    "is deep": of_bytes(b"[" * 200_000),
    "is deep in a field": of_bytes(b'{"format": %d, "mode": ' % FORMAT + b"[" * 200_000),
    "has Infinity": of_bytes(b'{"format": Infinity}'),
    "has a long number": of_bytes(b'{"format": ' + b"9" * 4000 + b"}"),
    "is of another format": of_bytes(b'{"format": 99}'),
    "is whole": is_whole,
}
