"""A stronger profile removes all that a weaker one does, and more."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from condaprune.model import Distribution, Inventory, Layout, Owner, Plan
from condaprune.planning.planner import decide, make_plan
from condaprune.planning.terms import Terms
from condaprune.request.request import Request
from condaprune.rule import Rule
from condaprune.ruleset import PROFILES, choose, load_builtin
from condaprune.sources.pathlist import PathListSource
from condaprune.sources.prefix import PrefixSource
from lab.envs.model import BuiltEnvironment
from lab.path_lists import EXCERPT, full_lists, name_of
from tests.ruleset.made import inventory_of, rule
from tests.trees import Content, make_prefix

SITE = "lib/python3.11/site-packages"
LAYOUT = Layout(
    "linux",
    "3.11",
    {"site": (SITE,), "stdlib": ("lib/python3.11",), "bin": ("bin",), "include": ("include",)},
)
NAMES = ["ab", "cd", "ef"]
PLACES = [
    "__init__.py",
    "sub.py",
    "stub.pyi",
    "page.html",
    "page.json",
    "api.h",
    "api.c",
    "tests/__init__.py",
    "tests/test_sub.py",
    "tests/plugin.py",
    "tests/data/page.json",
    "docs/page.html",
    "templates/tests/test_made.py",
    "libab.so",
]
CODE = [
    b"import {}.sub\n",
    b"from {}.tests import test_sub\n",
    b"from . import sub\n",
    b"import importlib\nimportlib.import_module(f'{__name__}.{x}')\n",
    b"open(here + 'page.html')\n",
    b"name = x + '.json'\n",
    b"compiler = 'gcc'\n",
    b"ffi.verify('')\n",
    b"import inspect\ninspect.getsource(f)\n",
    b"path = join('tests', 'data')\n",
]
PATTERNS = [
    *("{site}/*/tests/", "{site}/*/docs/", "{site}/**/*.h", "{site}/**/*.c", "{site}/**/*.pyi"),
    *("{site}/**/*.html", "{site}/**/*.json", "{site}/**/page.json", "{site}/**/page.*"),
    *("{site}/*/sub.py", "{site}/ab/", "{site}/cd/", "{site}/ef/", "{site}/**/*.so"),
    *("{site}/**/test_*.py", "{site}/ab/libab.so", "{site}/**/templates/", "{site}/**/*.py"),
]


class Memory:
    """Contents held in memory."""

    readable = True

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def read(self, path: str) -> bytes:
        return self.files[path]

    def read_many(self, paths: Collection[str]) -> Iterator[tuple[str, bytes]]:
        for path in paths:
            yield path, self.files[path]


@st.composite
def environments(draw: st.DrawFn) -> tuple[dict[str, bytes], Inventory]:
    """Three packages that use each other; some files belong to two of them, some to none."""
    files: dict[str, bytes] = {}
    owners: dict[str, tuple[Owner, ...]] = {}
    packages = {name: Distribution(name, "1", f"{SITE}/{name}-1.dist-info") for name in NAMES}
    for name in NAMES:
        for place in draw(st.lists(st.sampled_from(PLACES), unique=True)):
            path = f"{SITE}/{name}/{place}"
            lines = draw(st.lists(st.sampled_from(CODE), max_size=3)) if ".py" in place else []
            other = draw(st.sampled_from(NAMES)).encode()
            files[path] = b"".join(lines).replace(b"{}", other) or b"#"
            if draw(st.integers(0, 9)):
                owners[path] = (packages[name],)
                if not draw(st.integers(0, 9)):
                    owners[path] += (packages[draw(st.sampled_from(NAMES))],)
    return files, inventory_of(files, owners=owners, layout=LAYOUT)


@st.composite
def rule_lists(draw: st.DrawFn) -> tuple[Rule, ...]:
    return tuple(
        rule(
            f"rule-{number}",
            draw(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3)),
            risk=draw(st.sampled_from(["safe", "low", "medium"])),
            category=draw(st.sampled_from(["tests", "docs", "sources", "debug", "made"])),
            package=draw(st.sampled_from([(), (), ("ab",), ("cd",), ("ab", "ef")])),
            whole=draw(st.booleans()),
        )
        for number in range(draw(st.integers(2, 6)))
    )


def removed(plan: Plan) -> set[str]:
    """The files and links that go; a folder that nothing is left in may stay."""
    return {entry.path for entry in plan.removed() if entry.kind != "folder"}


@settings(max_examples=150, deadline=None)
@given(environments(), rule_lists())
def test_a_stronger_profile_never_keeps_what_a_weaker_one_removes(
    made: tuple[dict[str, bytes], Inventory], rules: tuple[Rule, ...]
) -> None:
    files, inventory = made
    gone = [
        removed(decide(inventory, Memory(files), Terms(choose(rules, profile))))  # type: ignore[arg-type]
        for profile in PROFILES
    ]
    assert gone[0] <= gone[1] <= gone[2]


@pytest.mark.parametrize("size", ["tiny", "small", pytest.param("big", marks=pytest.mark.slow)])
def test_in_real_environments_too(size: str, request: pytest.FixtureRequest) -> None:
    environment: BuiltEnvironment = request.getfixturevalue(f"{size}_env")
    source = PrefixSource(str(environment.prefix))
    gone = [removed(make_plan(source, Request(profile=profile))) for profile in PROFILES]
    assert gone[0] < gone[1] < gone[2]


@pytest.mark.parametrize("file", full_lists() or [EXCERPT], ids=name_of)
def test_in_path_lists_of_real_environments_too(file: str) -> None:
    source = PathListSource(file)
    gone = [removed(make_plan(source, Request(profile=profile))) for profile in PROFILES]
    assert gone[0] < gone[1] < gone[2]


def test_no_rule_that_stronger_profiles_add_keeps_anything() -> None:
    """What such a rule kept, it would keep from the rules of weaker profiles too."""
    careful = {rule.id for rule in choose(load_builtin(), "runtime")}
    assert not [rule.id for rule in load_builtin() if rule.keep and rule.id not in careful]


BOTOCORE = f"{SITE}/botocore"
OLD = f"{BOTOCORE}/data/ec2/2014-09-01"


def botocore(folder: Path, code: bytes) -> dict[str, Plan]:
    """The plans of all profiles for a botocore whose loader is *code*."""
    files: dict[str, Content] = {
        f"{BOTOCORE}/__init__.py": b"",
        f"{BOTOCORE}/loaders.py": code,
        **{
            f"{BOTOCORE}/data/ec2/{version}/{name}": b"{}"
            for version in ("2014-09-01", "2016-11-15")
            for name in ("service-2.json.gz", "paginators-1.json", "examples-1.json")
        },
    }
    make_prefix(folder, files, packages={"botocore": list(files)})
    source = PrefixSource(str(folder))
    return {profile: make_plan(source, Request(profile=profile)) for profile in PROFILES}


def test_an_old_version_of_a_service_goes_with_all_its_files(tmp_path: Path) -> None:
    plans = botocore(tmp_path, b"def path(name):\n    return name + '.json'\n")
    assert not [
        path for path in removed(plans["runtime"]) if "data/" in path and "examples" not in path
    ]
    assert plans["minimal"].removes(OLD)
    assert not plans["minimal"].removes(f"{BOTOCORE}/data/ec2/2016-11-15/paginators-1.json")


def test_where_a_file_of_an_old_version_is_named_all_stay_but_the_examples(tmp_path: Path) -> None:
    plans = botocore(tmp_path, b"FIRST = 'ec2/2014-09-01/paginators-1.json'\n")
    stays = {"service-2.json.gz", "paginators-1.json"}
    for plan in (plans["runtime"], plans["minimal"]):
        kept = {e.path.rpartition("/")[2] for e in plan.kept() if e.path.startswith(f"{OLD}/")}
        assert kept == stays
    assert plans["minimal"].decision(f"{OLD}/examples-1.json").name == "botocore-examples"


def test_an_option_that_a_guard_holds_back_leaves_the_file_to_the_rules(tmp_path: Path) -> None:
    files: dict[str, Content] = {
        f"{SITE}/ab/__init__.py": b"import importlib\nimportlib.import_module(f'ab.{name}')\n",
        f"{SITE}/ab/made.py": b"",
        f"{SITE}/ab/docs.py": b"",
    }
    make_prefix(tmp_path, files, packages={"ab": list(files)})
    source = PrefixSource(str(tmp_path))
    made = [rule("docs", ["{site}/ab/docs.py"], package=("ab",))]
    plan = decide(source.inventory(), source, Terms(tuple(made), drop=("/lib/**/ab/*s.py",)))
    taken = plan.decision(f"{SITE}/ab/docs.py")
    assert (taken.remove, taken.basis, taken.name) == (True, "rule", "docs")
    assert not plan.removes(f"{SITE}/ab/made.py")


def test_a_part_that_is_needed_holds_a_package_whole_whatever_other_rules_take(
    tmp_path: Path,
) -> None:
    """The veto of the first rule is conditional, that of the second is not."""
    files: dict[str, Content] = {
        f"{SITE}/ab/__init__.py": b"",
        f"{SITE}/ab/tests/plugin.py": b"",
        f"{SITE}/ab/rest.py": b"",
        f"{SITE}/cd.py": b"import ab.tests.plugin\n",
    }
    make_prefix(tmp_path, files, packages={"ab": [p for p in files if "/ab/" in p]})
    source = PrefixSource(str(tmp_path))
    made = (
        rule("whole", ["{site}/ab/"], package=("ab",), whole=True),
        rule("tests", ["{site}/*/tests/"], category="tests"),
    )
    plan = decide(source.inventory(), source, Terms(made))
    assert not removed(plan)
