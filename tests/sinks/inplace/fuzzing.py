"""Feeds any bytes to whatever carries a journal out, and looks for harm outside of the prefix."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from condaprune.errors import CondapruneError
from condaprune.sinks.inplace.journal import Phase, dump
from condaprune.sinks.inplace.prepare import make_journal
from condaprune.sinks.inplace.run import recover, undo
from tests.sinks.inplace.prefixes import build, make_plan

_NASTY: tuple[object, ...] = (
    None, True, -1, 0, 1, 2**63, -(2**63) - 1, 10**40, 1.5, "", ".", "..", "/", "../outside/victim",
    "lib/../../outside/victim", "/etc/passwd", "bin/\0", "\ud800", "bin/python", ".condaprune",
    ".condaprune/moved/0", "bin/tool/x", "lib/libdemo.so.1/x", "file", "folder", "link", "other",
    "unlink", "move", [], {}, [[]], 0o6755, "f0VMRg==",
)  # fmt: skip
_PHASES = tuple(Phase)


def fuzz_journal(data: bytes) -> None:
    """Carry out, undo and discard a journal made of *data*: itself where it begins with a brace,
    else a real one with a few changes that *data* chooses.

    Errors: `AssertionError` where anything outside of the prefix changes, where a file is given
    special rights, and where discarding is no way out; whatever is not a typed error.
    """
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        root = build(where)
        outside = where / "outside"
        outside.mkdir()
        for name in ("victim", "0", "e0"):
            (outside / name).write_bytes(b"nobody's business")
        chosen = iter(data)
        phase = _PHASES[next(chosen, 0) % len(_PHASES)]
        moving = next(chosen, 0) % 2 == 1
        content = data if data[:1] == b"{" else _changed(root, chosen, moving=moving)
        before = _lstats(outside)
        for call in (recover, undo):
            _plant(root, phase, content, next(chosen, 0))
            with contextlib.suppress(CondapruneError):
                call(str(root), accept="any")
            assert _lstats(outside) == before, call
            assert not _special(root), call
        _plant(root, phase, content, next(chosen, 0))
        recover(str(root), accept="none")
        assert not os.path.lexists(root / ".condaprune")
        assert _lstats(outside) == before


def _plant(root: Path, phase: Phase, content: bytes, aside: int) -> None:
    state = root / ".condaprune"
    shutil.rmtree(state, ignore_errors=True)
    (state / "moved").mkdir(parents=True)
    (state / phase.file.decode()).write_bytes(content)
    for number in range(aside % 8):
        (state / "moved" / f"{'e' * (number % 2)}{number * 3}").write_bytes(b"set aside")
    if aside >= 250:
        (state / "moved/0").unlink(missing_ok=True)
        (state / "moved/0").symlink_to("../../../outside/victim")


def _changed(root: Path, chosen: Iterator[int], *, moving: bool) -> bytes:
    journal, _ = make_journal(make_plan(root), mode="move" if moving else "unlink", verified=False)
    assert journal is not None
    raw = json.loads(dump(journal))
    for _ in range(1 + next(chosen, 0) % 4):
        _change(raw, chosen)
    return json.dumps(raw).encode()


def _change(raw: Any, chosen: Iterator[int]) -> None:
    """Change one value of a tree of JSON: to a nasty one, or to one from elsewhere in it."""
    place, key = raw, next(iter(raw))
    for _ in range(6):
        keys = [*place] if isinstance(place, dict) else [*range(len(place))]
        if not keys:
            return
        key = keys[next(chosen, 0) % len(keys)]
        if not isinstance(place[key], dict | list) or next(chosen, 0) % 5 == 0:
            break
        place = place[key]
    else:
        return
    number = next(chosen, 0)
    if number % 3 == 0 and isinstance(place, list):
        place.insert(number % (len(place) + 1), copy.deepcopy(place[key]))
    elif number % 3 == 1 and isinstance(place, list):
        del place[key]
    else:
        place[key] = copy.deepcopy(_NASTY[next(chosen, 0) % len(_NASTY)])


def _lstats(root: Path) -> dict[str, tuple[object, ...]]:
    return {
        str(path): (info.st_mode, info.st_size, info.st_mtime_ns, info.st_ino, info.st_uid)
        for path in [root, *root.rglob("*")]
        if (info := path.lstat())
    }


def _special(root: Path) -> list[Path]:
    bits = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX
    return [path for path in root.rglob("*") if path.lstat().st_mode & bits]
