"""The page of the commands: the help of each, and its output for a small environment at ``/env``.

The environment is made up for the page; the commands really run on it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from condaprune.cli.group import COMMANDS
from tests.cli.runner import condaprune
from tests.trees import SITE, distribution, make_prefix, record

BUDGET = '[budget.environment]\nmax = "300 kB"\n\n[budget.package.zlib]\nmax = "1 MB"\n'
# The samples of each command, run in this order.
SAMPLES: dict[str, tuple[tuple[str, ...], ...]] = {
    "prune": (("/env", "--dry-run"), ("/env", "--undoable")),
    "status": (("status", "/env"),),
    "diff": (("diff", "/env.before", "/env"),),
    "undo": (("undo", "/env"),),
    "explain": (("explain", "/env", "lib/libz.so.1"), ("explain", "/env", "demo.tests.data")),
    "rules": (("rules", "show", "static-libraries"), ("rules", "list", "--category", "headers")),
    "audit": (("audit", "/env"),),
    "check": (("check", "/env", "--budget", "condaprune.toml"),),
    "why": (("why", "/env", "zlib"),),
}
# The exit status, where it is not 0: over budget.
STATUS = {"check": 1}
ELSEWHERE = {
    "verify": "It runs the environment's Python: see [verification](verify.md).",
    "trace": "It runs your program: see [traces](trace.md).",
}


def make_env(prefix: Path) -> None:
    """An environment that has a little of everything: a package of C, one of Python, its tests."""
    files = distribution(
        "demo",
        {
            "demo/__init__.py": b"from demo.tests.data import SERIES\n",
            "demo/core.py": b"import ctypes\nzlib = ctypes.CDLL('libz.so.1')\n" * 40,
            "demo/tests/__init__.py": b"",
            "demo/tests/data.py": b"SERIES = [1, 2, 3]\n",
            "demo/tests/test_demo.py": b"def test():\n    assert 1 + 1 == 2\n" * 300,
        },
    )
    files |= {
        "lib/libz.a": b"!<arch>\n" + b"\0" * 240_000,
        "lib/libz.so.1": b"\0" * 110_000,
        "include/zlib.h": b"/* zlib */\n" * 900,
        "share/man/man3/zlib.3": b".TH ZLIB 3\n" * 200,
        f"{SITE}/demo/__pycache__/__init__.cpython-311.pyc": b"\0" * 2_600,
    }
    native = [path for path in files if not path.startswith("lib/python")]
    demo = [path for path in files if path.startswith("lib/python")]
    files["conda-meta/zlib-1.3-0.json"] = record("zlib", native, "1.3")
    files["conda-meta/demo-1.0-0.json"] = record("demo", demo, depends=["zlib >=1.2"])
    make_prefix(prefix, files)
    for folder, folders, names in os.walk(prefix):
        for name in folders + names:
            os.utime(os.path.join(folder, name), (1_700_000_000, 1_700_000_000))


def run_all() -> Iterator[tuple[str, tuple[str, ...], int, str]]:
    """Each sample with its command, its exit status and its output."""
    kept = {name: os.environ.get(name) for name in ("SOURCE_DATE_EPOCH", "COLUMNS", "NO_COLOR")}
    os.environ.update(SOURCE_DATE_EPOCH="1700000000", COLUMNS="100", NO_COLOR="1")
    home = os.getcwd()
    try:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder).resolve()
            make_env(root / "env")
            make_env(root / "env.before")
            (root / "condaprune.toml").write_text(BUDGET, encoding="utf-8")
            os.chdir(root)
            for command, samples in SAMPLES.items():
                for words in samples:
                    ran = condaprune(*(w.replace("/env", f"{root}/env") for w in words))
                    shown = ran.out + (ran.err if ran.status == 2 else "")
                    yield command, words, ran.status, shown.replace(f"{root}/", "/")
    finally:
        os.chdir(home)
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def commands_page() -> str:
    """The page as Markdown."""
    printed: dict[str, list[str]] = {command: [] for command in COMMANDS}
    for command, words, _, out in run_all():
        printed[command].append(f"$ condaprune {' '.join(words)}\n{out.rstrip()}")
    lines = [
        "# Commands",
        "",
        "Generated when this site is built: the commands run on a small made-up environment. The",
        "`--help` of each is below its output.",
        "",
    ]
    for command, samples in printed.items():
        lines += [f"## {command}", ""]
        for sample in samples:
            lines += ["```text", sample, "```", ""]
        if command in ELSEWHERE:
            lines += [ELSEWHERE[command], ""]
        lines += ["```text", condaprune(command, "--help").out.rstrip(), "```", ""]
    return "\n".join(lines)
