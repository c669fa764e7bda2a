"""Only what was traced stays, with what that may come to need: another workload must still run."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from condaprune.errors import TraceError, UsageProblem
from condaprune.evidence.removal import ONLY_TRACED
from condaprune.live.trace.session import record
from condaprune.model import Plan, unique_bytes
from condaprune.planning.planner import decide
from condaprune.planning.terms import Terms
from condaprune.request.request import Request
from condaprune.request.rules import choose_rules
from condaprune.sources.prefix import PrefixSource
from condaprune.traces.needs import CLOSURES, only_traced
from condaprune.traces.trace import Trace
from lab.envs.model import BuiltEnvironment
from tests.trees import SITE, distribution, make_prefix

from .conftest import WORKLOADS, inventory_of, trace_of


def planned(prefix: Path, trace: Trace, closure: str) -> Plan:
    source = PrefixSource(os.fspath(prefix))
    only = only_traced([trace], source.inventory(), closure=closure)
    rules, _ = choose_rules(Request())
    terms = Terms(rules, traced=only.kept, dropped=only.dropped, guards_off=only.guards_off)
    return decide(source.inventory(), source, terms)


def slimmed(prefix: Path, plan: Plan, target: Path) -> Path:
    """A copy of what a plan keeps."""
    for entry in plan.kept():
        path = os.path.join(target, entry.path)
        os.makedirs(path if entry.kind == "folder" else os.path.dirname(path), exist_ok=True)
        if entry.kind == "link":
            os.symlink(entry.target, path)
        elif entry.kind == "file":
            shutil.copy2(os.path.join(prefix, entry.path), path)
    return target


def works(prefix: Path, folder: Path, *modules: str) -> tuple[bool, str]:
    """Whether the second workload runs in a prefix, and its last line of complaint."""
    command = [prefix / "bin" / "python", WORKLOADS / "processes.py", folder, prefix, *modules]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    return done.returncode == 0, (done.stderr.strip().splitlines() or [""])[-1]


@pytest.fixture
def small_trace(tiny_env: BuiltEnvironment) -> Trace:
    """A run that does next to nothing: an import."""
    command = [os.fspath(tiny_env.python), "-c", "import click"]
    return record(command, os.fspath(tiny_env.prefix))


def test_what_the_trace_did_not_see_run_still_works(
    tiny_env: BuiltEnvironment, small_trace: Trace, tmp_path: Path
) -> None:
    prefix = Path(tiny_env.prefix)
    plan = planned(prefix, small_trace, "imports")
    slim = slimmed(prefix, plan, tmp_path / "env")
    assert works(slim, tmp_path, "click", "click.testing") == (True, "")
    by_us = [entry for entry in plan.removed() if plan.decision(entry.path).name == ONLY_TRACED]
    assert sum(entry.size for entry in by_us) > 1_000_000


def test_the_pure_trace_does_not_survive_another_workload(
    tiny_env: BuiltEnvironment, small_trace: Trace, tmp_path: Path
) -> None:
    prefix = Path(tiny_env.prefix)
    plan = planned(prefix, small_trace, "none")
    slim = slimmed(prefix, plan, tmp_path / "env")
    again = [slim / "bin" / "python", "-c", "import click"]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(again, check=True, env=environment)
    survived, complaint = works(slim, tmp_path, "click")
    assert not survived
    assert "No module named" in complaint or "Error" in complaint


def test_the_bolder_the_closure_the_more_goes(
    tiny_env: BuiltEnvironment, small_trace: Trace
) -> None:
    prefix = Path(tiny_env.prefix)
    sizes = [
        unique_bytes(planned(prefix, small_trace, closure).kept())
        for closure in ("none", "imports", "package")
    ]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[1]


@pytest.mark.slow
def test_a_model_and_then_processes(big_env: BuiltEnvironment, tmp_path: Path) -> None:
    prefix = Path(big_env.prefix)
    command = [big_env.python, WORKLOADS / "model.py", tmp_path]
    trace = record([str(word) for word in command], os.fspath(prefix))
    plan = planned(prefix, trace, "imports")
    slim = slimmed(prefix, plan, tmp_path / "env")
    assert works(slim, tmp_path, "pandas", "sklearn.linear_model", "sklearn.ensemble") == (True, "")
    assert works(slim, tmp_path, "distutils.core", "distutils.ccompiler") == (True, "")
    subprocess.run([slim / "bin" / "python", WORKLOADS / "model.py", tmp_path], check=True)
    touched = [path for path, entry in trace.entries.items() if entry.kinds - {"missing"}]
    assert not [path for path in touched if plan.decision(path).remove]
    before = unique_bytes(plan.inventory.entries.values())
    assert unique_bytes(plan.kept()) < 0.56 * before
    pure = planned(prefix, trace, "none")
    assert unique_bytes(pure.kept()) < 0.45 * before
    shutil.rmtree(tmp_path / "env")
    survived, complaint = works(slimmed(prefix, pure, tmp_path / "env"), tmp_path, "pandas")
    assert not survived
    assert complaint


@pytest.mark.slow
def test_a_server_still_answers(big_env: BuiltEnvironment, tmp_path: Path) -> None:
    prefix = Path(big_env.prefix)
    trace = record([os.fspath(big_env.python), str(WORKLOADS / "server.py")], os.fspath(prefix))
    plan = planned(prefix, trace, "imports")
    slim = slimmed(prefix, plan, tmp_path / "env")
    command = [slim / "bin" / "python", WORKLOADS / "server.py"]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(command, check=True, env=environment, timeout=120)
    assert not [path for path in trace.entries if plan.decision(path).remove]
    before = unique_bytes(plan.inventory.entries.values())
    assert unique_bytes(plan.kept()) < 0.5 * before


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return make_prefix(
        tmp_path / "env",
        {
            **distribution("used", {"used/__init__.py": b"", "used/data.txt": b""}),
            **distribution("unused", {"unused/__init__.py": b""}),
            "lib/python3.11/rare.py": b"",
            "share/notes.txt": b"",
        },
        packages={"notes": ["share/notes.txt"]},
    )


_USED = f"{SITE}/used/__init__.py"


def test_everything_else_may_go_but_the_standard_library_and_records(prefix: Path) -> None:
    only = only_traced([trace_of({_USED: ["open"]})], inventory_of(prefix))
    assert set(only.kept) == {_USED}
    assert set(only.dropped.values()) == {ONLY_TRACED}
    assert {f"{SITE}/used/data.txt", f"{SITE}/unused/__init__.py", "share/notes.txt"} <= {
        *only.dropped
    }
    assert "lib/python3.11/rare.py" not in only.dropped
    assert not any(path.startswith("conda-meta/") for path in only.dropped)
    assert not only.guards_off
    assert "code can import" in only.risks[0]


def test_what_stands_in_for_the_standard_library_stays_with_it(tmp_path: Path) -> None:
    inside = f"{SITE}/setuptools/_distutils/core.py"
    files = {inside: b"", f"{SITE}/setuptools/dist.py": b"", "share/used.txt": b""}
    trace = trace_of({"share/used.txt": ["open"]})
    alone = only_traced([trace], inventory_of(make_prefix(tmp_path / "alone", files)))
    assert {inside, f"{SITE}/setuptools/dist.py"} <= alone.dropped.keys()
    files[f"{SITE}/_distutils_hack/__init__.py"] = b""
    hacked = only_traced([trace], inventory_of(make_prefix(tmp_path / "hacked", files)))
    assert inside not in hacked.dropped
    assert f"{SITE}/setuptools/dist.py" in hacked.dropped


def test_the_pure_trace_gives_up_the_standard_library_and_says_what_it_risks(prefix: Path) -> None:
    only = only_traced([trace_of({_USED: ["open"]})], inventory_of(prefix), closure="none")
    assert "lib/python3.11/rare.py" in only.dropped
    assert "imports" in only.guards_off
    assert "cannot be imported" in only.risks[0]


def test_a_package_of_which_anything_was_used_stays_whole(prefix: Path) -> None:
    only = only_traced([trace_of({_USED: ["open"]})], inventory_of(prefix), closure="package")
    assert (
        only.kept[f"{SITE}/used/data.txt"]
        == f"app.trace: the workload used {_USED} of pypi:used, the same package"
    )
    assert f"{SITE}/unused/__init__.py" in only.dropped


@pytest.mark.parametrize("closure", CLOSURES)
def test_a_distribution_that_was_looked_at_keeps_its_name(prefix: Path, closure: str) -> None:
    home = f"{SITE}/unused-1.0.dist-info"
    only = only_traced(
        [trace_of({f"{home}/RECORD": ["open"]})], inventory_of(prefix), closure=closure
    )
    assert (
        only.kept[f"{home}/METADATA"]
        == f"app.trace: it names the distribution of {home}, which was used"
    )


@pytest.mark.parametrize("closure", CLOSURES)
def test_what_was_traced_is_never_dropped(prefix: Path, closure: str) -> None:
    inventory = inventory_of(prefix)
    trace = trace_of({path: ["open"] for path in inventory.entries})
    only = only_traced([trace], inventory, closure=closure)
    assert not only.dropped
    assert set(only.kept) == set(inventory.entries)


def test_what_cannot_be_done_is_refused(prefix: Path) -> None:
    inventory = inventory_of(prefix)
    with pytest.raises(UsageProblem, match=r"there is no trace.*condaprune trace"):
        only_traced([], inventory)
    with pytest.raises(UsageProblem, match=r"no closure 'import'\. Did you mean 'imports'"):
        only_traced([trace_of({_USED: ["open"]})], inventory, closure="import")
    with pytest.raises(TraceError, match="events were lost"):
        only_traced([trace_of({_USED: ["open"]}, overflow=True)], inventory)
