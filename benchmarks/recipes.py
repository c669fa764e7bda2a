"""The recipes that people paste, as data: what each runs, and where it stands.

Commands are as their authors wrote them, with the version of the environment's Python in place of
theirs, `rm -f` where they would stop at a file that is not there, and the environment in place of
the whole container. They run with the environment as working folder.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """A list of shell commands. ``{python}`` in them stands for the folder, like ``python3.12``.

    `tools` are the programs that it needs beside a shell, find and rm.
    """

    name: str
    source: str
    commands: tuple[str, ...]
    tools: tuple[str, ...] = ()
    note: str = ""

    def script(self, python: str) -> str:
        """The commands for one shell, which stops at the first that fails."""
        return "set -e\n" + "\n".join(self.commands).replace("{python}", python)


SIX_FINDS = (
    "find . -name '*.a' -delete",
    "find . -name '__pycache__' -type d -exec rm -rf '{}' '+'",
    *(
        f"if [ -d lib/{{python}}/site-packages/{name} ]; then "
        f"find lib/{{python}}/site-packages/{name} -name 'tests' -type d "
        "-exec rm -rf '{}' '+'; fi"
        for name in ("scipy", "numpy", "pandas")
    ),
    "find lib/{python}/site-packages -name '*.pyx' -delete",
)
"""The `find` commands of the guide of 2021, which the target of speed is measured against."""

_SANITIZERS = tuple(f"lib/lib{kind}san.so.*" for kind in "atl") + ("lib/libubsan.so.*",)
_PROGRAMS = ("bin/x86_64-conda-linux-gnu-ld", "bin/sqlite3", "bin/openssl", "share/terminfo")

TIPS = Recipe(
    "tips of 2019",
    "https://jcristharif.com/conda-docker-tips.html",
    (
        "find . -follow -type f -name '*.a' -delete",
        "find . -follow -type f -name '*.pyc' -delete",
        "find . -follow -type f -name '*.js.map' -delete",
        (
            "if [ -d lib/{python}/site-packages/bokeh/server/static ]; then "
            "find lib/{python}/site-packages/bokeh/server/static -follow -type f -name '*.js' "
            "! -name '*.min.js' -delete; fi"
        ),
    ),
    note="its `conda clean -afy` has nothing to do here: no package cache lies in the environment",
)
GUIDE = Recipe(
    "guide of 2021",
    "https://uwekorn.com/2021/03/01/deploying-conda-environments-in-docker-how-to-do-it-right.html",
    (
        *SIX_FINDS,
        "rm -rf conda-meta include lib/lib{python}.so.1.0",
        "rm -rf lib/{python}/site-packages/pip lib/{python}/idlelib lib/{python}/ensurepip "
        + " ".join((*_SANITIZERS, *_PROGRAMS)),
        "rm -rf lib/{python}/site-packages/uvloop/loop.c",
    ),
)
CHEAT_SHEET = Recipe(
    "cheat-sheet of 2021",
    "https://uwekorn.com/2021/03/03/deploying-conda-environments-in-docker-cheatsheet.html",
    (
        *SIX_FINDS[:2],
        "rm -rf conda-meta include lib/libpython*.so.* lib/{python}/site-packages/pip "
        "lib/{python}/idlelib lib/{python}/ensurepip " + " ".join((*_SANITIZERS, *_PROGRAMS)),
    ),
)
DOCKER_LIBRARY = Recipe(
    "docker-library/python",
    "https://github.com/docker-library/python/blob/master/Dockerfile-linux.template",
    (
        (
            "find . -depth \\( \\( -type d -a \\( -name test -o -name tests -o -name idle_test \\) "
            "\\) -o \\( -type f -a \\( -name '*.pyc' -o -name '*.pyo' -o -name 'libpython*.a' \\) "
            "\\) \\) -exec rm -rf '{}' +"
        ),
    ),
    note="made for a Python without packages, before any is installed",
)
SERVERLESS = Recipe(
    "serverless slim",
    "https://github.com/serverless/serverless-python-requirements/blob/master/lib/slim.js",
    (
        "cd lib/{python}/site-packages",
        "find . -name '*.so' -exec strip '{}' ';'",
        "find . -name '*.py[c|o]' -delete",
        "find . -depth -name '__pycache__*' -exec rm -rf '{}' '+'",
        "find . -depth -name '*.dist-info*' -exec rm -rf '{}' '+'",
    ),
    tools=("strip",),
    note="made for the folder that pip installed into: site-packages here",
)
RECIPES = (TIPS, GUIDE, CHEAT_SHEET, DOCKER_LIBRARY, SERVERLESS)

FILTERS = (
    "*.a",
    "*/__pycache__/*",
    "*/site-packages/scipy/*/tests/*",
    "*/site-packages/numpy/*/tests/*",
    "*/site-packages/pandas/tests/*",
    "*.pyx",
    "include/*",
    "lib/libpython*.so.1.0",
    "*/site-packages/pip/*",
    "lib/python*/idlelib/*",
    "lib/python*/ensurepip/*",
    "lib/lib?san.so.*",
    "lib/libubsan.so.*",
    "bin/x86_64-conda-linux-gnu-ld",
    "bin/sqlite3",
    "bin/openssl",
    "share/terminfo/*",
)
"""What `GUIDE` deletes as patterns of `conda-pack --exclude`, whose ``*`` crosses ``/``.

conda-pack writes records of its own into conda-meta, which no filter reaches.
"""

EMPACK = "https://github.com/emscripten-forge/empack/blob/main/config/empack_config.yaml"
