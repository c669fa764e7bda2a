"""Texts of other tools and of our own: path lists, traces, saved audits, TOML."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from condaprune.model import Inventory
from condaprune.names import history_names, required_name, spec_name
from condaprune.report.audit.budget import load_budget
from condaprune.report.audit.check import check
from condaprune.report.audit.compare import compare
from condaprune.report.audit.saved import to_json
from condaprune.report.audit.subject import read_document
from condaprune.request.config import load_config
from condaprune.ruleset import compile_rules
from condaprune.ruleset.load import load_file
from condaprune.sources.pathlist import PathListSource
from condaprune.traces.foreign import import_trace
from condaprune.traces.format import dump_lines, read_trace
from condaprune.traces.needs import traced_needs
from fuzz.mutate import Mutator
from fuzz.target import Cost, Target

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

_LIST = b"""path\tkind\tsize\towner
bin/python\tf\t100\tconda:python==3.11.4
lib/python3.11/os.py\tf\t1\tconda:python==3.11.4
lib/python3.11/site-packages/a-1.dist-info/METADATA\tf\t9\tpypi:a-1
odd\\x09\\t\\\\name\tl\t3\t-
share\td\t0\t-
"""


def read_list(data: bytes, place: str) -> object:
    """Read a path list."""
    Path(place).write_bytes(data)
    return min(3, len(PathListSource(place).inventory().entries))


def path_lists() -> Sequence[bytes]:
    """Path lists, plain and packed."""
    return _LIST, gzip.compress(_LIST, mtime=0), _LIST.replace(b"\n", b"\r\n")


_RUN = {
    "prefix": "/opt/env",
    "recorders": ["strace"],
    "command": ["python"],
    "exit_code": 0,
    "ended": "exit",
    "started": "2026-01-01",
    "duration": 1.5,
    "overflow": False,
    "changed": ["x"],
    "changes": 1,
    "fingerprint": {"conda:a": "1 0"},
}
_TRACE = "".join(
    json.dumps(row) + "\n"
    for row in (
        {"condaprune_trace": 1, "runs": [_RUN]},
        {"path": "bin/python", "kinds": ["exec", "open"], "recorder": ["strace"], "count": 2},
        {"path": "lib/x\udc80", "kinds": ["enoent"], "recorder": [], "count": 1, "askers": ["a.b"]},
        {"path": "lib/y", "kinds": ["list"], "computed": ["a"], "askers": ["a"]},
        {"end": 3},
    )
).encode("ascii")


def _inventory(place: str) -> Inventory:
    Path(place).write_bytes(_LIST)
    return PathListSource(place).inventory()


def read_own_trace(data: bytes, place: str) -> object:
    """Read a trace file, write it again, and ask what it needs."""
    Path(place).write_bytes(data)
    trace = read_trace(place)
    again = "".join(dump_lines(trace))
    Path(place).write_text(again, "ascii")
    assert read_trace(place).entries == trace.entries
    traced_needs([trace], _inventory(place + "-list"))
    return min(3, len(trace.entries))


def _change_lines(mutator: Mutator, data: bytes) -> bytes:
    """One line of JSON by its structure, or any bytes."""
    lines = data.split(b"\n")
    at = mutator.random.randrange(len(lines))
    lines[at] = mutator.change_json(lines[at])
    return b"\n".join(lines) if mutator.random.random() < 0.8 else mutator.change(data)


_STRACE = b"""12 execve("/opt/env/bin/python", ["python"], 0x7ffc /* 3 vars */) = 0
12 openat(AT_FDCWD</work>, "/opt/env/lib/x", O_RDONLY|O_CLOEXEC) = 3</opt/env/lib/x>
12 openat(AT_FDCWD, "rel", O_RDONLY) = -1 ENOENT (No such file or directory)
[pid 13] 12:00:00.5 clone(child_stack=NULL, flags=CLONE_CHILD) = 14
14 readlink("/opt/env/bin/\\303\\251\\x41", "x"..., 4095) = 3
14 newfstatat(5</opt/env/lib>, "y", {st_mode=S_IFREG}, 0) = 0
14 chdir("/opt/env") = 0
14 stat("lib/../z" <unfinished ...>
14 <... stat resumed>, {st_mode=S_IFREG|0644}) = 0
14 fchdir(3</opt/env/lib>) = 0
14 access("q", R_OK) = ? ERESTARTSYS
"""
_PATHS = b"/opt/env/bin/python\n/opt/env//lib/./x\n./rel\n/usr/bin/env\n"
_REPORT = json.dumps(
    {
        "monitors": {
            "fan": {"process_files": {"1": {"/opt/env/bin/a": {"event_count": 2, "execs": 1}}}},
            "pt": {"fs_activity": {"/opt/env/x": {"ops_all": 3, "ops_checkfile": 3}}},
        },
        "image": {"files": [{"file_path": "/opt/env/y", "file_type": "Symlink"}]},
    }
).encode()


def read_foreign(kind: str, data: bytes, place: str) -> object:
    """Read what another tool recorded."""
    Path(place).write_bytes(data)
    trace = import_trace(place, kind, "/opt/env")
    "".join(dump_lines(trace))
    return min(3, len(trace.entries))


def _foreign(kind: str, *seeds: bytes) -> Callable[[], Sequence[bytes]]:
    return lambda: seeds


_ROW = {"name": "conda:a", "version": "1", "files": 1, "bytes": 5, "disk": 4096}
_AUDIT = {
    "format": "condaprune-audit",
    "schema": 1,
    "tool": {"name": "condaprune", "version": "1"},
    "environment": {"label": "e", "source": "prefix", "platform": "linux", "python": "3.11"},
    "measures": ["bytes", "disk"],
    "compressed_is_exact": False,
    "exclude": [],
    "depth": 1,
    "profile": "runtime",
    "guarded": True,
    "pruned": True,
    "total": _ROW,
    "folders": _ROW,
    "shared": _ROW,
    "packages": {"conda:a": "1"},
    "views": {"package": [_ROW], "folder": [_ROW]},
    "unused": {**_ROW, "packages": ["conda:a"]},
    "duplicates": [{"bytes": 5, "wasted": 5, "paths": ["a", "b"]}],
    "fingerprints": {"code": "AAAAAA=="},
    "files": [
        {"path": "a", "kind": "file", "bytes": 5, "disk": 9, "category": "code", "removed": True}
    ],
}
_MANIFEST = {
    "format": "condaprune-manifest",
    "schema": 1,
    "environment": {"label": "e", "platform": "linux"},
    "removed": [{"path": "a", "bytes": 5, "rule": "r", "kind": "file"}],
}


def read_audit(data: bytes, place: str) -> object:
    """Read a saved audit, compare it with itself, check it, and write it again."""
    Path(place).write_bytes(data)
    audit = read_document(place)
    compare(audit, audit, ("package", "folder", "file"))
    to_json(audit, files=True, baseline=True)
    budget = Path(place + ".toml")
    budget.write_text('[budget.environment]\nmax = "1 B"\n[budget.package.a]\nmax_growth = "1%"\n')
    check(audit, load_budget(str(budget)), audit)
    return "audit"


def audits() -> Sequence[bytes]:
    """A saved audit, plain and packed, and a manifest."""
    text = json.dumps(_AUDIT).encode()
    return text, gzip.compress(text, mtime=0), json.dumps(_MANIFEST).encode()


_RULES = b"""[[rule]]
id = "fuzz-a"
why = "It is there to be read at random."
breaks = "Nothing."
risk = "safe"
category = "docs"
references = ["https://example.org/a"]
remove = ["share/{param.lang}/*.md", "!share/en/**"]
keep = ["share/doc/**/x?[a-c].txt"]
package = ["a"]
[rule.when]
version = ">=1,<2"
python = ">=3.10"
[rule.examples]
removed = ["share/de/a.md"]
kept = ["share/doc/xya.txt"]
[rule.parameters.lang]
description = "Languages."
default = ["de", "fr"]
example = ["it"]
"""
_CONFIG = b"""[tool.condaprune]
profile = "mine"
rules = ["a.toml"]
keep = ["lib/**", "!x"]
set = ["fuzz-a.lang=de"]
keep_conda_meta = "slim"
strip = true
[tool.condaprune.profiles.mine]
extends = "minimal"
select = ["docs"]
[[tool.condaprune.suppress]]
rule = "fuzz-a"
reason = "because"
expires = 2027-01-31
[tool.condaprune.budget.environment]
max = "450 MB"
[tool.condaprune.budget.folder."lib/x"]
max_growth = "5%"
"""


def read_rules(data: bytes, place: str) -> object:
    """Read rules, and match them against a few entries."""
    Path(place).write_bytes(data)
    rules = load_file(place)
    inventory = _inventory(place + "-list")
    compile_rules(rules, inventory, ("lib/**",), ("share",)).match(inventory)
    return min(3, len(rules))


def read_config(data: bytes, place: str) -> object:
    """Read a configuration, and the budgets in it."""
    path = os.path.join(os.path.dirname(place), "pyproject.toml")
    Path(path).write_bytes(data)
    config = load_config(path)
    load_budget(path)
    return config.values.profile


def rule_files() -> Sequence[bytes]:
    """A rule file of each kind, and one that comes with condaprune."""
    return _RULES, b"", Path(ROOT, "rules", "python.toml").read_bytes()[:6000]


def read_names(data: bytes, _place: str) -> object:
    """Read a history, and its lines as specs and requirements."""
    for line in data.decode("utf-8", "surrogateescape").split("\n")[:2000]:
        spec_name(line)
        required_name(line)
    return min(3, len(history_names(data)))


_HISTORY = b"""==> 2026-01-01 10:00:00 <==
# cmd: conda create -n x
+conda-forge/linux-64::python-3.11.4-h_0
# create specs: ['python=3.11', "numpy[version='>=1']"]
# update specs: conda-forge::scipy,requests
# remove specs: ["scipy"]
pytz (>=2020) ; extra == 'x' or python_version < "3"
https://example.org/linux-64/zlib-1.2-h_0.conda#0123
"""
_TOML = (
    b"[[rule]]\n",
    b"[rule.",
    b"a.b.c = 1\n",
    b'"""',
    b"'''",
    b"{param.",
    b"**/",
    b"[!",
    b"(",
    b"{a,b}",
)
_CALLS = (b"<unfinished ...>\n", b"<... stat resumed>", b'"', b"\\", b"AT_FDCWD<", b"= 0\n", b"...")
_TOML_COST = Cost(seconds_per_mib=60.0, memory_per_byte=200)
"""tomllib makes many small objects of a byte."""

PATH_LIST = Target("path-list", read_list, path_lists, (b"\t", b"\\x", b"conda:a==1", b"pypi:a-1"))
TRACE = Target("trace", read_own_trace, lambda: (_TRACE,), (), _change_lines)
STRACE = Target("strace", partial(read_foreign, "strace"), _foreign("strace", _STRACE), _CALLS)
LISTED = Target(
    "list", partial(read_foreign, "list"), _foreign("list", _PATHS), (b"/opt/env/", b"\0")
)
CREPORT = Target(
    "creport",
    partial(read_foreign, "creport"),
    _foreign("creport", _REPORT),
    mutate=Mutator.change_json,
)
AUDIT = Target("audit", read_audit, audits, (b"null",), Mutator.change_json)
RULES = Target("rules", read_rules, rule_files, _TOML, cost=_TOML_COST, most=1 << 16)
CONFIG = Target("config", read_config, lambda: (_CONFIG,), _TOML, cost=_TOML_COST, most=1 << 16)
NAMES = Target(
    "names", read_names, lambda: (_HISTORY,), (b"# create specs: [", b"::", b"[", b" or ")
)
