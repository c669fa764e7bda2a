"""The guards of a screen each: one case that fires and one that must not, for every one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guards.elves import make_elf
from tests.guards.helpers import Case, guarded, make_rule, rescued
from tests.guards.source_cases import SOURCE_CASES
from tests.trees import Link, distribution

DIST = {
    "{site}/" + p.partition("site-packages/")[2]: data
    for p, data in distribution("thing", {"thing.py": b""}).items()
}
LAZY = b"import lazy_loader\n__getattr__ = lazy_loader.attach_stub(__name__, __file__)\n"


CASES = (
    Case(
        "a link keeps its target",
        "links",
        {"bin/a": Link("../share/b"), "share/b": Link("c"), "share/c": b""},
        ["share/*"],
        {"share/b", "share/c"},
    ),
    Case(
        "a link to a folder keeps the folder's link",
        "links",
        {"lib/py": Link("cur"), "lib/cur": Link("py3"), "lib/py3/x": b""},
        ["lib/cur"],
        {"lib/cur"},
    ),
    Case(
        "a doomed link needs nothing",
        "links",
        {"bin/a": Link("../share/c"), "share/c": b""},
        ["*a", "share/*"],
    ),
    Case(
        "a link that dangled before needs nothing",
        "links",
        {"bin/a": Link("../share/gone"), "share/c": b""},
        ["share/c"],
    ),
    Case(
        "a link out of the prefix needs nothing",
        "links",
        {"bin/a": Link("/etc/passwd"), "etc/passwd": b""},
        ["etc/passwd"],
    ),
    Case(
        "a distribution that is there keeps its metadata",
        "metadata",
        DIST,
        ["*.dist-info/*"],
        {"thing-1.0.dist-info/METADATA", "thing-1.0.dist-info/RECORD"},
    ),
    Case(
        "a distribution that goes whole takes its metadata along",
        "metadata",
        DIST,
        ["*.dist-info/*", "*thing.py"],
    ),
    Case(
        "licences stay with the code",
        "metadata",
        {
            **DIST,
            "{site}/thing-1.0.dist-info/licenses/COPYING": b"",
            "{site}/thing-1.0.dist-info/WHEEL": b"",
        },
        ["*COPYING", "*WHEEL"],
        {"thing-1.0.dist-info/licenses/COPYING"},
    ),
    Case(
        "an egg-info file is the metadata",
        "metadata",
        {"{site}/old-1.0.egg-info": b"Name: old\nVersion: 1.0\n"},
        ["*.egg-info"],
        {"old-1.0.egg-info"},
    ),
    Case(
        "without a list of files, those of the conda package tell whether a distribution is there",
        "metadata",
        {
            "{site}/old-1.0.egg-info/PKG-INFO": b"Name: old\nVersion: 1.0\n",
            "{site}/old/a.py": b"",
            "{site}/old/b.py": b"",
        },
        ["*.egg-info/*", "*/old/a.py"],
        {"old-1.0.egg-info/PKG-INFO"},
        packages={
            "old": ["{site}/old-1.0.egg-info/PKG-INFO", "{site}/old/a.py", "{site}/old/b.py"]
        },
    ),
    Case(
        "without a list of files, a distribution whose conda package goes takes its metadata along",
        "metadata",
        {
            "{site}/old-1.0.egg-info/PKG-INFO": b"Name: old\nVersion: 1.0\n",
            "{site}/old/a.py": b"",
            "{site}/other.py": b"",
        },
        ["*.egg-info/*", "*/old/a.py"],
        packages={"old": ["{site}/old-1.0.egg-info/PKG-INFO", "{site}/old/a.py"]},
    ),
    Case(
        "a distribution of a conda package without code may be in use",
        "metadata",
        {"{site}/old-1.0.egg-info/PKG-INFO": b"Name: old\nVersion: 1.0\n"},
        ["*.egg-info/*", "conda-meta/old-1.0-0.json"],
        {"old-1.0.egg-info/PKG-INFO"},
        packages={"old": ["{site}/old-1.0.egg-info/PKG-INFO"]},
    ),
    Case(
        "attach_stub keeps the stubs of its package",
        "stubs",
        {
            "{site}/p/__init__.py": LAZY,
            "{site}/p/__init__.pyi": b"",
            "{site}/p/q/r.pyi": b"",
            "{site}/other/s.pyi": b"",
        },
        ["*.pyi"],
        {"p/__init__.pyi", "p/q/r.pyi"},
    ),
    Case(
        "what a stub imports is loaded when asked for",
        "stubs",
        {
            "{site}/p/__init__.py": LAZY,
            "{site}/p/__init__.pyi": b"from .testing import t\n",
            "{site}/p/testing/__init__.py": b"",
        },
        ["*/testing/*"],
        {"p/testing/__init__.py"},
    ),
    Case(
        "stubs that only type checkers read may go",
        "stubs",
        {"{site}/p/__init__.py": b"", "{site}/p/__init__.pyi": b""},
        ["*.pyi"],
    ),
    Case(
        "a type checker reads the stubs of all packages",
        "stubs",
        {"bin/mypy": b"#!python\n", "{site}/p/a.pyi": b"", "{site}/q-stubs/__init__.pyi": b""},
        ["*.pyi"],
        {"p/a.pyi", "q-stubs/__init__.pyi"},
    ),
    Case(
        "a type checker that goes reads none",
        "stubs",
        {"bin/mypy": b"#!python\n", "{site}/p/a.pyi": b""},
        ["*.pyi", "bin/mypy"],
    ),
    Case(
        "a rule about a package knows who reads its stubs",
        "stubs",
        {"bin/mypy": b"#!python\n", "{site}/jedi/a.pyi": b""},
        ["*.pyi"],
        rule=make_rule(package=("jedi",)),
    ),
    Case(
        "a source stays beside its bytecode",
        "source",
        {"{site}/p.py": b"", "{site}/__pycache__/p.cpython-311.pyc": b""},
        ["*/p.py"],
        {"p.py"},
    ),
    Case(
        "a source that goes with its bytecode may go",
        "source",
        {"{site}/p.py": b"", "{site}/__pycache__/p.cpython-311.pyc": b""},
        ["*/p.*"],
    ),
    Case(
        "lone bytecode is the module",
        "source",
        {"{site}/p/m.pyc": b"", "{site}/p/__init__.py": b""},
        ["*.pyc"],
        {"p/m.pyc"},
    ),
    Case(
        "bytecode beside its source is no module",
        "source",
        {"{site}/m.pyc": b"", "{site}/m.py": b""},
        ["*.pyc"],
    ),
    Case(
        "lone bytecode in a folder that goes may go",
        "source",
        {"{site}/p/m.pyc": b"", "{site}/p/__init__.py": b""},
        ["*/p/*"],
    ),
    Case(
        "a rule about sources is let through",
        "source",
        {"{site}/p.py": b"", "{site}/p.pyc": b""},
        ["*/p.py"],
        rule=make_rule(category="source"),
    ),
    Case(
        "linecache reads sources",
        "source",
        {"{site}/p.py": b"import linecache\n", "{site}/p.pyc": b""},
        ["*/p.py"],
        {"p.py"},
        make_rule(category="source"),
    ),
    Case(
        "torch compiles with Python's headers and its own",
        "toolchain",
        {
            "{site}/torch/_inductor/codecache.py": b"",
            "{site}/torch/include/t.h": b"",
            "include/python3.11/Python.h": b"",
            "include/zlib.h": b"",
            "lib/libz.a": b"",
        },
        ["include/*", "*.h", "*.a"],
        {"torch/include/t.h", "include/python3.11/Python.h"},
    ),
    Case(
        "Cython compiles with the C sources that it ships",
        "toolchain",
        {"{site}/Cython/Shadow.py": b"", "{site}/Cython/Utility/a.c": b"", "{site}/p/b.c": b""},
        ["*.c"],
        {"Cython/Utility/a.c"},
    ),
    Case(
        "a rule about torch itself knows better",
        "toolchain",
        {"{site}/torch/_inductor/codecache.py": b"", "{site}/torch/include/t.h": b""},
        ["*.h"],
        rule=make_rule(package=("torch",)),
    ),
    Case(
        "code that calls cffi's verify compiles",
        "toolchain",
        {"{site}/c.py": b"ffi.verify('x')\n", "include/python3.11/Python.h": b""},
        ["include/*"],
        {"include/python3.11/Python.h"},
    ),
    Case(
        "a build script is not run",
        "toolchain",
        {"{site}/p/ffi_build.py": b"ffi.verify('x')\n", "include/python3.11/Python.h": b""},
        ["include/*"],
    ),
    Case(
        "headers nobody compiles with may go",
        "toolchain",
        {"{site}/numpy/core.py": b"", "include/zlib.h": b""},
        ["include/*"],
    ),
    Case(
        "mypyc compiles with its own headers",
        "toolchain",
        {
            "{site}/mypyc/build.py": b"",
            "{site}/mypyc/lib-rt/CPy.h": b"",
            "{site}/mypyc/lib-rt/init.c": b"",
            "include/python3.11/Python.h": b"",
        },
        ["*.h", "*.c"],
        {"mypyc/lib-rt/CPy.h", "mypyc/lib-rt/init.c", "include/python3.11/Python.h"},
    ),
    Case(
        "FEniCS compiles with its own header and Python's, and links nothing",
        "toolchain",
        {
            "{site}/ffcx/codegeneration/jit.py": b"",
            "{site}/ffcx/codegeneration/ufcx.h": b"",
            "{site}/ffcx/main.py": b"",
            "include/python3.11/Python.h": b"",
            "lib/libcrypto.a": b"",
        },
        ["*.h", "*.a"],
        {"ffcx/codegeneration/ufcx.h", "include/python3.11/Python.h"},
    ),
    Case(
        "GT4Py compiles with Python's headers and those of other packages",
        "toolchain",
        {
            "{site}/gt4py/cartesian/backend/pyext_builder.py": b"import build_ext\n",
            "{site}/gt4py/cartesian/__init__.py": b"",
            "include/python3.11/Python.h": b"",
            "include/zlib.h": b"",
        },
        ["include/*"],
        {"include/python3.11/Python.h"},
    ),
    Case(
        "code that builds extensions keeps the headers beside it, and Python's",
        "toolchain",
        {
            "{site}/p/cpp/extension.py": b"from setuptools.command.build_ext import build_ext\n",
            "{site}/p/include/p.h": b"",
            "{site}/p/tests/t.h": b"",
            "{site}/q/q.h": b"",
            "include/python3.11/Python.h": b"",
        },
        ["*.h"],
        {"p/include/p.h", "include/python3.11/Python.h"},
    ),
    *(
        Case(
            f"a command {outcome}",
            "toolchain",
            {"{site}/p/a.py": code, "{site}/p/p.h": b"", "include/python3.11/Python.h": b""},
            ["*.h"],
            stays,
        )
        for outcome, code, stays in (
            (
                "that is run by a shell keeps the headers",
                b"os.system('python setup.py build_ext --inplace')\n",
                {"p/p.h", "include/python3.11/Python.h"},
            ),
            (
                "that is run as a list keeps the headers",
                b"run([python, 'setup.py', 'build_ext', '--inplace'])\n",
                {"p/p.h", "include/python3.11/Python.h"},
            ),
            (
                "that a message tells of keeps nothing",
                b"warn('not built: run setup.py build_ext --inplace')\n",
                set[str](),
            ),
        )
    ),
    Case(
        "code that calls a compiler keeps the headers beside it",
        "toolchain",
        {
            "{site}/p/jit.py": b"run(['g++', f])\n",
            "{site}/p/p.h": b"",
            "{site}/p/p.cpp": b"",
            "include/python3.11/Python.h": b"",
        },
        ["*.h", "*.cpp"],
        {"p/p.h", "p/p.cpp"},
    ),
    Case(
        "a set-up, a test, and what was built with are no calls of a compiler",
        "toolchain",
        {
            "{site}/p/setup.py": b"build_ext\n",
            "{site}/p/tests/test_a.py": b"x = 'gcc'\n",
            "{site}/p/__config__.py": b"x = 'gcc'\n",
            "{site}/p/p.h": b"",
        },
        ["*.h"],
    ),
    Case(
        "a package that builds and has no headers needs none of Python's",
        "toolchain",
        {"{site}/p/a.py": b"import build_ext\n", "include/python3.11/Python.h": b""},
        ["include/*"],
    ),
    Case(
        "a library with a compiler in it keeps the headers of its package",
        "toolchain",
        {
            "{site}/q/.libs/libcl.so": make_elf() + bytes(17_000_000) + b"\0-internal-isystem\0",
            "{site}/q/big.so": make_elf() + bytes(17_000_000),
            "share/pcl/include/types.h": b"",
            "{site}/q/q.h": b"",
        },
        ["*.h"],
        {"share/pcl/include/types.h"},
        packages={
            "pocl": ["{site}/q/.libs/libcl.so", "share/pcl/include/types.h"],
            "q": ["{site}/q/big.so", "{site}/q/q.h"],
        },
    ),
    Case(
        "a command that entry points declare is no script of a build",
        "commands",
        {
            "bin/made-config": b"",
            "bin/c-config": b"",
            "{site}/made-1.dist-info/entry_points.txt": b"[console_scripts]\nmade-config = m:f\n",
            "{site}/made-1.dist-info/METADATA": b"Name: made\nVersion: 1\n",
        },
        ["bin/*-config"],
        {"bin/made-config"},
        make_rule(category="development"),
    ),
    Case(
        "a rule about the package may take its commands",
        "commands",
        {
            "bin/made-config": b"",
            "{site}/made-1.dist-info/entry_points.txt": b"[console_scripts]\nmade-config = m:f\n",
            "{site}/made-1.dist-info/METADATA": b"Name: made\nVersion: 1\n",
        },
        ["bin/*-config"],
        set(),
        make_rule(category="development", package=("made",)),
    ),
    Case(
        "plug-ins that are called test are no suite",
        "suites",
        {
            "{site}/p/plugins/__init__.py": b"",
            "{site}/p/plugins/test/__init__.py": b"",
            "{site}/p/plugins/test/core.py": b"",
            "{site}/p/plugins/test/core.yml": b"",
            "{site}/p/plugins/test/_write_one_test.py": b"",
            "{site}/p/tests/__init__.py": b"",
            "{site}/p/tests/helpers.py": b"",
            "{site}/p/tests/test_a.py": b"",
            "{site}/p/__init__.py": b"",
        },
        ["*/test/*", "*/tests/*"],
        {
            "p/plugins/test/__init__.py",
            "p/plugins/test/core.py",
            "p/plugins/test/core.yml",
            "p/plugins/test/_write_one_test.py",
        },
        make_rule(category="tests"),
    ),
    Case(
        "the tests of a project's skeleton are data",
        "suites",
        {
            "{site}/p/__init__.py": b"",
            "{site}/p/data/role/main.yml": b"",
            "{site}/p/data/role/tests/test_x.py": b"",
            "{site}/p/data/role/tests/test.yml": b"",
        },
        ["*/tests/*"],
        {"p/data/role/tests/test_x.py", "p/data/role/tests/test.yml"},
        make_rule(category="tests"),
    ),
    Case(
        "a template keeps its tests and its settings of version control",
        "suites",
        {
            "{site}/p/__init__.py": b"",
            "{site}/p/templates/default/__init__.py": b"",
            "{site}/p/templates/default/tests/__init__.py": b"",
            "{site}/p/starter_project/.gitignore": b"",
            "{site}/p/x/{{ name }}/.gitignore": b"",
            "{site}/p/.gitignore": b"",
            "{site}/p/templating/.gitignore": b"",
        },
        ["*/tests/*", "*/.gitignore"],
        {
            "p/templates/default/tests/__init__.py",
            "p/starter_project/.gitignore",
            "p/x/{{ name }}/.gitignore",
        },
        make_rule(category="leftovers"),
    ),
    Case(
        "a suite of a namespace package is a suite, and so is a lone init",
        "suites",
        {
            "{site}/n/p/a.py": b"",
            "{site}/n/p/tests/test_a.py": b"",
            "{site}/q/__init__.py": b"",
            "{site}/q/tests/__init__.py": b"",
        },
        ["*/tests/*"],
        set(),
        make_rule(category="tests"),
    ),
    Case(
        "macros in a folder called tests are no suite",
        "suites",
        {"{site}/p/project/__init__.py": b"", "{site}/p/project/tests/generic/builtin.sql": b""},
        ["*/tests/*"],
        {"p/project/tests/generic/builtin.sql"},
        make_rule(category="tests"),
    ),
    Case(
        "examples that code finds among the data of tests",
        "suites",
        {
            "{site}/p/__init__.py": b"",
            "{site}/p/testing/__init__.py": b"data = files('p').joinpath(*('tests', 'data'))\n",
            "{site}/p/tests/test_a.py": b"",
            "{site}/p/tests/data/a.nii": b"",
            "{site}/p/tests/templates/a.html": b"",
            "{site}/r/__init__.py": b"",
            "{site}/r/io/fits/util.py": b"join('tests', 'data')",
            "{site}/r/wcs/__init__.py": b"",
            "{site}/r/wcs/tests/test_a.py": b"",
            "{site}/r/wcs/tests/data/a.fits": b"",
            "{site}/q/__init__.py": b"'\n    >>> join(d, 'tests', 'data')\n'\n",
            "{site}/q/tests/test_a.py": b"x = join(d, 'tests', 'data')\n",
            "{site}/q/tests/data/a.nii": b"",
        },
        ["*/tests/*"],
        {"p/tests/data/a.nii"},
        make_rule(category="tests"),
    ),
    Case(
        "a rule about a package knows its suites",
        "suites",
        {"{site}/p/__init__.py": b"", "{site}/p/tests/a.py": b""},
        ["*/tests/*"],
        set(),
        make_rule(category="tests", package=("p",)),
    ),
    Case(
        "a file that code names stays",
        "data",
        {
            "{site}/p/a.py": b"open(d + '/defaults.yaml')\n",
            "{site}/p/d/defaults.yaml": b"",
            "{site}/p/d/unnamed.yaml": b"",
        },
        ["*.yaml"],
        {"p/d/defaults.yaml"},
    ),
    *(
        Case(
            f"a suffix alone {outcome} what a rule {limit}",
            "data",
            {
                "{site}/app/core.py": b"a = name + '.js'\nb = f'{x}.js'\nc = glob('js/app*.js')\n",
                "{site}/app/js/app.js": b"",
                "{site}/app/js/made.js": b"",
            },
            ["*.js"],
            stays,
            make_rule(package=package, remove=("{site}/app/js/app*.js", "{site}/app/js/*.js")),
        )
        for outcome, limit, package, stays in (
            ("gives way to", "for the package names", ("app",), {"app/js/made.js"}),
            ("holds", "for all packages names", (), {"app/js/made.js", "app/js/app.js"}),
        )
    ),
    Case(
        "a name alone holds what a rule for the package names",
        "data",
        {"{site}/app/core.py": b"a = 'app.js'\n", "{site}/app/js/app.js": b""},
        ["*.js"],
        {"app/js/app.js"},
        make_rule(package=("app",), remove=("{site}/app/js/app*.js",)),
    ),
    *(
        Case(
            f"a file called setup.py that {does}",
            "data",
            {"{site}/p/setup.py": code + b"add('t.json')\n", "{site}/p/t.json": b""},
            ["*.json"],
            stays,
        )
        for does, code, stays in (
            ("builds the package opens nothing", b"import numpy.distutils\n", set[str]()),
            ("is a module like others counts", b"import os\n", {"p/t.json"}),
        )
    ),
    Case(
        "a suffix alone speaks for all of its kind",
        "data",
        {
            "{site}/p/a.py": b"open(f'{d}/{n}.json')\n",
            "{site}/p/d/one.json": b"",
            "{site}/q/two.json": b"",
        },
        ["*.json"],
        {"p/d/one.json"},
    ),
    Case(
        "a package's own certificates stay with it, those of a copy with the copy",
        "data",
        {
            "{site}/certifi/core.py": b"",
            "{site}/certifi/cacert.pem": b"",
            "{site}/p/_vendor/certifi/core.py": b"",
            "{site}/p/_vendor/certifi/cacert.pem": b"",
            "{site}/q/_vendor/certifi/core.py": b"",
            "{site}/q/_vendor/certifi/cacert.pem": b"",
        },
        ["*/cacert.pem", "*/p/_vendor/*"],
        {"certifi/cacert.pem", "q/_vendor/certifi/cacert.pem"},
    ),
    Case(
        "but not for the data of tests",
        "data",
        {"{site}/p/a.py": b"open(n + '.csv')\n", "{site}/p/tests/d.csv": b""},
        ["*.csv"],
    ),
    Case(
        "a file without a suffix that code names stays",
        "data",
        {"{site}/p/a.py": b"v = read('VERSION')\n", "{site}/p/VERSION": b""},
        ["*VERSION"],
        {"p/VERSION"},
    ),
    Case(
        "code of another package is no evidence",
        "data",
        {"{site}/p/a.py": b"open('x.txt')\n", "{site}/q/x.txt": b""},
        ["*.txt"],
    ),
    Case(
        "certificates stay",
        "data",
        {"ssl/cacert.pem": b"", "{site}/certifi/core.py": b"", "{site}/certifi/cacert.pem": b""},
        ["*.pem"],
        {"ssl/cacert.pem", "certifi/cacert.pem"},
    ),
    Case(
        "data of a library stays with it",
        "data",
        {"lib/libproj.so.25": b"", "share/proj/proj.db": b""},
        ["share/*"],
        {"share/proj/proj.db"},
    ),
    Case(
        "data of a library that is not there may go",
        "data",
        {"share/proj/proj.db": b""},
        ["share/*"],
    ),
    Case(
        "data that C code opens stays with its library",
        "data",
        {"lib/libicudata.so.73": b"", "share/icu/73.1/icudt73l.dat": b""},
        ["share/*"],
        {"share/icu/73.1/icudt73l.dat"},
    ),
    Case(
        "one copy of the time zones stays",
        "data",
        {"share/zoneinfo/UTC": b"", "{site}/tzdata/zoneinfo/UTC": b""},
        ["*zoneinfo*"],
        {"tzdata/zoneinfo/UTC"},
    ),
    Case(
        "one copy of the time zones is enough",
        "data",
        {"share/zoneinfo/UTC": b"", "{site}/tzdata/zoneinfo/UTC": b""},
        ["share/*"],
    ),
    Case(
        "activation scripts stay with what they name",
        "activation",
        {
            "etc/conda/activate.d/a.sh": b'export G="${CONDA_PREFIX}/share/g"\n',
            "share/g/x": b"",
            "share/h/x": b"",
        },
        ["etc/*", "share/*"],
        {"etc/conda/activate.d/a.sh", "share/g/x"},
    ),
    Case(
        "a script that names the whole of lib keeps nothing",
        "activation",
        {"etc/conda/activate.d/a.sh": b"export L=$CONDA_PREFIX/lib\n", "lib/x.txt": b""},
        ["lib/x.txt"],
    ),
    Case(
        "Python's landmarks stay",
        "landmarks",
        {
            "pyvenv.cfg": b"",
            "{std}/_sysconfigdata__linux_.py": b"",
            "{std}/_sysconfigdata__linux_.py.orig": b"",
            "bin/python": Link("python3.11"),
        },
        ["*os.py", "*lib-dynload/*", "bin/python*", "pyvenv.cfg", "conda-meta/history", "*_sys*"],
        {
            "os.py",
            "pyvenv.cfg",
            "bin/python",
            "bin/python3.11",
            "conda-meta/history",
            "_sysconfigdata__linux_.py",
        },
    ),
    Case(
        "modules that C code imports stay",
        "landmarks",
        {"{std}/numbers.py": b"", "{std}/encodings/cp1252.py": b"", "{std}/turtle.py": b""},
        ["*numbers.py", "*/encodings/*", "*turtle.py"],
        {"numbers.py", "encodings/cp1252.py"},
    ),
    Case(
        "the parts every small Python leaves out may go",
        "landmarks",
        {"{std}/idlelib/a.py": b"", "{std}/lib2to3/b.py": b"", "{std}/ctypes/test/c.py": b""},
        ["*/idlelib/*", "*/lib2to3/*", "*/test/*"],
    ),
    Case(
        "conda-unpack stays with what it imports",
        "unpack",
        {
            "bin/conda-unpack": b"#!/usr/bin/env python\n",
            "bin/activate": b"",
            "bin/conda_unpack_progress.py": b"",
            "bin/other": b"",
        },
        ["bin/[aco]*"],
        {"bin/conda-unpack", "bin/activate", "bin/conda_unpack_progress.py"},
    ),
    Case(
        "a script of that name elsewhere is another",
        "unpack",
        {"bin/activate": b"", "share/conda-unpack": b""},
        ["bin/activate", "share/*"],
    ),
    Case(
        "a shared path stays when the rule is about one owner",
        "shared",
        {"lib/libwebp.txt": b""},
        ["lib/libwebp.txt"],
        {"lib/libwebp.txt"},
        make_rule(package=("libwebp",)),
        {"libwebp": ["lib/libwebp.txt"], "libwebp-base": ["lib/libwebp.txt"]},
    ),
    Case(
        "a rule about both owners may take it",
        "shared",
        {"lib/libwebp.txt": b""},
        ["lib/libwebp.txt"],
        set(),
        make_rule(package=("libwebp", "libwebp_base")),
        {"libwebp": ["lib/libwebp.txt"], "libwebp-base": ["lib/libwebp.txt"]},
    ),
    Case(
        "a general rule is about all owners",
        "shared",
        {"lib/x.txt": b""},
        ["lib/x.txt"],
        set(),
        make_rule(),
        {"a": ["lib/x.txt"], "b": ["lib/x.txt"]},
    ),
    Case(
        "a conda package and its distribution are one",
        "shared",
        DIST,
        ["*thing.py"],
        set(),
        make_rule(package=("python-thing",)),
        {"python-thing": ["{site}/thing.py"]},
    ),
    Case(
        "a package keeps its init while modules stay",
        "namespaces",
        {"{site}/p/__init__.py": b"", "{site}/p/q/__init__.py": b"", "{site}/p/q/r.py": b""},
        ["*__init__.py"],
        {"p/__init__.py", "p/q/__init__.py"},
    ),
    Case(
        "a package that goes whole keeps nothing",
        "namespaces",
        {"{site}/p/__init__.py": b"", "{site}/p/r.py": b""},
        ["*/p/*"],
    ),
    Case(
        "a namespace has no init to keep",
        "namespaces",
        {"{site}/n/p/__init__.py": b"", "{site}/n/q/r.py": b""},
        ["*/n/p/*"],
    ),
    Case(
        "an extension module keeps the modules beside it",
        "siblings",
        {"{site}/p/_c.abi3.so": b"", "{site}/p/_validation.py": b"", "{site}/p/q/r.py": b""},
        ["*_validation.py", "*/q/*"],
        {"p/_validation.py"},
    ),
    Case(
        "a rule about the package knows better",
        "siblings",
        {"{site}/p/_c.abi3.so": b"", "{site}/p/_validation.py": b""},
        ["*_validation.py"],
        rule=make_rule(package=("p",)),
    ),
    Case(
        "a rule about the package was wrong where its extension module is needed",
        "siblings",
        {"{site}/q.py": b"import p._c\n", "{site}/p/_c.abi3.so": b"", "{site}/p/_shared.so": b""},
        ["*/p/*"],
        {"p/_shared.so"},
        rule=make_rule(package=("p",)),
    ),
    Case(
        "what looks like tests is not imported by name",
        "siblings",
        {
            "{site}/p/_c.abi3.so": b"",
            "{site}/p/conftest.py": b"",
            "{site}/p/tests/__init__.py": b"",
            "{site}/p/test_it.py": b"",
        },
        ["*test*"],
    ),
    Case(
        "a computed name may be any sibling",
        "siblings",
        {
            "{site}/p/__init__.py": b"import importlib\nimportlib.import_module('.' + n, 'p')\n",
            "{site}/p/a.py": b"",
        },
        ["*/p/a.py"],
        {"p/a.py"},
    ),
    Case(
        "a computed name with a literal start names the package",
        "siblings",
        {
            "{site}/q.py": b"import importlib\nimportlib.import_module(f'p.{n}')\n",
            "{site}/p/__init__.py": b"",
            "{site}/p/a.py": b"",
        },
        ["*/p/a.py"],
        {"p/a.py"},
    ),
    Case(
        "a literal name is no computed one",
        "siblings",
        {
            "{site}/p/__init__.py": b"import importlib\nimportlib.import_module('os')\n",
            "{site}/p/a.py": b"",
        },
        ["*/p/a.py"],
    ),
    Case(
        "a rule about the package knows its modules",
        "siblings",
        {"{site}/p/_c.abi3.so": b"", "{site}/p/a.py": b""},
        ["*/p/a.py"],
        rule=make_rule(package=("p",)),
    ),
    Case(
        "a part that is needed holds the rest of a package that was to go whole",
        "whole",
        {"{site}/p/a.py": b"", "{site}/p/b.py": b"", "{site}/c.py": b"import p.a\n"},
        ["*/p/*"],
        {"p/b.py"},
        rule=make_rule(whole=True),
        packages={"p": ["{site}/p/a.py", "{site}/p/b.py"]},
    ),
    Case(
        "a package of which nothing is needed goes whole",
        "whole",
        {"{site}/p/a.py": b"", "{site}/p/b.py": b""},
        ["*/p/*"],
        rule=make_rule(whole=True),
        packages={"p": ["{site}/p/a.py", "{site}/p/b.py"]},
    ),
    *SOURCE_CASES,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.guard}: {case.id}")
def test_guard(case: Case, tmp_path: Path) -> None:
    report = guarded(
        tmp_path,
        case.files,
        case.doomed,
        packages=case.packages,
        rules={case.rule.id: case.rule},
        rule=case.rule.id,
    )
    found = {path for path, guard in rescued(report).items() if guard == case.guard}
    assert found == case.stays


def test_lib_dynload_stays_as_a_folder(tmp_path: Path) -> None:
    from condaprune.guards import examine
    from condaprune.sources.prefix import PrefixSource
    from tests.trees import make_prefix

    source = PrefixSource(str(make_prefix(tmp_path / "env", {})))
    folder = "lib/python3.11/lib-dynload"
    report = examine(source.inventory(), source, {folder: "r", f"{folder}/_ssl.so": "r"})
    assert report.vetoes[folder].guard == "landmarks"
