"""Fixtures for all tests, and the `--slow` switch."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile

import pytest

pytest_plugins = ["lab.envs.fixtures"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the tests marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="slow: run with --slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def _quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine has set must not change what condaprune prints or finds."""
    for name in (
        "CONDA_PREFIX",
        "CONDA_EXE",
        "CONDA_ENVS_PATH",
        "SOURCE_DATE_EPOCH",
        "FORCE_COLOR",
        "NO_COLOR",
        "MAMBA_ROOT_PREFIX",
    ):
        monkeypatch.delenv(name, raising=False)


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C reach what the tests start: a shell's background jobs begin with it ignored.

    No test reads or writes what condaprune keeps for the user who runs the tests.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    private = tempfile.mkdtemp(prefix="condaprune-tests-")
    config.add_cleanup(lambda: shutil.rmtree(private, ignore_errors=True))
    os.environ["XDG_STATE_HOME"] = private
