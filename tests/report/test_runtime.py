"""What an environment needs of its image: libraries, glibc, scripts, variables."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
from pathlib import Path

import pytest

from condaprune.cli import run
from condaprune.formats.elf import read_versions
from condaprune.formats.elfstrip import symbol_size
from condaprune.report.audit.baseimages import fits
from condaprune.report.audit.runtime import Needs, exported, glibc_version, runtime_needs
from condaprune.report.forms.needs import dockerfile
from condaprune.sources.find import find_source
from lab.envs import BuiltEnvironment, c_compiler
from tests.trees import make_prefix


def needs_of(prefix: Path) -> Needs:
    return runtime_needs(find_source(os.fspath(prefix)))


def test_a_real_environment_needs_glibc_and_no_more_than_it_says(
    tiny_env: BuiltEnvironment,
) -> None:
    needs = needs_of(tiny_env.prefix)
    assert needs.glibc is not None
    assert needs.glibc >= (2, 17, 0)
    assert "libc.so.6" in {library.name for library in needs.outside}
    assert needs.certificates
    assert needs.zones
    assert not any(zone.endswith("python3.11/zoneinfo") for zone in needs.zones)
    assert {"PREFIXDEMO_HOME"} <= {variable.name for variable in needs.variables}
    by_name = {fit.name: fit for fit in fits(needs)}
    assert not by_name["alpine"].fits
    assert "musl" in by_name["alpine"].reasons[0]
    assert by_name["scratch"].fits


def test_versions_agree_with_an_elf_reader(tiny_env: BuiltEnvironment) -> None:
    elffile = pytest.importorskip("elftools.elf.elffile")
    for path in sorted((tiny_env.prefix / "lib").glob("*.so*"))[:12]:
        data = path.read_bytes()
        with path.open("rb") as handle:
            file = elffile.ELFFile(handle)
            section = file.get_section_by_name(".gnu.version_r")
            expected = [v.name for _, held in section.iter_versions() for v in held]
            symbols = [
                s["sh_size"]
                for s in file.iter_sections()
                if re.match(r"\.(symtab|strtab|debug_.*)$", s.name) and not s["sh_flags"] & 2
            ]

        def read(at: int, length: int, data: bytes = data) -> bytes:
            return data[at : at + length]

        assert read_versions(read) == expected
        assert symbol_size(read) == sum(symbols)


def test_stripping_takes_about_what_is_told(tmp_path: Path) -> None:
    compiler = c_compiler()
    if not compiler:
        pytest.skip("no C compiler")
    source, library = tmp_path / "a.c", tmp_path / "a.so"
    source.write_text("int f(int x) { return x * 2; }\n" * 1)
    command = [str(compiler), "-g", "-shared", "-fPIC", "-o", str(library), str(source)]
    subprocess.run(command, check=True)
    before = library.read_bytes()
    told = symbol_size(lambda at, length: before[at : at + length])
    subprocess.run(["strip", str(library)], check=True)
    assert 0 <= len(before) - library.stat().st_size - told < 2048


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x7fELF", id="a magic number alone"),
        pytest.param(b"\x7fELF\x02\x01" + b"\xff" * 100, id="all ones"),
        pytest.param(
            b"\x7fELF\x02\x01"
            + bytes(34)
            + struct.pack("<Q", 64)
            + bytes(10)
            + struct.pack("<HHH", 64, 60000, 1)
            + bytes(80),
            id="a table beyond the end",
        ),
    ],
)
def test_damaged_binaries_say_nothing(data: bytes) -> None:
    def read(at: int, length: int) -> bytes:
        return data[at : at + length]

    assert glibc_version(read) is None
    assert symbol_size(read) == 0


def test_exports_are_read_and_computed_ones_told_apart() -> None:
    text = """
export PROJ_DATA="${CONDA_PREFIX}/share/proj"
  export PLAIN=/env/share
export _CONDA_SET_X="1"
export COMPUTED="$(ls)"
export QUOTED='$HOME'
if [ -z "$X" ]; then export LATER=$HOME/x; fi
"""
    found = {v.name: (v.value, v.computed) for v in exported("a.sh", text, "/env")}
    assert found == {
        "PROJ_DATA": ("$CONDA_PREFIX/share/proj", False),
        "PLAIN": ("$CONDA_PREFIX/share", False),
        "COMPUTED": ("$(ls)", True),
        "QUOTED": ("$HOME", False),
    }


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    prefix = tmp_path / "env"
    files = {
        "bin/python": b"",
        "bin/own": f"#!{prefix}/bin/python\n".encode(),
        "bin/by-env": b"#!/usr/bin/env python\n",
        "bin/by-env-perl": b"#!/usr/bin/env perl\n",
        "bin/shell": b"#!/bin/bash -e\n",
        "etc/conda/activate.d/a.sh": b'export HOSTILE="a\\"b"\nexport SET="x y"\n'
        b"export NL=$(printf 'a\\nRUN evil')\n",
    }
    return make_prefix(prefix, files)


def test_scripts_name_what_they_need_from_outside(scripts: Path) -> None:
    needs = needs_of(scripts)
    assert {s.path: s.interpreter for s in needs.scripts} == {
        "bin/by-env-perl": "perl",
        "bin/shell": "/bin/bash",
    }
    assert [s.path for s in needs.shells] == ["bin/shell"]
    assert (needs.env_scripts, needs.prefix_scripts) == (2, 1)


def test_the_dockerfile_has_variables_user_and_exec_form(
    scripts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", os.fspath(scripts), "--dockerfile", "-q"]) == 0
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert any(line.startswith("FROM gcr.io/distroless/") for line in lines)
    assert 'ENV SET="x y"' in lines
    assert "USER 65532:65532" in lines
    assert lines[-1] == f'ENTRYPOINT ["{scripts}/bin/python", "-m", "your_module"]'
    assert not any(line.startswith("RUN evil") for line in lines)


def test_running_activation_tells_computed_values(scripts: Path) -> None:
    from condaprune.report.audit.runtime import run_activation

    found = run_activation(os.fspath(scripts), ["etc/conda/activate.d/a.sh"])
    assert {v.name: v.value for v in found} == {
        "HOSTILE": 'a"b',
        "SET": "x y",
        "NL": "a\nRUN evil",
    }
    from dataclasses import replace

    needs = replace(needs_of(scripts), variables=found)
    text = dockerfile(needs)
    assert not any(line.startswith("RUN") for line in text.splitlines())


def test_a_failing_activation_script_is_a_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = make_prefix(tmp_path, {"etc/conda/activate.d/a.sh": b"exit 3\n"})
    assert run(["audit", os.fspath(prefix), "--runtime", "--run-activation", "-q"]) == 2
    assert "the activation script failed" in capsys.readouterr().err


def test_the_needs_come_as_text_and_json(
    scripts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "needs.json"
    command = ["audit", os.fspath(scripts), "--runtime", "-q", "-o", f"json={out}", "-o", "text=-"]
    assert run(command) == 0
    assert "base images" in capsys.readouterr().out
    data = json.loads(out.read_text())
    assert [image["name"] for image in data["base_images"]][-1] == "scratch"
    assert run(["audit", os.fspath(scripts), "--runtime", "-q", "-o", "html=x"]) == 2
    assert run(["audit", os.fspath(out), "--runtime", "-q"]) == 2


RULE = """
[[rule]]
id = "mine-tool"
remove = ["/bin/tool"]
why = "A test takes it."
breaks = ["nothing"]
risk = "safe"
category = "native"
references = ["https://example.org"]

[rule.examples]
removed = ["bin/tool"]
kept = ["bin/other"]
"""


def test_the_needs_are_those_of_what_a_profile_keeps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "mine.toml"
    rules.write_text(RULE)
    prefix = make_prefix(tmp_path / "env", {"bin/tool": b"#!/opt/odd/sh\n"})
    assert run(["audit", os.fspath(prefix), "--runtime", "-q"]) == 0
    assert "/opt/odd/sh" in capsys.readouterr().out
    assert run(["audit", os.fspath(prefix), "--runtime", "-q", "--rules", os.fspath(rules)]) == 0
    assert "/opt/odd/sh" not in capsys.readouterr().out
