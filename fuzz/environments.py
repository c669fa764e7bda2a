"""Environments of a few files: records, metadata, sources, and what lies in a file's place."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
from collections.abc import Sequence

from condaprune.planning.account import make_account
from condaprune.planning.edits.sbom import make_sbom
from condaprune.planning.planner import make_plan
from condaprune.request.request import Request
from condaprune.sources.packages import make_graph
from condaprune.sources.prefix import PrefixSource
from fuzz.mutate import Mutator
from fuzz.target import Cost, Target
from tests.guards.elves import make_elf

_MARK = b"\n=== "
_MOST_FILES = 60
_DEEPEST = 400
_REQUEST = Request(
    profile="minimal", keep_conda_meta="slim", strip=True, bytecode="hash", drop=("**/gone*",)
)

Files = Sequence[tuple[bytes, bytes]]
"""``KIND PATH`` and content (of a link the target)."""


def read_environment(data: bytes, place: str) -> object:
    """Plan an environment: each file is read by all that reads it."""
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(os.path.join(place, "conda-meta"))
    for head, content in split(data)[:_MOST_FILES]:
        with contextlib.suppress(OSError, ValueError):
            _make(os.fsencode(place), head, content)
    source = PrefixSource(place)
    inventory = source.inventory()
    make_graph(inventory).roots()
    json.loads(make_sbom(inventory))
    plan = make_plan(source, _REQUEST)
    make_account(plan)
    return min(3, len(inventory.records)), min(3, len(inventory.distributions)), bool(plan.vetoes)


def _make(root: bytes, head: bytes, content: bytes) -> None:
    kind, _, path = head.partition(b" ")
    if b".." in path.split(b"/") or path.startswith(b"/"):
        return  # nothing is written outside of the folder
    if path.count(b"/") > _DEEPEST:
        return  # the standard library could not remove it again
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if kind == b"fifo":
        os.mkfifo(path)
    elif kind == b"link":
        os.symlink(content, path)
    elif kind == b"folder":
        os.makedirs(path, exist_ok=True)
    elif kind == b"socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path)
    elif os.path.realpath(os.path.dirname(path)).startswith(os.path.realpath(root)):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755), "wb") as file:
            file.write(content)
            if kind == b"sparse":
                file.truncate(20 << 30)


def split(data: bytes) -> list[tuple[bytes, bytes]]:
    """The files that an input describes."""
    parts = (b"\n" + data).split(_MARK)[1:]
    return [(head, content) for head, _, content in (part.partition(b"\n") for part in parts)]


def join(files: Files) -> bytes:
    """The input for some files; the inverse of `split`."""
    return b"".join(_MARK + head + b"\n" + content for head, content in files)[1:]


def _change(mutator: Mutator, data: bytes) -> bytes:
    """One file changed, of another kind, with another name, or twice."""
    random, files = mutator.random, split(data)
    if not files or random.random() < 0.1:
        return mutator.change(data)
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.randrange(len(files))
        head, content = files[at]
        roll = random.random()
        if roll < 0.1:
            kinds = (b"fifo", b"link", b"folder", b"socket", b"sparse", b"file")
            head = random.choice(kinds) + b" " + head.partition(b" ")[2]
        elif roll < 0.2:
            head = head.partition(b" ")[0] + b" " + mutator.change(head.partition(b" ")[2])
        elif roll < 0.25:
            files.insert(at, random.choice(files))
        elif head.endswith(b".json"):
            content = mutator.change_json(content)
        else:
            content = mutator.change(content)
        files[at] = head, content
    return join(files)


_RECORD = {
    "name": "a", "version": "1.0", "build": "h_0", "build_string": "h_0", "subdir": "linux-64",
    "channel": "conda-forge", "url": "https://example.org/a.conda", "md5": "0" * 32,
    "sha256": "0" * 64, "license": "MIT", "noarch": "python", "timestamp": 1700000000000,
    "depends": ["b >=1", "python"], "requested_spec": "a", "requested_specs": ["a"],
    "files": ["bin/a", "lib/python3.11/site-packages/a/__init__.py", "lib/liba.so"],
    "link": {"source": "/opt/pkgs/a", "type": 1},
    "paths_data": {
        "paths_version": 1,
        "paths": [
            {"_path": "bin/a", "path_type": "hardlink", "sha256": "0" * 64, "size_in_bytes": 3,
             "prefix_placeholder": "/opt/placeholder", "file_mode": "text"},
            {"_path": "site-packages/a/__init__.py", "path_type": "hardlink"},
        ],
    },
}  # fmt: skip
_PYTHON = {"name": "python", "version": "3.11.4", "build": "0", "subdir": "linux-64", "files": []}
_SITE = b"lib/python3.11/site-packages/"
_INFO = _SITE + b"a-1.0.dist-info/"
_CODE = b"""import os, a.tests
from a import (gone_b,  # x
    gone_c as c)
if TYPE_CHECKING:
    import a.gone_d
x = importlib.import_module("a." + name); ctypes.CDLL("liba.so")
def __getattr__(name): return __import__(f"a.{name}", fromlist=["tests"])
open("share/doc/a.txt"); pytest.importorskip('a.gone_b')
"""
_METADATA = b"""Metadata-Version: 2.1
Name: a
Version: 1.0
License: MIT
Requires-Dist: b[x] (>=1) ; extra == 'x' or python_version<'3'
Requires-Dist: c

Text
"""
_ROWS = b"""a/__init__.py,sha256=x,9
"a,b.py",,
../../../bin/a,,
a/tests/__init__.py,sha256=y,1
"""
_ENVIRONMENT: Files = (
    (b"file conda-meta/a-1.0-h_0.json", json.dumps(_RECORD).encode()),
    (b"file conda-meta/python-3.11.4-0.json", json.dumps(_PYTHON).encode()),
    (b"file conda-meta/history", b"==> 2026-01-01 <==\n# create specs: ['a', 'python=3.11']\n"),
    (b"file conda-meta/state", b'{"env_vars": {"A": "1"}}'),
    (b"file bin/a", b"#!/opt/env/bin/python\nimport a\n"),
    (b"file bin/python3.11", make_elf(("liba.so",), runpath="$ORIGIN/../lib", interpreter="/ld")),
    (b"link bin/python", b"python3.11"),
    (b"file lib/liba.so", make_elf(("libb.so.1",), soname="liba.so")),
    (b"file lib/python3.11/os.py", b"import sys\n"),
    (b"file " + _SITE + b"a/__init__.py", _CODE),
    (b"file " + _SITE + b"a/gone_b.py", b"from . import gone_c\n"),
    (b"file " + _SITE + b"a/gone_c.pyc", b"\xa7\r\r\n" + bytes(12) + b"\xe3gone_b a.tests"),
    (b"file " + _SITE + b"a/tests/__init__.py", b"import a.gone_b\n"),
    (b"file " + _SITE + b"a/x.pyi", b"from a import gone_b as b\n"),
    (b"file " + _SITE + b"a.pth", b"import a.gone_b; a.x()\n../x\n"),
    (b"file " + _INFO + b"METADATA", _METADATA),
    (b"file " + _INFO + b"RECORD", _ROWS),
    (b"file " + _INFO + b"entry_points.txt", b"[console_scripts]\na = a.gone_b:b\n[x]\ny=a.x:z"),
    (b"file " + _INFO + b"direct_url.json", b'{"url": "file:///x", "dir_info": {"editable": 1}}'),
    (b"file " + _SITE + b"b.egg-info", b"Name: b\nVersion: 2\n"),
    (b"file " + _SITE + b"c.egg-info/PKG-INFO", b"Name: c\nVersion: 2\n"),
    (b"file " + _SITE + b"c.egg-info/installed-files.txt", b"../a/x.pyi\n"),
    (b"file etc/conda/activate.d/a.sh", b"export A=$CONDA_PREFIX/share/doc/a.txt\n"),
    (b"file etc/conda/env_vars.d/a.json", b'{"A": "1"}'),
    (b"file bin/conda-unpack", b"_prefix_records = [('bin/a', '/opt/p', 'text')]\n"),
    (b"file share/doc/a.txt", b"a"),
    (b"file pyvenv.cfg", b"home = /usr/bin\n"),
)  # fmt: skip


def environments() -> Sequence[bytes]:
    """An environment with one file of each kind."""
    return (join(_ENVIRONMENT), join(_ENVIRONMENT[:9]))


_WORDS = (
    *(b"import ", b"from . import (", b"\\\n", b"if TYPE_CHECKING:\n", b"import_module(", b"'''"),
    *(
        b"a.gone_b",
        b"Requires-Dist: ",
        b"../",
        b'","',
        b" or ",
        b" ; extra == ",
        b"[console_scripts]\n",
    ),
)
ENVIRONMENT = Target(
    "environment", read_environment, environments, _WORDS, _change,
    Cost(seconds=6, seconds_per_mib=60, memory=128 << 20, memory_per_byte=200),
)  # fmt: skip
