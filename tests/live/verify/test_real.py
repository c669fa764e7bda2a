"""Real environments: two installs of the same packages, an archive of one, and real damage."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from condaprune.live.verify.proof import compare
from lab.envs import BuiltEnvironment
from lab.envs.fixtures import Packer
from tests.live.verify.conftest import remove

QUICK = ["links", "elf", "metadata", "environment", "unpack", "commands"]


def test_two_installs_of_the_same_packages_do_the_same(
    tiny_env: BuiltEnvironment, fresh_tiny: BuiltEnvironment
) -> None:
    found = compare(tiny_env.prefix, fresh_tiny.prefix)
    assert found.lost == found.announced == found.removed == ()
    assert found.counts["imports"].compared > 700
    assert found.counts["commands"].compared > 20
    assert not any("was changed" in note for note in found.notes)


def test_an_archive_of_an_environment_does_the_same_where_it_is_unpacked(
    tiny_env: BuiltEnvironment, packed_tiny: Packer
) -> None:
    found = compare(tiny_env.prefix, packed_tiny("tar.zst").archive, checks=QUICK)
    assert found.lost == ()
    assert found.counts["unpack"].compared > 10


def test_damage_to_a_real_environment_is_found(
    tiny_env: BuiltEnvironment, fresh_tiny: BuiltEnvironment
) -> None:
    stdlib = next(fresh_tiny.prefix.glob("lib/python3.*/json")).parent
    lib = stdlib.relative_to(fresh_tiny.prefix).as_posix()
    gone = ["lib/libz.so.1", f"{lib}/json/decoder.py", "share/prefixdemo"]
    remove(fresh_tiny.prefix, *gone)
    found = compare(tiny_env.prefix, fresh_tiny.prefix)
    lost = {(f.check, f.name) for f in found.lost}
    assert lost >= {
        ("elf", "libz.so.1"),
        ("environment", "PREFIXDEMO_HOME"),
        ("commands", "bin/pip"),
        ("imports", "json"),
    }
    blamed = {c.path for f in found.lost if f.name == "json" for c in f.removed}
    assert blamed == {f"{lib}/json/decoder.py"}


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.10", "3.12", "3.13"])
def test_other_versions_of_python(version: str, make_environment) -> None:  # type: ignore[no-untyped-def]
    python = shutil.which(f"python{version}")
    if python is None or subprocess.run([python, "--version"], capture_output=True).returncode:
        pytest.skip(f"there is no Python {version} here to build an environment from")
    before, after = (make_environment("tiny", python=python) for _ in range(2))
    assert compare(before.prefix, after.prefix).lost == ()
    remove(after.prefix, f"lib/python{version}/json/scanner.py")
    names = {f.name for f in compare(before.prefix, after.prefix, checks=["imports"]).lost}
    assert {"json", "json.decoder"} <= names
