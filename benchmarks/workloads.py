"""What environments are put to work with: workloads that are traced, one that no trace has seen,
and the checks of the wheel set (`lab.wheelset`) that pass before anything is removed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from condaprune.live.trace.session import record
from condaprune.traces.trace import Trace, merge
from lab.wheelset.groups import GROUPS, PYTHON
from lab.wheelset.run import run_checks


def _script(name: str) -> str:
    """Code that runs a script of `lab/workloads` with a folder to write to and the prefix."""
    path = Path(__file__).resolve().parents[1] / "lab" / "workloads" / name
    return (
        "import subprocess, sys, tempfile\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        f"    done = subprocess.run([sys.executable, '-B', {str(path)!r}, folder, sys.prefix])\n"
        "    sys.exit(done.returncode)"
    )


_TABLE = """
import io, pandas
table = pandas.read_csv(io.StringIO("a,b\\n1,2\\n1,4\\n2,6"))
assert table.groupby("a").b.sum()[1] == 6
"""
_START = "import json, logging; logging.warning(json.dumps({'a': [1]}))"

FIRST: Mapping[str, str] = {
    "a model is fitted": _script("model.py"),
    "a server answers": _script("server.py"),
    "a table is read": _TABLE,
    "Python starts": _START,
}
"""The workload that is traced: those of these scripts that an environment can run."""

SECOND: Mapping[str, str] = {
    "processes": _script("processes.py"),
    "another table": (
        "import io, pandas as p\n"
        "t = p.DataFrame({'t': p.date_range('2024-01-01', periods=90, tz='Europe/Rome'),"
        " 'x': range(90)})\n"
        "assert len(t.set_index('t').resample('MS').x.mean()) == 3\n"
        "assert len(p.read_json(io.StringIO(t.to_json(orient='records')))) == 90\n"
        "t.merge(t, on='x').pivot_table(index='x').describe().to_html()\n"
    ),
    "another model": (
        "import pickle\n"
        "from sklearn.datasets import load_wine\n"
        "from sklearn.ensemble import RandomForestClassifier\n"
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import StandardScaler\n"
        "x, y = load_wine(return_X_y=True)\n"
        "m = make_pipeline(StandardScaler(), RandomForestClassifier(9, n_jobs=2)).fit(x, y)\n"
        "assert pickle.loads(pickle.dumps(m)).score(x, y) > 0.9\n"
    ),
    "boosted trees": (
        "import lightgbm, numpy as n\n"
        "x = n.random.default_rng(1).random((200, 3))\n"
        "lightgbm.LGBMRegressor(n_estimators=5, verbose=-1).fit(x, x[:, 0]).predict(x)\n"
    ),
    "arrays": (
        "import numpy as n, numpy.polynomial as p\n"
        "assert abs(n.fft.ifft(n.fft.fft(n.ones(8))).sum() - 8) < 1e-9\n"
        "n.savez('a.npz', a=n.eye(3)); assert n.load('a.npz')['a'].trace() == 3\n"
        "p.Polynomial.fit([1, 2, 3], [2, 4, 6], 1)\n"
    ),
    "a request is refused": (
        "import fastapi, fastapi.openapi.docs as d, pydantic\n"
        "class A(pydantic.BaseModel):\n    a: int\n"
        "try:\n    A(a='x')\nexcept pydantic.ValidationError as e:\n    e.json()\n"
        "d.get_swagger_ui_html(openapi_url='/o', title='t')\n"
    ),
    "errors and formats": (
        "import decimal, email.message, traceback, warnings, configparser, xml.etree.ElementTree\n"
        "import importlib.metadata, csv, gzip, lzma, bz2, hashlib, http.client, urllib.request\n"
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    traceback.format_exc()\n"
        "assert lzma.decompress(lzma.compress(b'a')) == b'a'; bz2.compress(b'a')\n"
        "xml.etree.ElementTree.fromstring('<a/>'); email.message.EmailMessage().as_string()\n"
    ),
}
"""The workload that no trace has seen."""


@dataclass(frozen=True, slots=True)
class Work:
    """What an untouched environment passes, by name, as code."""

    second: Mapping[str, str]
    checks: Mapping[str, str]


def choose(prefix: Path) -> Work:
    """The workloads and checks that pass in an untouched environment; none where no Python runs."""
    if not starts(prefix):
        return Work({}, {})
    everything = {name: code for g in GROUPS.values() for name, code in g.checks.items()}
    wanted = {**PYTHON, **_importable(prefix, everything)}
    second = _passing(prefix, _importable(prefix, SECOND))
    return Work(second, _passing(prefix, wanted))


_BORROWED = """
import os, sys
root = os.path.realpath(sys.prefix) + "/"
with open("/proc/self/maps") as maps:
    names = [line.split(maxsplit=5)[-1].strip() for line in maps if "/libpython" in line]
sys.exit(any(not name.startswith(root) for name in names))
"""


def starts(prefix: Path) -> bool:
    """Whether the environment's Python starts, and by a libpython of its own.

    The loader falls back on the machine's where the environment's is gone; an image has none.
    """
    command = [f"{prefix}/bin/python", "-I", "-B", "-c", _BORROWED]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError:  # there is none, or it is of another machine
        return False
    return done.returncode == 0


def failures(prefix: Path, checks: Mapping[str, str]) -> dict[str, str]:
    """The checks that fail, two at a time, each with the last line of what it said."""
    if not starts(prefix):
        return dict.fromkeys(checks, "Python does not start")
    pieces = [{name: code} for name, code in checks.items()]
    with ThreadPoolExecutor(2) as pool:
        done = pool.map(lambda piece: run_checks(prefix, piece), pieces)
        outcomes = [pair for found in done for pair in found.items()]
    return {name: _last_line(found.said) for name, found in outcomes if not found.passed}


def traces(prefix: Path, recorder: str) -> Trace:
    """The trace of what an environment can run of `FIRST`. Nothing is written to it."""
    passing = _passing(prefix, _importable(prefix, FIRST))
    found = []
    with tempfile.TemporaryDirectory(prefix="first-") as folder:
        for number, code in enumerate(passing.values()):
            script = Path(folder, f"first{number}.py")
            script.write_text(code, "utf-8")
            settings = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
            with open(os.devnull, "wb") as nowhere:
                found.append(
                    record(
                        [str(prefix / "bin/python"), str(script)],
                        str(prefix),
                        [recorder],
                        environment=settings,
                        stdout=nowhere,
                    )
                )
    return merge(found)


def _passing(prefix: Path, checks: Mapping[str, str]) -> dict[str, str]:
    failed = failures(prefix, checks)
    return {name: code for name, code in checks.items() if name not in failed}


def _importable(prefix: Path, checks: Mapping[str, str]) -> dict[str, str]:
    """The checks all of whose top-level modules are there; what is not need not be tried."""
    wanted = {name: _modules(code) for name, code in checks.items()}
    ask = (
        "import sys, importlib.util as u\n"
        "print(*[n for n in sys.argv[1:] if n in sys.builtin_module_names or u.find_spec(n)])"
    )
    names = sorted(set().union(*wanted.values()))
    done = subprocess.run(
        [prefix / "bin/python", "-I", "-B", "-c", ask, *names],
        capture_output=True,
        text=True,
        check=True,
    )
    there = set(done.stdout.split()) | _local(checks.values())
    return {name: checks[name] for name, modules in wanted.items() if modules <= there}


def _modules(code: str) -> set[str]:
    found = re.findall(r"(?:^|[;\n]) *(?:import|from) +([\w., ]+?)(?= import|[;\n]|$)", code)
    parts = (part.split()[0].partition(".")[0] for text in found for part in text.split(","))
    return {part for part in parts if part.isidentifier()}


def _local(codes: Iterable[str]) -> set[str]:
    """Modules that checks write themselves."""
    return set(re.findall(r"open\('(\w+)\.pyx?'", "\n".join(codes)))


def _last_line(said: str) -> str:
    lines = said.strip().splitlines()
    return lines[-1] if lines else "no message"


def main(arguments: Sequence[str]) -> int:
    """Print what an environment passes: ``python -m benchmarks.workloads PREFIX``."""
    found = choose(Path(arguments[0]).absolute())
    for title, checks in (("second workload", found.second), ("checks", found.checks)):
        print(f"{title}: {len(checks)}")
        print("".join(f"  {name}\n" for name in checks), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
