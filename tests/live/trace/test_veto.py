"""No traced file is ever removed: by no rule, profile, drop or whole package."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from condaprune.planning.planner import ALL_GUARDS, decide
from condaprune.planning.terms import Terms
from condaprune.request.request import Request
from condaprune.request.rules import choose_rules
from condaprune.sources.prefix import PrefixSource
from condaprune.traces.needs import traced_needs
from tests.trees import SITE, Link, distribution, make_prefix

from .conftest import trace_of

_DROPS = ("*", "**/*.py", "/lib/", "tests/", "*.so", "/share/**", "*.dist-info/", "__pycache__/")


@pytest.fixture
def source(tmp_path: Path) -> PrefixSource:
    prefix = make_prefix(
        tmp_path / "env",
        {
            **distribution(
                "demo",
                {
                    "demo/__init__.py": b"import demo.core\n",
                    "demo/core.py": b"",
                    "demo/__pycache__/core.cpython-311.pyc": b"",
                    "demo/tests/test_core.py": b"",
                    "demo/_c.cpython-311-x86_64-linux-gnu.so": b"",
                },
            ),
            "lib/libz.a": b"",
            "lib/libz.so.1": b"",
            "lib/libz.so": Link("libz.so.1"),
            "include/z.h": b"",
            "share/man/man1/z.1": b"",
            "share/doc/z/README": b"",
            f"{SITE}/pip/__init__.py": b"",
        },
        packages={"zlib": ["lib/libz.a", "include/z.h", "share/man/man1/z.1"]},
    )
    return PrefixSource(os.fspath(prefix))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(data=st.data())
def test_no_traced_entry_is_removed(source: PrefixSource, data: st.DataObject) -> None:
    inventory = source.inventory()
    touched = data.draw(st.sets(st.sampled_from(sorted(inventory.entries)), min_size=1))
    traced = traced_needs([trace_of({path: ["open"] for path in touched})], inventory)
    profile = data.draw(st.sampled_from(("safe", "runtime", "minimal")))
    dropped = data.draw(st.booleans())
    terms = Terms(
        choose_rules(Request(profile=profile))[0],
        drop=tuple(data.draw(st.lists(st.sampled_from(_DROPS), max_size=3))),
        traced=traced,
        dropped=dict.fromkeys(inventory.entries, "--only-packages") if dropped else {},
        guards_off=frozenset({ALL_GUARDS}) if data.draw(st.booleans()) else frozenset(),
    )
    plan = decide(inventory, source, terms)
    assert not [path for path in touched if plan.removes(path)]
    assert not [path for path in traced if plan.removes(path)]


def test_a_rule_that_wanted_a_traced_file_is_named(source: PrefixSource) -> None:
    inventory = source.inventory()
    traced = traced_needs([trace_of({"share/man/man1/z.1": ["open"]})], inventory)
    rules, _ = choose_rules(Request())
    plan = decide(inventory, source, Terms(rules, traced=traced))
    decision = plan.decision("share/man/man1/z.1")
    assert decision.basis == "trace"
    assert decision.because == "app.trace: the workload opened it"
    assert decision.wanted
