"""The hazards: small packages that work, and stop working when files go that look useless.

Each says what is added to a real environment, what a careless rule removes, and what program
shows the difference. Numbers are those of docs/guards.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from condaprune.rule import Rule
from tests.guards.helpers import RULE, make_rule


@dataclass(frozen=True, slots=True)
class Hazard:
    """One way in which a removal breaks an environment.

    `files` maps paths (with ``{site}``, ``{std}``) to contents; a `bytes` is written, a `str` that
    starts with ``copy:`` is the path of a file of the environment to copy, one that starts with
    ``link:`` the target of a link, one that starts with ``compile:`` the path of a source to
    compile to bytecode, ``c:`` C source to build. `doomed` are patterns, `check` is Python code
    (or, with `shell`, a shell script) whose output or status changes when it breaks.
    """

    number: int
    title: str
    guard: str
    check: str
    doomed: tuple[str, ...]
    files: Mapping[str, bytes | str] = field(default_factory=dict)
    rule: Rule = field(default_factory=make_rule)
    shell: bool = False
    needs: str = ""

    @property
    def id(self) -> str:
        """How the test of the hazard is called."""
        return f"{self.number:02}-{self.title.replace(' ', '-')}"


LAZY_LOADER = b"""
import ast, importlib, os
def attach_stub(package, filename):
    stub = os.path.splitext(filename)[0] + ".pyi"
    if not os.path.exists(stub):
        raise ValueError("Cannot load imports from non-existent stub")
    found = {}
    for node in ast.parse(open(stub).read()).body:
        for name in node.names:
            found[name.name] = node.module
    def __getattr__(name):
        return getattr(importlib.import_module(package + "." + found[name]), name)
    return __getattr__, sorted(found), sorted(found)
"""

NUMBA = b"""
import inspect, os
def njit(cache=False):
    def wrap(function):
        path = function.__code__.co_filename
        if cache and not os.path.exists(path):
            raise RuntimeError("cannot cache function: no locator available for file " + path)
        return function
    return wrap
"""

TZIF = b"TZif" + b"\0" * 16 + b"\0" * 19 + b"\x01" + b"\0\0\0\x04"
UTC = b"TZif" + b"2" + b"\0" * 15 + b"\0" * 20 + b"\0\0\0\x01" + b"\0\0\0\x04"

EXTENSION = """c:
#include <Python.h>
static struct PyModuleDef def = { PyModuleDef_HEAD_INIT, "_core", 0, -1, 0 };
PyMODINIT_FUNC PyInit__core(void) {
    PyObject *m = PyImport_ImportModule("cext._validation");
    if (!m) return 0;
    Py_DECREF(m);
    return PyModule_Create(&def);
}
"""

HAZARDS = (
    Hazard(
        1,
        "stubs read at run time",
        "stubs",
        "import lazy; print(lazy.thing())",
        ("*.pyi",),
        {
            "{site}/lazy_loader/__init__.py": LAZY_LOADER,
            "{site}/lazy/__init__.py": b"import lazy_loader\n"
            b"__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)\n",
            "{site}/lazy/__init__.pyi": b"from .inner import thing\n",
            "{site}/lazy/inner.py": b"def thing(): return 42\n",
        },
    ),
    Hazard(
        2,
        "lazy submodules by module getattr",
        "siblings",
        "import lazy; print(lazy.signal.name)",
        ("{site}/lazy/signal.py",),
        {
            "{site}/lazy/__init__.py": b"import importlib\n"
            b"def __getattr__(name):\n    return importlib.import_module('.' + name, __name__)\n",
            "{site}/lazy/signal.py": b"name = 'signal'\n",
        },
    ),
    Hazard(
        3,
        "inspect getsource",
        "source",
        "import script; print(script.text())",
        ("{site}/script/*.py",),
        {
            "{site}/script/__init__.py": b"import inspect\n"
            b"def text(): return inspect.getsource(text)\n",
            "{site}/script/__init__.pyc": "compile:{site}/script/__init__.py",
        },
        make_rule(category="source"),
    ),
    Hazard(
        4,
        "numba caches by the source file",
        "source",
        "import fast; print(fast.add(1, 2))",
        ("{site}/fast/*.py",),
        {
            "{site}/numba/__init__.py": NUMBA,
            "{site}/fast/__init__.py": b"from numba import njit\n"
            b"@njit(cache=True)\ndef add(a, b): return a + b\n",
            "{site}/fast/__init__.pyc": "compile:{site}/fast/__init__.py",
        },
        make_rule(category="source"),
    ),
    Hazard(
        5,
        "imports by computed names",
        "siblings",
        "import backends; print(backends.load('csv').name)",
        ("{site}/backends/csv_backend.py",),
        {
            "{site}/backends/__init__.py": b"def load(kind):\n"
            b"    return __import__(f'{__name__}.{kind}_backend', fromlist=['x'])\n",
            "{site}/backends/csv_backend.py": b"name = 'csv'\n",
        },
    ),
    Hazard(
        6,
        "plugins by entry points",
        "metadata",
        "from importlib.metadata import entry_points as e; print(len(e(group='ring.backends')))",
        ("*.dist-info/entry_points.txt",),
        {
            "{site}/ring/__init__.py": b"",
            "{site}/ring-1.0.dist-info/METADATA": b"Name: ring\nVersion: 1.0\n",
            "{site}/ring-1.0.dist-info/RECORD": b"ring/__init__.py,,\n",
            "{site}/ring-1.0.dist-info/entry_points.txt": b"[ring.backends]\nfail = ring:Fail\n",
        },
    ),
    Hazard(
        7,
        "a package asks for its own version",
        "metadata",
        "import versioned; print(versioned.__version__)",
        ("{site}/*.dist-info/*",),
        {
            "{site}/versioned/__init__.py": b"from importlib.metadata import version\n"
            b"__version__ = version('versioned')\n",
            "{site}/versioned-2.5.dist-info/METADATA": b"Name: versioned\nVersion: 2.5\n",
            "{site}/versioned-2.5.dist-info/RECORD": b"versioned/__init__.py,,\n",
        },
    ),
    Hazard(
        8,
        "imports of pth lines",
        "imports",
        "import sys; print(sys.booted)",
        ("{site}/boot_helper.py",),
        {
            "{site}/boot-nspkg.pth": b"import boot_helper\n",
            "{site}/boot_helper.py": b"import sys\nsys.booted = True\n",
        },
    ),
    Hazard(
        9,
        "modules listed by pkgutil",
        "siblings",
        "import shop; print(shop.names())",
        ("{site}/shop/apples.py",),
        {
            "{site}/shop/__init__.py": b"import pkgutil\n"
            b"def names(): return sorted(m.name for m in pkgutil.iter_modules(__path__))\n",
            "{site}/shop/apples.py": b"",
            "{site}/shop/pears.py": b"",
        },
    ),
    Hazard(
        10,
        "the standard library imports from C",
        "landmarks",
        "import datetime; print(datetime.datetime.strptime('2026', '%Y'))",
        ("{std}/_strptime.py", "{std}/__pycache__/_strptime.*"),
    ),
    Hazard(
        11,
        "extension modules import siblings",
        "siblings",
        "import cext._core; print('ok')",
        ("{site}/cext/_validation.py",),
        {
            "{site}/cext/__init__.py": b"",
            "{site}/cext/_validation.py": b"",
            "{site}/cext/_core.abi3.so": EXTENSION,
        },
        needs="c",
    ),
    Hazard(
        12,
        "codecs by name",
        "landmarks",
        "print('x'.encode('cp1252'))",
        ("{std}/encodings/cp1252.py", "{std}/encodings/__pycache__/cp1252.*"),
    ),
    Hazard(
        13,
        "package data by importlib resources",
        "data",
        "import units; print(units.TEXT)",
        ("{site}/units/*.txt",),
        {
            "{site}/units/__init__.py": b"from importlib.resources import files\n"
            b"TEXT = files(__name__).joinpath('default_en.txt').read_text()\n",
            "{site}/units/default_en.txt": b"metre",
        },
    ),
    Hazard(
        14,
        "style sheets read at import",
        "data",
        "import report.html; print(report.html.CSS)",
        ("{site}/report/*.css",),
        {
            "{site}/report/__init__.py": b"",
            "{site}/report/html.py": b"import os\nhere = os.path.dirname(__file__)\n"
            b"CSS = open(os.path.join(here, 'css', 'estimator.css')).read()\n",
            "{site}/report/css/estimator.css": b"p {}",
        },
    ),
    Hazard(
        15,
        "settings of matplotlib",
        "data",
        "import matplotlib; print(matplotlib.rc)",
        ("{site}/matplotlib/mpl-data/*",),
        {
            "{site}/matplotlib/__init__.py": b"import os\n"
            b"rc = open(os.path.join(os.path.dirname(__file__), 'mpl-data', 'matplotlib' + 'rc'))"
            b".read()\n",
            "{site}/matplotlib/mpl-data/matplotlibrc": b"backend: agg\n",
        },
    ),
    Hazard(
        16,
        "data that activation points at",
        "activation",
        'CONDA_PREFIX="$PREFIX"; . "$PREFIX/etc/conda/activate.d/geo.sh" && cat "$GEO_DATA/geo.db"',
        ("share/geo/*", "etc/conda/activate.d/geo.sh"),
        {
            "etc/conda/activate.d/geo.sh": b'export GEO_DATA="$CONDA_PREFIX/share/geo"\n',
            "share/geo/geo.db": b"data\n",
        },
        shell=True,
    ),
    Hazard(
        17,
        "certificates",
        "data",
        "import ssl, sys; c = ssl.create_default_context(cafile=sys.prefix + '/ssl/cacert.pem');"
        "print(len(c.get_ca_certs()) > 0)",
        ("*.pem",),
    ),
    Hazard(
        18,
        "the only time zones",
        "data",
        "import sys, zoneinfo; zoneinfo.reset_tzpath([sys.prefix + '/share/zoneinfo']);"
        "print(zoneinfo.ZoneInfo('Europe/Berlin').key)",
        ("share/zoneinfo/*", "{site}/tzdata/*"),
        needs="share/zoneinfo/Europe/Berlin",
    ),
    Hazard(
        19,
        "libraries opened by ctypes",
        "dlopen",
        "import llvm; print(llvm.lib.zlibVersion is not None)",
        ("*.so",),
        {
            "{site}/llvm/__init__.py": b"import ctypes, os\n"
            b"lib = ctypes.CDLL(os.path.join(os.path.dirname(__file__), 'lib' + 'llvm' + '.so'))\n",
            "{site}/llvm/libllvm.so": "copy:lib/libz.so.1",
        },
        make_rule(remove=("**/*.so",)),
    ),
    Hazard(
        20,
        "libraries that open each other",
        "dlopen",
        "import ctypes, sys; ctypes.CDLL(sys.prefix + '/lib/libmkl_' + 'avx512.so.2'); print(1)",
        ("lib/libmkl_avx*",),
        {
            "lib/libmkl_core.so.2": "copy:lib/libz.so.1",
            "lib/libmkl_avx512.so.2": "copy:lib/libz.so.1",
            "bin/needs-mkl": b"#!/bin/sh\n",
        },
        make_rule(remove=("lib/libmkl_avx*",)),
    ),
    Hazard(
        21,
        "chains of links",
        "links",
        '"$PREFIX/bin/tool"',
        ("share/tool/*",),
        {
            "share/tool/run.sh": b"#!/bin/sh\necho ran\n",
            "share/tool/current": "link:run.sh",
            "bin/tool": "link:../share/tool/current",
        },
        shell=True,
    ),
    Hazard(
        22,
        "landmarks of the interpreter",
        "landmarks",
        "import os, sys; print(sys.prefix == os.environ['PREFIX'])",
        ("{std}/os.py",),
    ),
    Hazard(
        22,
        "sources beside bytecode",
        "source",
        "import quiet; print(quiet.__file__ is not None)",
        ("{site}/quiet/*.py",),
        {
            "{site}/quiet/__init__.py": b"",
            "{site}/quiet/__pycache__/__init__.cpython-{tag}.pyc": (
                "compile:{site}/quiet/__init__.py"
            ),
        },
    ),
    Hazard(
        23,
        "folders that turn into namespaces",
        "namespaces",
        "import model.linear; print(model.Regression)",
        ("{site}/model/__init__.py",),
        {
            "{site}/model/__init__.py": b"class Regression: pass\nRegression = 1\n",
            "{site}/model/linear.py": b"",
        },
    ),
    Hazard(
        24,
        "start methods of multiprocessing",
        "landmarks",
        "import multiprocessing as m\n"
        "if __name__ == '__main__':\n"
        "    p = m.get_context('spawn').Process(target=print, args=('child',))\n"
        "    p.start(); p.join(); print(p.exitcode)",
        (
            "{std}/multiprocessing/popen_spawn_posix.py",
            "{std}/multiprocessing/__pycache__/popen_spawn_posix.*",
        ),
    ),
    Hazard(
        25,
        "pip run from the command line",
        "imports",
        '"$PREFIX/bin/python" "$PREFIX/bin/pip" --version | cut -c1-4',
        ("{site}/pip/_internal/cli/main.py", "{site}/pip/_internal/cli/__pycache__/main.*"),
        shell=True,
    ),
    Hazard(
        26,
        "tests that production code imports",
        "imports",
        "import astro; print(astro.runner)",
        ("*/tests/*",),
        {
            "{site}/astro/__init__.py": b"from .tests.runner import runner\n",
            "{site}/astro/tests/__init__.py": b"",
            "{site}/astro/tests/runner.py": b"from .helper import runner\n",
            "{site}/astro/tests/helper.py": b"runner = 1\n",
        },
    ),
    Hazard(
        28,
        "backends registered by dotted strings",
        "imports",
        "import logging.config, web; logging.config.dictConfig(web.LOGGING); print('ok')",
        ("{site}/web/testing/*",),
        {
            "{site}/web/__init__.py": b"LOGGING = {'version': 1, 'handlers': {'h': "
            b"{'class': 'web.testing.handlers.Quiet'}}, 'root': {'handlers': ['h']}}\n",
            "{site}/web/testing/__init__.py": b"",
            "{site}/web/testing/handlers.py": b"import logging\n"
            b"class Quiet(logging.NullHandler): pass\n",
        },
    ),
    Hazard(
        29,
        "templates",
        "data",
        "import pages; print(pages.render())",
        ("*.html",),
        {
            "{site}/pages/__init__.py": b"import os\n"
            b"def render(name='index'):\n"
            b"    here = os.path.dirname(__file__)\n"
            b"    return open(f'{here}/templates/{name}.html').read()\n",
            "{site}/pages/templates/index.html": b"<p>",
        },
    ),
    Hazard(
        30,
        "descriptions of terminals",
        "data",
        "import curses, os, sys; os.environ['TERMINFO'] = sys.prefix + '/share/terminfo';"
        "curses.setupterm('vt220', 1); print(curses.tigetnum('cols'));"
        "print(os.path.exists(sys.prefix + '/share/terminfo/v/vt220'))",
        ("share/terminfo/*",),
        needs="share/terminfo/v/vt220",
    ),
    Hazard(
        31,
        "scripts that Tcl starts with",
        "data",
        "import glob, os, sys\n"
        "os.environ['TCL_LIBRARY'] = glob.glob(sys.prefix + '/lib/tcl8*')[0]\n"
        "import tkinter; print(tkinter.Tcl().eval('info library'))",
        ("lib/tcl8*/*.tcl",),
        needs="lib/tcl8.6/init.tcl",
    ),
    Hazard(
        32,
        "headers compiled with at run time",
        "toolchain",
        "import os, sysconfig; print(os.path.exists(sysconfig.get_path('include') + '/Python.h'))",
        ("include/*",),
        {"{site}/triton/__init__.py": b"", "{site}/triton/runtime.py": b""},
    ),
    Hazard(
        33,
        "what only error paths import",
        "imports",
        "import client; print(client.fetch())",
        ("{site}/client/testing/*",),
        {
            "{site}/client/__init__.py": b"def fetch():\n"
            b"    try:\n        raise OSError\n"
            b"    except OSError:\n"
            b"        from client.testing.retry import again\n        return again()\n",
            "{site}/client/testing/__init__.py": b"",
            "{site}/client/testing/retry.py": b"def again(): return 'again'\n",
        },
    ),
    Hazard(
        35,
        "imports that are optional",
        "imports",
        "import frame; print(frame.fast)",
        ("{site}/frame/tests/*",),
        {
            "{site}/frame/__init__.py": b"try:\n    from .tests._speed import fast\n"
            b"except ImportError:\n    fast = False\n",
            "{site}/frame/tests/__init__.py": b"",
            "{site}/frame/tests/_speed.py": b"fast = True\n",
        },
    ),
)

assert HAZARDS[0].rule.id == RULE
