"""A package goes whole or not at all."""

from pathlib import Path

from condaprune.evidence.scene import GuardReport
from tests.guards.helpers import guarded, make_rule, rescued

FILES = {
    "{site}/setuptools/__init__.py": b"",
    "{site}/setuptools/_distutils/core.py": b"",
    "{site}/other.py": b"import setuptools\n",
    "{site}/free.py": b"",
}
OWNED = {
    "setuptools": ["{site}/setuptools/__init__.py", "{site}/setuptools/_distutils/core.py"],
}


def by_rule(folder: Path, files: dict[str, bytes], *, whole: bool) -> GuardReport:
    rule = make_rule("setuptools-whole", whole=whole)
    return guarded(
        folder, files, ["*/setuptools/*"], packages=OWNED, rules={rule.id: rule}, rule=rule.id
    )


def test_a_package_of_which_a_part_is_needed_stays_whole(tmp_path: Path) -> None:
    report = by_rule(tmp_path, FILES, whole=True)
    assert rescued(report) == {
        "setuptools/__init__.py": "imports",
        "setuptools/_distutils/core.py": "whole",
    }


def test_a_package_that_nothing_needs_goes_whole(tmp_path: Path) -> None:
    files = {**FILES, "{site}/other.py": b""}
    report = by_rule(tmp_path, files, whole=True)
    assert rescued(report) == {}


def test_a_rule_about_parts_of_a_package_keeps_only_the_parts_needed(tmp_path: Path) -> None:
    report = by_rule(tmp_path, FILES, whole=False)
    assert rescued(report) == {"setuptools/__init__.py": "imports"}


def test_other_packages_that_the_same_option_drops_are_not_held_back(tmp_path: Path) -> None:
    files = {**FILES, "{site}/lone/__init__.py": b""}
    owned = {**OWNED, "lone": ["{site}/lone/__init__.py"]}
    report = guarded(
        tmp_path, files, ["*/setuptools/*", "*/lone/*"], packages=owned, rule="--only-packages"
    )
    assert "lone/__init__.py" not in rescued(report)
