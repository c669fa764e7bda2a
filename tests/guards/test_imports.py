"""The imports guard: what counts as an import, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guards.helpers import guarded, rescued

PACKAGE = {
    "{site}/app/__init__.py": b"",
    "{site}/app/tests/__init__.py": b"",
    "{site}/app/tests/tools.py": b"from .deep import x\n",
    "{site}/app/tests/deep.py": b"x = 1\n",
    "{site}/app/tests/test_app.py": b"from .tools import x\n",
}
DOOMED = ["{site}/app/tests/*"]
ALL_NEEDED = {"app/tests/__init__.py", "app/tests/tools.py", "app/tests/deep.py"}


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import app.tests.tools", id="a module-level import"),
        pytest.param("import os, app.tests.tools as t", id="one of several names"),
        pytest.param("import os; import app.tests.tools", id="after a semicolon"),
        pytest.param("from app.tests import tools", id="a submodule imported from its package"),
        pytest.param("from app.tests.tools import x", id="a name from the module"),
        pytest.param("from .tests.tools import x", id="a relative import"),
        pytest.param("from . import tests\nfrom .tests import (\n  tools,  # )\n)", id="brackets"),
        pytest.param("from .tests \\\n  import tools", id="a continued line"),
        pytest.param("from .tests.tools import *", id="a star import"),
        pytest.param("def f():\n    import app.tests.tools", id="an import in a function"),
        pytest.param("try:\n import app.tests.tools\nexcept ImportError: pass", id="in try"),
        pytest.param(
            "import importlib\nimportlib.import_module('app.tests.tools')", id="import_module"
        ),
        pytest.param(
            "from importlib import import_module as i\ni('app.tests.tools')", id="under an alias"
        ),
        pytest.param(
            "import importlib\nimportlib.import_module('.tests.tools', __package__)",
            id="import_module with a relative name",
        ),
        pytest.param(
            "import importlib\nimportlib.import_module('.tools', 'app.tests')",
            id="import_module relative to a named package",
        ),
        pytest.param("__import__('app.tests.tools')", id="__import__"),
        pytest.param("__import__('app.tests', fromlist=['tools'])", id="__import__ with a list"),
        pytest.param("HANDLER = 'app.tests.tools.Handler'", id="a dotted string"),
        pytest.param("x = 'app.tests.tools' in MODULES or sys.modules", id="in another list"),
        pytest.param("HANDLER = 'app.tests.tools:Handler'", id="a string with a colon"),
        pytest.param(
            "import importlib\ndef f(n):\n    importlib.import_module(f'app.tests.{n}')",
            id="a computed name with a literal start",
        ),
        pytest.param("if TYPE_CHECKING:\n pass\nelse:\n import app.tests.tools", id="in an else"),
        pytest.param("print 'old'\nimport app.tests.tools", id="Python 2, which does not parse"),
        pytest.param("import app.tests.tools\n# caf\xe9", id="Latin-1 without a declaration"),
        pytest.param("match = 1\nimport app.tests.tools\r\n", id="line ends of Windows"),
    ],
)
def test_an_import_rescues_the_module_and_what_that_imports(tmp_path: Path, code: str) -> None:
    report = guarded(tmp_path, {**PACKAGE, "{site}/app/core.py": code.encode("latin-1")}, DOOMED)
    assert rescued(report).keys() >= ALL_NEEDED


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import app.tests.tools",
            id="for type checkers only",
        ),
        pytest.param(
            "import typing as t\nif t.TYPE_CHECKING:\n    from .tests import tools\nx = 1",
            id="for type checkers only, by attribute",
        ),
        pytest.param('"""Docs.\n\nimport app.tests.tools\n"""', id="in a docstring"),
        pytest.param("def f():\n    '''See app.tests.tools.'''", id="named in a docstring"),
        pytest.param("# import app.tests.tools", id="in a comment"),
        pytest.param("import tests", id="another module of the same last name"),
        pytest.param("import app.testsuite", id="a longer name"),
        pytest.param("from . import tests_of", id="a longer relative name"),
        pytest.param("ok = name.startswith('app.tests.')", id="a prefix compared with"),
        pytest.param("run = 'tests'", id="a word without a dot"),
        pytest.param("ok = 'app.tests.tools' not in sys.modules", id="asked for in sys.modules"),
        pytest.param("tools = sys.modules.get('app.tests.tools')", id="got from sys.modules"),
        pytest.param("tools = sys.modules['app.tests.tools']", id="taken from sys.modules"),
        pytest.param("x = 'tests.csv'", id="a file name"),
    ],
)
def test_what_is_no_import_rescues_nothing(tmp_path: Path, code: str) -> None:
    report = guarded(tmp_path, {**PACKAGE, "{site}/app/core.py": code.encode()}, DOOMED)
    assert rescued(report) == {}


def test_imports_among_doomed_files_rescue_nothing(tmp_path: Path) -> None:
    assert rescued(guarded(tmp_path, PACKAGE, DOOMED)) == {}


def test_the_evidence_names_file_line_and_module_and_chains_to_the_root(tmp_path: Path) -> None:
    core = b"import os\n\nimport app.tests.tools\n"
    report = guarded(tmp_path, {**PACKAGE, "{site}/app/core.py": core}, DOOMED)
    site = "lib/python3.11/site-packages"
    tools = report.vetoes[f"{site}/app/tests/tools.py"]
    deep = report.vetoes[f"{site}/app/tests/deep.py"]
    assert tools.because == "app/core.py:3 imports app.tests.tools"
    assert tools.needs == f"{site}/app/core.py"
    assert deep.because == "app/tests/tools.py:1 imports app.tests.deep"
    assert deep.needs == f"{site}/app/tests/tools.py"


@pytest.mark.parametrize(
    ("path", "content"),
    [
        pytest.param(
            "bin/app",
            b"#!/env/bin/python3.11\nfrom app.tests.tools import main\n",
            id="a console script",
        ),
        pytest.param(
            "bin/app",
            b"#!/bin/sh\n'''exec' /long/bin/python \"$0\" \"$@\"\n' '''\n"
            b"from app.tests.tools import main\n",
            id="a script with a long shebang",
        ),
        pytest.param("{site}/x.pth", b"import os; import app.tests.tools\n", id="a .pth line"),
        pytest.param(
            "{site}/app-1.dist-info/entry_points.txt",
            b"[plugins]\nname = app.tests.tools:Plugin [extra]\n",
            id="an entry point",
        ),
        pytest.param("{site}/old.py", b"import app.tests.tools\n", id="a module at the top"),
        pytest.param("{std}/other.py", b"import app.tests.tools\n", id="the standard library"),
        pytest.param("app/main.py", b"import app.tests.tools\n", id="a file of the user's own"),
    ],
)
def test_imports_are_seen_wherever_code_is(tmp_path: Path, path: str, content: bytes) -> None:
    report = guarded(tmp_path, {**PACKAGE, path: content}, DOOMED)
    assert rescued(report).keys() >= ALL_NEEDED


def test_a_folder_on_the_path_by_pth_keeps_its_modules(tmp_path: Path) -> None:
    files = {"{site}/extra.pth": b"vendored\n", "{site}/vendored/thing.py": b""}
    assert rescued(guarded(tmp_path, files, ["*/vendored/*"])) == {"vendored/thing.py": "imports"}


def test_a_script_keeps_the_module_beside_it(tmp_path: Path) -> None:
    files = {"app/main.py": b"import helper\n", "app/helper.py": b"", "app/other.py": b""}
    report = guarded(tmp_path, files, ["app/helper.py", "app/other.py"])
    assert set(report.vetoes) == {"app/helper.py"}


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        pytest.param(b"from .helper import x\n", {"__init__", "helper"}, id="from a module"),
        pytest.param(b"from . import helper\n", {"__init__", "helper"}, id="from the package"),
        pytest.param(b"from ..app import helper\n", {"__init__", "helper"}, id="by its parent"),
        pytest.param(b"from .. import helper\n", set[str](), id="from another folder"),
    ],
)
def test_an_application_keeps_what_it_imports_by_dots(
    tmp_path: Path, code: bytes, kept: set[str]
) -> None:
    files = {"app/main.py": code, **{f"app/{n}.py": b"" for n in ("__init__", "helper", "other")}}
    report = guarded(tmp_path, files, [f"app/{n}.py" for n in ("__init__", "helper", "other")])
    assert set(report.vetoes) == {f"app/{name}.py" for name in kept}


@pytest.mark.parametrize(
    ("folder", "rescued_too"),
    [
        pytest.param("envs/other/lib/python3.8", False, id="another environment's library"),
        pytest.param("envs/other/bin", True, id="its scripts, which may be run by this Python"),
        pytest.param("envs/none/lib/python3.8", True, id="a folder that is no environment"),
    ],
)
def test_code_of_an_environment_inside_this_one_imports_its_own(
    tmp_path: Path, folder: str, rescued_too: bool
) -> None:
    files = {
        f"{folder}/code.py": b"import app.tests, importlib\nimportlib.import_module('app.t' + x)\n",
        "envs/other/conda-meta/history": b"",
        "{site}/app/__init__.py": b"",
        "{site}/app/tests.py": b"",
    }
    report = guarded(tmp_path, files, ["*/app/tests.py"])
    assert bool(report.vetoes) is rescued_too


@pytest.mark.parametrize(
    "suffix", [".py", ".so", ".cpython-311-x86_64-linux-gnu.so", ".abi3.so", ".pyc"]
)
def test_every_form_of_a_module_is_one(tmp_path: Path, suffix: str) -> None:
    files = {
        "{site}/app/__init__.py": b"from . import fast\n",
        f"{{site}}/app/fast{suffix}": b"x",
    }
    report = guarded(tmp_path, files, [f"*/app/fast{suffix}"])
    assert rescued(report) == {f"app/fast{suffix}": "imports"}


def test_a_source_beside_its_extension_module_is_not_needed(tmp_path: Path) -> None:
    files = {
        "{site}/app.py": b"import fast\n",
        "{site}/fast.py": b"",
        "{site}/fast.abi3.so": b"",
    }
    assert rescued(guarded(tmp_path, files, ["*/fast.py"])) == {}


def test_names_in_all_of_a_package_are_imported_by_a_star(tmp_path: Path) -> None:
    files = {**PACKAGE, "{site}/app/__init__.py": b"__all__ = ['tests']\n"}
    assert "app/tests/__init__.py" in rescued(guarded(tmp_path, files, DOOMED))


def test_names_for_dir_are_for_people(tmp_path: Path) -> None:
    code = b"def __getattr__(n): ...\ndef __dir__():\n    return {'tests'}\n"
    files = {**PACKAGE, "{site}/app/__init__.py": code}
    assert rescued(guarded(tmp_path, files, DOOMED)) == {}


def test_announced_imports_do_not_count(tmp_path: Path) -> None:
    files = {
        "{std}/distutils/util.py": b"def run_2to3():\n    from lib2to3.refactor import x\n",
        "{std}/lib2to3/__init__.py": b"",
        "{std}/lib2to3/refactor.py": b"",
    }
    assert rescued(guarded(tmp_path, files, ["*/lib2to3/*"])) == {}


def test_ensurepip_run_in_a_child_process_is_for_the_rule_to_announce(tmp_path: Path) -> None:
    files = {
        "{std}/venv/__init__.py": b"cmd = [python, '-m', 'ensurepip', '--upgrade']\n",
        "{std}/ensurepip/__init__.py": b"",
    }
    assert rescued(guarded(tmp_path, files, ["*/ensurepip/*"])) == {}


def test_a_file_that_does_not_parse_is_told_of(tmp_path: Path) -> None:
    files = {**PACKAGE, "{site}/app/core.py": b"print 'x'\nimport app.tests.tools\n"}
    assert "1 Python file could not be parsed" in guarded(tmp_path, files, DOOMED).notes[0]


def test_a_path_that_is_no_text_is_taken_in_stride(tmp_path: Path) -> None:
    files = {**PACKAGE, "{site}/app/\udcff.py": b"import app.tests.tools\n"}
    assert rescued(guarded(tmp_path, files, DOOMED)).keys() >= ALL_NEEDED


@pytest.mark.parametrize(
    ("rule", "doomed", "stays"),
    [
        pytest.param("--only-traced", ["bin/app"], False, id="untraced, with its script"),
        pytest.param("--only-traced", [], True, id="untraced, but the script stays"),
        pytest.param("test-rule", ["bin/app"], True, id="wanted by a rule"),
    ],
)
def test_a_command_without_its_script_needs_no_module(
    tmp_path: Path, rule: str, doomed: list[str], stays: bool
) -> None:
    points = b"[console_scripts]\napp = app.tests.tools:main\n"
    files = {**PACKAGE, "{site}/app-1.dist-info/entry_points.txt": points, "bin/app": b"binary"}
    report = guarded(tmp_path, files, [*DOOMED, *doomed], rule=rule)
    assert ("app/tests/tools.py" in rescued(report)) is stays


def test_a_plug_in_stays_whatever_becomes_of_a_script_of_its_name(tmp_path: Path) -> None:
    points = b"[console_scripts]\n[ app.plugins ]\napp = app.tests.tools:Plugin\n"
    files = {**PACKAGE, "{site}/app-1.dist-info/entry_points.txt": points, "bin/app": b"binary"}
    report = guarded(tmp_path, files, [*DOOMED, "bin/app"], rule="--only-traced")
    assert "app/tests/tools.py" in rescued(report)
