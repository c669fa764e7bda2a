"""Tools of developers: tests, checkers, builders."""

from __future__ import annotations

from .helpers import runs
from .model import Group

GROUPS: dict[str, Group] = {
    "tools": Group(
        (
            "pytest",
            "pytest-cov",
            "pytest-xdist",
            "pytest-asyncio",
            "hypothesis",
            "black",
            "mypy",
            "pylint",
            "flake8",
            "ruff",
            "coverage",
            "isort",
            "types-requests",
        ),
        {
            "pytest rewrites assertions and runs doctests": runs("""
                write('test_a.py', 'def f():\\n    \\'\\'\\'\\n    >>> 1 + 1\\n    2\\n    \\'\\'\\'\\n'
                      'def test_a(tmp_path, monkeypatch, capsys):\\n    assert [1, 2] == [1, 3]\\n')
                said = run('pytest', '-q', '--doctest-modules', 'test_a.py', wanted=1)
                assert 'At index 1 diff' in said and '1 passed' in said, said
            """),
            "pytest's plugins": runs("""
                write('test_a.py', 'import asyncio, pytest\\n@pytest.mark.asyncio\\n'
                      'async def test_a(): await asyncio.sleep(0)\\n'
                      'from hypothesis import given, strategies as s\\n'
                      '@given(s.integers())\\ndef test_b(x): assert x == x\\n')
                said = run('pytest', '-q', '-n', '2', '--cov', '.', '--cov-report', 'html',
                           'test_a.py')
                assert '2 passed' in said and os.path.getsize('htmlcov/index.html')
            """),
            "pytest tests plugins": runs("""
                write('conftest.py', 'pytest_plugins = ["pytester"]')
                write('test_a.py', 'def test_a(pytester):\\n'
                      '    pytester.makepyfile("def test_x(): pass")\\n'
                      '    pytester.runpytest_subprocess().assert_outcomes(passed=1)\\n')
                run('pytest', '-q', 'test_a.py')
            """),
            "hypothesis": runs("""
                from hypothesis import given, strategies as s
                @given(s.text(), s.timezones(), s.emails())
                def f(a, b, c): assert isinstance(a, str)
                f(); run('hypothesis', 'write', 'json.dumps')
            """),
            "black": runs("""
                write('a.py', 'x = {  "a":1 }'); run('black', 'a.py')
                assert open('a.py').read() == 'x = {"a": 1}\\n'
                import black; assert black.format_str('match x:\\n  case  1: pass', mode=black.Mode())
            """),
            "mypy reads its stubs": runs("""
                write('a.py', 'import json, requests\\nx: int = json.dumps(1)\\n'
                      'reveal_type(requests.get("a").status_code)\\n')
                said = run('mypy', 'a.py', wanted=1)
                assert 'incompatible type' in said.lower() or 'Incompatible types' in said, said
                assert '"int"' in said or 'builtins.int' in said, said
                assert 'library stubs' not in said.lower(), said
            """),
            "mypy writes and tests stubs": runs("""
                write('m_.py', 'def f(a=1): return a\\n'); run('stubgen', 'm_.py')
                assert 'def f' in open('out/m_.pyi').read()
                run('dmypy', 'run', 'm_.py'); run('dmypy', 'stop')
            """),
            "mypyc compiles": runs("""
                write('m_.py', 'def f(a: int) -> int:\\n    return a + 1\\n')
                run('mypyc', 'm_.py'); os.remove('m_.py'); sys.path.insert(0, '.')
                import m_; assert m_.f(1) == 2
            """),
            "pylint": runs("""
                write('a.py', 'import os, collections, numpy\\nx=collections.OrderedDict().nope()')
                said = subprocess.run(['pylint', 'a.py'], text=True, stdout=-1).stdout
                assert 'unused-import' in said and 'no-member' in said, said
            """),
            "pylint spells out messages": runs("""
                assert 'unused' in run('pylint', '--help-msg=unused-import')
                assert run('pylint', '--generate-toml-config'); run('symilar', '--help')
            """),
            "flake8, isort and ruff": runs("""
                write('a.py', 'import os\\n')
                assert 'F401' in run('flake8', 'a.py', wanted=1)
                assert 'F401' in run('ruff', 'check', 'a.py', wanted=1)
                run('isort', 'a.py')
            """),
            "coverage as HTML": runs("""
                write('a.py', 'x = 1\\n'); run('coverage', 'run', 'a.py')
                run('coverage', 'html'); run('coverage', 'xml'); run('coverage', 'json')
                assert os.path.getsize('htmlcov/index.html')
            """),
        },
    ),
    "builders": Group(
        (
            "cookiecutter",
            "poetry",
            "build",
            "hatchling",
            "hatch",
            "flit",
            "pdm",
            "virtualenv",
            "setuptools",
            "wheel",
            "meson",
            "meson-python",
            "cmake",
            "ninja",
            "scikit-build-core",
            "pybind11",
            "uv",
            "tox",
            "nox",
            "twine",
            "pre-commit",
        ),
        {
            "build with hatchling": runs("""
                write('p/pyproject.toml', '[build-system]\\nrequires = ["hatchling"]\\n'
                      'build-backend = "hatchling.build"\\n[project]\\nname = "made"\\n'
                      'version = "1"\\nlicense = "MIT"\\n')
                write('p/made/__init__.py', '')
                run('python', '-m', 'build', '--no-isolation', 'p')
                assert len(os.listdir('p/dist')) == 2
                run('twine', 'check', *('p/dist/' + n for n in os.listdir('p/dist')))
            """),
            "build with setuptools": runs("""
                write('p/setup.py', 'from setuptools import setup\\n'
                      'setup(name="made", version="1", py_modules=["made"])')
                write('p/made.py', '')
                run('python', '-m', 'build', '--no-isolation', '--wheel', 'p')
            """),
            "pip installs a wheel": runs("""
                write('p/pyproject.toml', '[build-system]\\nrequires = ["flit_core"]\\n'
                      'build-backend = "flit_core.buildapi"\\n[project]\\nname = "made"\\n'
                      'version = "1"\\ndescription = "a"\\n[project.scripts]\\np_y = "made:f"\\n')
                write('p/made.py', 'def f(): print("it")')
                run('python', '-m', 'build', '--no-isolation', '--wheel', 'p')
                import pip
                run('python', '-m', 'pip', 'install', '--no-index', '--target', 't',
                    *('p/dist/' + n for n in os.listdir('p/dist')))
                assert os.path.exists('t/made.py')
            """),
            "a virtual environment with pip": runs("""
                run('virtualenv', '--no-download', 'v')
                run('v/bin/python', '-m', 'pip', '--version'); run('v/bin/pip', 'list')
            """),
            "cookiecutter": runs("""
                write('t/cookiecutter.json', '{"name": "a"}')
                write('t/{{cookiecutter.name}}/{{cookiecutter.name}}.py',
                      'x = "{{cookiecutter.name|slugify}}"')
                run('cookiecutter', '--no-input', 't'); assert os.path.exists('a/a.py')
            """),
            "poetry begins and builds a project": runs("""
                run('poetry', 'new', 'made'); os.chdir('made')
                run('poetry', 'check'); run('poetry', 'build'); run('poetry', 'about')
            """),
            "hatch begins a project": runs("""
                run('hatch', 'new', 'p y'); os.chdir('p-y'); run('hatch', 'status')
                run('hatch', 'env', 'show')
            """),
            "pdm begins a project": runs("""
                run('pdm', 'init', '--non-interactive', '--python', sys.executable)
                assert os.path.exists('pyproject.toml')
                run('pdm', 'info'); run('pdm', 'completion', 'bash')
            """),
            "meson configures and ninja builds": runs("""
                write('p/meson.build', "project('a', 'c')\\nexecutable('a', 'a.c')\\n")
                write('p/a.c', 'int main(void) { return 0; }')
                run('meson', 'setup', 'b', 'p'); run('ninja', '-C', 'b'); run('b/a')
            """),
            "meson begins a project": runs("""
                os.mkdir('q'); run('meson', 'init', '--name', 'x', '--language', 'c', cwd='q')
                run('meson', 'setup', 'b', cwd='q'); run('meson', 'test', '-C', 'b', cwd='q')
            """),
            "cmake has its modules": runs("""
                write('p/CMakeLists.txt', 'cmake_minimum_required(VERSION 3.15)\\n'
                      'project(a C)\\ninclude(CTest)\\ninclude(CheckIncludeFile)\\n'
                      'find_package(Threads)\\nadd_executable(a a.c)\\n')
                write('p/a.c', 'int main(void) { return 0; }')
                run('cmake', '-S', 'p', '-B', 'b', '-G', 'Ninja'); run('cmake', '--build', 'b')
                run('ctest', '--test-dir', 'b'); run('cmake', '--help-module', 'CTest')
            """),
            "cmake has its modules in a folder of tests": runs("""
                write('p/CMakeLists.txt', 'cmake_minimum_required(VERSION 3.15)\\n'
                      'project(a C CXX)\\ninclude(CheckCXXSourceCompiles)\\n'
                      'check_cxx_source_compiles("int main(){}" X)\\n'
                      'include(GenerateExportHeader)\\nadd_library(a SHARED a.cpp)\\n'
                      'generate_export_header(a)\\ninclude(CMakePackageConfigHelpers)\\n'
                      'include(FetchContent)\\ninclude(ExternalProject)\\n'
                      'set(CPACK_GENERATOR TGZ)\\ninclude(CPack)\\ninstall(TARGETS a)\\n')
                write('p/a.cpp', 'int f() { return 0; }')
                run('cmake', '-S', 'p', '-B', 'b'); run('cmake', '--build', 'b')
                run('cpack', cwd='b')
            """),
            "uv makes an environment": runs("""
                run('uv', 'venv', '--offline', '--python', sys.executable, 'v')
                run('v/bin/python', '-c', 'import json'); run('uv', 'init', 'p', '--offline')
            """),
            "tox, nox and pre-commit": runs("""
                run('tox', '--version')
                write('tox.ini', '[testenv]\\nskip_install = true\\ncommands = python -c 1\\n')
                run('tox', 'config'); write('noxfile.py', 'import nox\\n'
                    '@nox.session(python=False)\\ndef a(s): s.run("python", "-c", "1")\\n')
                run('nox'); run('pre-commit', 'sample-config')
            """),
            "pre-commit's own resources": runs("""
                run('git', 'init', '-q', '.'); run('pre-commit', 'install')
                assert os.path.getsize('.git/hooks/pre-commit')
            """),
        },
    ),
}
