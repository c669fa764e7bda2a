"""Synthetic environments shaped like real ones: names, folders and packages by their quantiles.

``python -m benchmarks.shapes`` measures the lists of real environments (lab/path_lists)
and rewrites shape.json, which holds quantiles and shares only and stands in where no list is at
hand.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
COMMITTED = os.path.join(HERE, "shape.json")
_STEPS = 20
_ENDINGS = 12
_SITE = "lib/python3.11/site-packages"
_CODE = b"import os\nfrom . import mod\nDATA = 'table.json'\n\n\ndef run():\n    return os.sep\n"


@dataclass(frozen=True, slots=True)
class Shape:
    """Quantiles (21 steps, least to most) and the shares of the commonest endings.

    `owned` is files of a package, `filled` files in a folder, `depth` folders above a file below
    its package's own, `name` the characters of a file's name without its ending.
    """

    owned: tuple[int, ...]
    filled: tuple[int, ...]
    depth: tuple[int, ...]
    name: tuple[int, ...]
    endings: tuple[tuple[str, float], ...]


def quantiles(values: Iterable[int]) -> tuple[int, ...]:
    """21 evenly spaced values of a sorted list, the first and the last among them."""
    ordered = sorted(values)
    return tuple(ordered[(len(ordered) - 1) * step // _STEPS] for step in range(_STEPS + 1))


def measure(lists: Iterable[Iterable[tuple[str, str]]]) -> Shape:
    """The shape of environments, each given as the paths of its files with their owners."""
    owned: list[int] = []
    filled: list[int] = []
    depths: list[int] = []
    names: list[int] = []
    endings: Counter[str] = Counter()
    for rows in lists:
        owners: Counter[str] = Counter()
        folders: Counter[str] = Counter()
        for path, owner in rows:
            owners[owner] += owner != "-"
            folder, _, name = path.rpartition("/")
            folders[folder] += 1
            depths.append(max(0, folder.count("/") - 3))
            stem, ending = os.path.splitext(name)
            names.append(len(stem))
            endings[ending] += 1
        owned += [count for count in owners.values() if count]
        filled += folders.values()
    total = sum(endings.values())
    shares = tuple((e, round(n / total, 4)) for e, n in endings.most_common(_ENDINGS))
    return Shape(quantiles(owned), quantiles(filled), quantiles(depths), quantiles(names), shares)


def load() -> Shape:
    """The shape of the real lists where they are at hand, else the committed one."""
    from lab.path_lists import full_lists, rows

    found = full_lists()
    if found:
        return measure([(path, owner) for path, _, _, owner in rows(file)] for file in found)
    return committed()


def committed() -> Shape:
    """The shape in shape.json, the same on every machine."""
    with open(COMMITTED, encoding="utf-8") as stream:
        data = json.load(stream)
    counts = {key: tuple(data[key]) for key in ("owned", "filled", "depth", "name")}
    return Shape(**counts, endings=tuple((e, share) for e, share in data["endings"]))


def build(root: str, size: int, shape: Shape, seed: int = 1) -> int:
    """Make an environment of about *size* entries in the folder *root*; returns how many.

    Code has a few lines of it, all other files are empty. The same on every run.
    """
    chance = random.Random(seed)
    made = 0
    for folder in ("bin", "conda-meta", "lib/python3.11/lib-dynload", _SITE):
        os.makedirs(os.path.join(root, folder))
    for name in ("conda-meta/history", "bin/python3.11", "lib/python3.11/os.py"):
        _write(os.path.join(root, name), b"")
    number = 0
    while made < size:
        number += 1
        wanted = min(_draw(chance, shape.owned), size - made)
        paths = _package(chance, f"{_SITE}/pkg{number}", wanted, shape)
        folders = {path.rpartition("/")[0] for path in paths}
        for folder in folders:
            os.makedirs(os.path.join(root, folder), exist_ok=True)
        for path in paths:
            _write(os.path.join(root, path), _CODE if path.endswith(".py") else b"")
        record: dict[str, object] = {
            "name": f"pkg{number}",
            "version": "1.0",
            "build": "0",
            "files": paths,
        }
        record["paths_data"] = {"paths": [{"_path": path} for path in paths]}
        meta = json.dumps(record).encode()
        _write(os.path.join(root, f"conda-meta/pkg{number}-1.0-0.json"), meta)
        made += len(paths) + len(folders) + 1
    return made


def _package(chance: random.Random, home: str, wanted: int, shape: Shape) -> list[str]:
    endings = [ending for ending, _ in shape.endings]
    weights = [share for _, share in shape.endings]
    paths = [f"{home}/__init__.py"]
    serial = 0
    while len(paths) < wanted:
        parts = [home]
        for _ in range(_draw(chance, shape.depth)):
            serial += 1
            parts.append(chance.choice(("tests", "core", f"part{serial}", f"_sub{serial}")))
        folder = "/".join(parts)
        sources: list[str] = []
        for _ in range(min(_draw(chance, shape.filled), wanted - len(paths))):
            serial += 1
            stem = f"m{serial}".ljust(_draw(chance, shape.name), "x")
            ending = chance.choices(endings, weights)[0]
            if ending == ".py":
                sources.append(stem)
            elif ending == ".pyc":
                # Beside a source where there is one; few environments hold bytecode alone.
                stem = sources.pop() if sources else stem
                stem = f"__pycache__/{stem}.cpython-311"
            paths.append(f"{folder}/{stem}{ending}")
    return sorted(paths)


def _draw(chance: random.Random, steps: Sequence[int]) -> int:
    """A value between two neighbouring quantiles."""
    at = chance.randrange(len(steps) - 1)
    return chance.randint(steps[at], steps[at + 1])


def _write(path: str, data: bytes) -> None:
    with open(path, "wb") as stream:
        stream.write(data)


def main() -> None:
    """Rewrite shape.json from the lists at hand."""
    shape = load()
    with open(COMMITTED, "w", encoding="utf-8") as stream:
        json.dump(asdict(shape), stream)
        stream.write("\n")


if __name__ == "__main__":
    main()
