"""The internals of conda-pack that relocation relies on, by name: a release that changes one
must fail here and not where somebody packs an environment."""

from __future__ import annotations

import inspect
import json
import re
from importlib.metadata import version
from pathlib import Path

import pytest

conda_pack_core = pytest.importorskip("conda_pack.core")
conda_pack_prefixes = pytest.importorskip("conda_pack.prefixes")


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        pytest.param(conda_pack_core.Packer, ["prefix", "archive", "dest_prefix"], id="Packer"),
        pytest.param(conda_pack_core.rewrite_conda_meta, ["source"], id="rewrite_conda_meta"),
        pytest.param(
            conda_pack_core.rewrite_shebang, ["data", "target", "prefix"], id="rewrite_shebang"
        ),
        pytest.param(conda_pack_core.is_binary_file, ["data"], id="is_binary_file"),
        pytest.param(conda_pack_core.read_has_prefix, ["path"], id="read_has_prefix"),
        pytest.param(
            conda_pack_prefixes.replace_prefix,
            ["data", "mode", "placeholder", "new_prefix"],
            id="replace_prefix",
        ),
        pytest.param(
            conda_pack_prefixes.binary_replace,
            ["data", "placeholder", "new_prefix"],
            id="binary_replace",
        ),
    ],
)
def test_signatures(function: object, parameters: list[str]) -> None:
    names = list(inspect.signature(function).parameters)  # type: ignore[arg-type]
    assert names[: len(parameters)] == parameters


class Archive:
    """Takes what the Packer adds."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}

    def add(self, source: str, target: str) -> None:
        self.files[target] = Path(source).read_text()


@pytest.mark.parametrize("dest", [None, "/opt/app"], ids=["for conda-unpack", "for one place"])
def test_the_packer_adds_its_scripts_and_nothing_else(dest: str | None) -> None:
    archive = Archive()
    packer = conda_pack_core.Packer("/env", archive, dest)
    assert (packer.packages, packer.prefixes) == ([], [])
    packer.packages = [{"name": "python"}]
    packer.prefixes = [("lib/x", "/placeholder", "text")]
    packer.finish()
    activation = {"bin/activate", "bin/deactivate", "bin/activate.fish"}
    unpacking = {"bin/conda-unpack", "bin/conda_unpack_progress.py"} if dest is None else set()
    assert set(archive.files) == activation | unpacking
    if dest is None:
        assert "('lib/x', '/placeholder', 'text')" in archive.files["bin/conda-unpack"]


def test_activation_is_left_out_for_one_place_with_conda() -> None:
    archive = Archive()
    packer = conda_pack_core.Packer("/env", archive, "/opt/app")
    packer.packages = [{"name": "conda"}]
    packer.finish()
    assert archive.files == {}


def test_rewriting() -> None:
    replace, binary = conda_pack_prefixes.replace_prefix, conda_pack_prefixes.binary_replace
    assert replace(b"x=/long/lib", "text", "/long", "/a") == b"x=/a/lib"
    assert replace(b"\0/long/lib\0end", "binary", "/long", "/a") == b"\0/a/lib\0\0\0\0end"
    assert binary(b"/long\0", b"/long", b"/a") == b"/a\0\0\0\0"
    shebang = conda_pack_core.rewrite_shebang
    data = b"#!/env/bin/python3\nx\n"
    assert shebang(data, "bin/x", "/env") == (b"#!/usr/bin/env python3\nx\n", True)
    assert shebang(b"x=/env\n", "bin/x", "/env") == (b"x=/env\n", False)
    assert conda_pack_core.is_binary_file(b"\x00\x01\x02\xff" * 100)
    assert not conda_pack_core.is_binary_file(b"plain text\n" * 100)


def test_records_and_lists(tmp_path: Path) -> None:
    record = tmp_path / "x-1-0.json"
    record.write_text(json.dumps({"name": "x", "version": "1", "link": {"source": "/pkgs/x"}}))
    data, raw = conda_pack_core.rewrite_conda_meta(str(record))
    assert json.loads(data)["link"]["source"] == ""
    assert raw["name"] == "x"
    listed = tmp_path / "has_prefix"
    listed.write_text("/placeholder text bin/x\n")
    assert conda_pack_core.read_has_prefix(str(listed)) == {"bin/x": ("/placeholder", "text")}


def test_the_installed_release_is_one_that_the_project_allows() -> None:
    project = (Path(__file__).parents[3] / "pyproject.toml").read_text()
    (line,) = re.findall(r'"(conda-pack>[^"]*)",', project)
    requirements = pytest.importorskip("packaging.requirements")
    requirement = requirements.Requirement(line)
    assert requirement.specifier.contains(version("conda-pack"))
    assert any(part.operator == "<" for part in requirement.specifier)
