"""What makes an environment differ from a plain one, after it was installed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from .cache import remove_tree
from .interpreter import Interpreter
from .model import Variant, run_in_prefix
from .packages.download import download
from .packages.staging import write
from .packages.wheelfile import write_wheel

CODE = ("packages/wheelfile", "variants")

#: The distribution that the pip variant adds, and the module of the editable one.
PIP_DISTRIBUTION = "pipdemo"
EDITABLE_DISTRIBUTION = "editdemo"


def apply(variant: Variant, prefix: Path, interpreter: Interpreter) -> None:
    """Change the installed environment in `prefix` into this variant of it.

    Variants that are a matter of how to install have nothing to do here.
    """
    action = _ACTIONS.get(variant)
    if action is not None:
        action(prefix, interpreter)


def pip_install(prefix: Path, interpreter: Interpreter, requirements: Sequence[str]) -> None:
    """Install requirements with the environment's own pip, from wheels that were downloaded."""
    wheels = download(interpreter, requirements)
    run_in_prefix(prefix, "python", *_PIP, "--find-links", str(wheels[0].parent), *requirements)


def side_folder(prefix: Path, what: str) -> Path:
    """A folder beside the prefix, for what belongs to an environment and lies outside of it."""
    return prefix.with_name(f"{prefix.name}.{what}")


_PIP = (
    "-m",
    "pip",
    "install",
    "--quiet",
    "--no-index",
    "--disable-pip-version-check",
    "--root-user-action=ignore",
)


def _pip_on_top(prefix: Path, interpreter: Interpreter) -> None:
    """A distribution that only pip knows, and pip's click over the one that conda recorded."""
    folder = side_folder(prefix, "wheels")
    module = "def main() -> None:\n    print('pipdemo runs')\n"
    wheel = write_wheel(
        folder,
        PIP_DISTRIBUTION,
        "1.0",
        files={
            "pipdemo/__init__.py": module,
            "pipdemo/tests/test_pipdemo.py": "def test() -> None: ...\n",
        },
        scripts=("pipdemo = pipdemo:main",),
        data={"share/pipdemo/notes.txt": "notes\n"},
    )
    run_in_prefix(prefix, "python", *_PIP, "--no-deps", str(wheel))
    remove_tree(folder)
    click = next(
        path for path in download(interpreter, ["click"]) if path.name.startswith("click-")
    )
    run_in_prefix(prefix, "python", *_PIP, "--no-deps", "--force-reinstall", str(click))


def _editable(prefix: Path, _: Interpreter) -> None:
    """A project outside of the prefix, which the environment refers to."""
    project = side_folder(prefix, "src") / EDITABLE_DISTRIBUTION
    remove_tree(project)
    settings = (
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n',
        f'[project]\nname = "{EDITABLE_DISTRIBUTION}"\nversion = "1.0"\n',
        f'[project.scripts]\n{EDITABLE_DISTRIBUTION} = "{EDITABLE_DISTRIBUTION}:main"\n',
        f'[tool.setuptools]\npackages = ["{EDITABLE_DISTRIBUTION}"]\n',
    )
    write(project / "pyproject.toml", "\n".join(settings))
    write(
        project / EDITABLE_DISTRIBUTION / "__init__.py",
        "def main() -> None:\n    print('editdemo runs')\n",
    )
    run_in_prefix(
        prefix, "python", *_PIP, "--no-build-isolation", "--no-deps", "--editable", str(project)
    )


def _conda_records(prefix: Path, interpreter: Interpreter) -> None:
    """Name files of noarch packages in `paths_data` as the package does, as conda does.

    `files` keeps the names they were linked under. What the install made has no other name.
    """
    site = f"lib/python{interpreter.short}/site-packages"

    def rename(record: dict[str, Any]) -> None:
        if record.get("noarch") != "python":
            return
        for entry in record["paths_data"]["paths"]:
            path = PurePosixPath(entry["_path"])
            if entry["path_type"] in ("pyc_file", "unix_python_entry_point"):
                continue
            if path.is_relative_to(site):
                entry["_path"] = f"site-packages/{path.relative_to(site)}"
            elif path.parts[0] == "bin":
                entry["_path"] = f"python-scripts/{path.relative_to('bin')}"

    _rewrite_records(prefix, rename)


def _bare_records(prefix: Path, _: Interpreter) -> None:
    def strip(record: dict[str, Any]) -> None:
        record["paths_data"] = {"paths": [], "paths_version": 1}

    _rewrite_records(prefix, strip)


def _rewrite_records(prefix: Path, change: Callable[[dict[str, Any]], None]) -> None:
    for path in sorted((prefix / "conda-meta").glob("*.json")):
        record = json.loads(path.read_text("utf-8"))
        change(record)
        path.write_text(json.dumps(record, indent=2), "utf-8")


_ACTIONS: Mapping[Variant, Callable[[Path, Interpreter], None]] = {
    Variant.PIP: _pip_on_top,
    Variant.EDITABLE: _editable,
    Variant.CONDA_RECORDS: _conda_records,
    Variant.BARE_RECORDS: _bare_records,
}
