"""The three choices are pruned and timed; here with a module of the tiny environment."""

from __future__ import annotations

from pathlib import Path

import pytest

import condaprune.cli.prune
from benchmarks import bytecode
from benchmarks.bytecode import CHOICES, evict, prune, tables
from lab.envs.model import BuiltEnvironment


@pytest.mark.slow
def test_a_row_for_each_choice_and_a_table_for_each_start(
    tiny_env: BuiltEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bytecode, "MODULES", ("click",))
    folders = {choice: tmp_path / choice for choice in CHOICES}
    sizes = {c: prune(str(tiny_env.prefix), c, folder) for c, folder in folders.items()}
    assert sizes["drop"] < sizes["keep"] == sizes["hash"]
    warm, cold = tables(folders, sizes, rounds=1)
    assert (warm.caption.split()[0], cold.caption.split()[0]) == ("Warm", "Cold")
    for table in (warm, cold):
        assert [row[0] for row in table.rows] == list(CHOICES)
        assert table.rows[1][-1] == "1.00"
    # Compiling click and what it imports takes longer than loading it, on any machine.
    assert float(warm.rows[0][-1]) > 1
    evict(folders["drop"])
    assert (folders["drop"] / "bin" / "python").exists()


def test_the_choices_are_those_of_the_command_line() -> None:
    options = {param.name: param for param in condaprune.cli.prune.prune.params}
    assert list(CHOICES) == list(options["bytecode"].type.choices)
