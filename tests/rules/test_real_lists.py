"""What no rule of the careful profiles may take, over path lists of real environments.

The full lists are used where they are at hand (see `path_lists`), an excerpt of them otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from condaprune.model import Inventory
from condaprune.ruleset import choose, compile_rules, load_builtin
from lab.path_lists import EXCERPT, full_lists, name_of, read_list

# What is inside another package's test suite or the package cache is a copy that nothing reads.
COPIES = re.compile(r"pkgs/|.*site-packages/[^/]+/(?:.*/)?tests?/")
DELICATE = {
    "a testing package": r".*site-packages/(?:.*/)?testing/",
    "metadata": r".*\.dist-info/(?:METADATA|RECORD|top_level\.txt|direct_url\.json)$",
    "egg metadata": r".*\.egg-info/(?:PKG-INFO|top_level\.txt|requires\.txt)$",
    "entry points": r".*entry_points\.txt$",
    "licences": r".*\.dist-info/(?:.*/)?(?:LICEN[CS]E|COPYING|NOTICE|AUTHORS)[^/]*$",
    "certificate bundles": r".*(?:cacert|roots)\.pem$|ssl/cert\.pem$",
    "time zones": r"(?:share|lib/python[^/]+/site-packages/[^/]+)/zoneinfo/(?!.*\.py[ci]?$)",
    "the database of PROJ": r".*proj\.db$",
    "extensions of the standard library": r"lib/python[^/]+/lib-dynload/",
    "activation scripts": r"etc/conda/(?:de)?activate\.d/",
    "history": r"conda-meta/history$",
}


@pytest.fixture(scope="module", params=full_lists() or [EXCERPT], ids=name_of)
def inventory(request: pytest.FixtureRequest) -> Inventory:
    return read_list(request.param)


def removed(inventory: Inventory, profile: str) -> Iterator[str]:
    """The paths that the rules of a profile take, guards aside."""
    for path, match in (
        compile_rules(choose(load_builtin(), profile), inventory).match(inventory).items()
    ):
        if match.rule and not match.rule_keep and inventory.entries[path].kind != "folder":
            yield path


@pytest.mark.parametrize("profile", ["safe", "runtime"])
def test_careful_profiles_leave_delicate_files_alone(inventory: Inventory, profile: str) -> None:
    gone = [path for path in removed(inventory, profile) if not COPIES.match(path)]
    for what, pattern in DELICATE.items():
        taken = [path for path in gone if re.match(pattern, path)]
        assert taken == [], what


def test_each_profile_takes_more_than_the_one_before(inventory: Inventory) -> None:
    safe, runtime, minimal = (
        set(removed(inventory, profile)) for profile in ("safe", "runtime", "minimal")
    )
    assert safe < runtime < minimal


def test_unowned_files_are_taken_by_few_rules_only(inventory: Inventory) -> None:
    taken = [
        path
        for path in removed(inventory, "runtime")
        if not inventory.owners_of(path) and not path.startswith(("pkgs/", "conda-meta/"))
    ]
    assert all(re.search(r"\.py[co]$|~$|\.orig$|^include/", path) for path in taken)
