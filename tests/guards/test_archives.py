"""An archive is judged as the prefix it was made of is, by what its first pass kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from condaprune.guards import examine
from condaprune.model import Entry
from condaprune.sources.archive import ArchiveSource
from condaprune.sources.base import Body, Member
from condaprune.sources.prefix import PrefixSource
from lab.envs import BuiltEnvironment, PackedEnvironment
from lab.envs.fixtures import Packer
from tests.guards.helpers import matching

DOOMED = ["*/tests/*", "*/testing/*", "*.dist-info/*", "*.so.*", "*/lib*.so", "*.pem", "*.json"]


class Passes(ArchiveSource):
    """An archive that counts how often it is passed through."""

    count = 0

    def stream(self) -> Iterator[tuple[Entry, Member, Body]]:
        self.count += 1
        return super().stream()


def test_an_archive_is_judged_as_its_prefix_without_another_pass(
    tiny_env: BuiltEnvironment, packed_tiny: Packer
) -> None:
    packed: PackedEnvironment = packed_tiny("tar.gz")
    archive = Passes(str(packed.archive))
    prefix = PrefixSource(str(tiny_env.prefix))
    inside, outside = archive.inventory(), prefix.inventory()
    both = inside.entries.keys() & outside.entries.keys()
    doomed = {path: rule for path, rule in matching(outside, DOOMED).items() if path in both}
    first = examine(inside, archive, doomed)
    second = examine(outside, prefix, doomed)
    assert archive.count == 0
    assert len(first.vetoes) > 20
    assert first.vetoes.keys() == second.vetoes.keys()


def test_the_whole_environment_could_be_doomed(tiny_env: BuiltEnvironment, tmp_path: Path) -> None:
    prefix = PrefixSource(str(tiny_env.prefix))
    inventory = prefix.inventory()
    report = examine(inventory, prefix, dict.fromkeys(inventory.entries, "all"))
    assert {"bin/python", "conda-meta/history"} <= report.vetoes.keys()
