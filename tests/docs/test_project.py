"""What follows from project.toml: nothing says that condaprune is where it is not."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from condaprune.cli.failure import REPORTS_TO
from condaprune.version import ADDRESS, __version__
from tests.docs.blocks import ROOT, check_dockerfile

sys.path.insert(0, str(ROOT / "tools"))
import project as tool
import release

AT = "https://github.com/someone/condaprune"
ELSEWHERE = "https://code.example.org/group/condaprune"
STATES = {
    "no address": {},
    "an address": {"address": AT},
    "an address that is not GitHub's": {
        "address": ELSEWHERE, "security": "mailto:security@example.org"
    },
    "published": {"address": AT, "published": True},
}  # fmt: skip
# What only works where a package index has condaprune.
FROM_AN_INDEX = re.compile(
    r"(\b(pipx? install|uv tool install|uvx|conda-forge)|--pypi) +condaprune\b"
)
LEFTOVER = re.compile(r"your-org|your-name|yourname|OWNER/condaprune|example\.(com|org)/condaprune")
SKIPPED = {"tools/project.py", "tests/docs/test_project.py"}


def _texts() -> list[Path]:
    """The files of the checkout that are text, but for those that hold every wording."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("this is no checkout of git's")
    kinds = {".md", ".toml", ".yml", ".yaml", ".py", ".cff", ".Dockerfile", ""}
    names = [name for name in listed.stdout.splitlines() if name not in SKIPPED]
    return [ROOT / name for name in names if Path(name).suffix in kinds and (ROOT / name).is_file()]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that follow from project.toml, and what a release looks at."""
    for name in (*tool.REGIONS, tool.FILE, "CHANGELOG.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def _say(root: Path, **said: object) -> None:
    """Write project.toml."""
    values = {"address": "", "security": "", "published": False, **said}
    text = "".join(f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}\n"
                   for key, value in values.items())  # fmt: skip
    (root / tool.FILE).write_text(text, encoding="utf-8")


def _all(root: Path) -> str:
    return "\n".join((root / name).read_text("utf-8") for name in tool.REGIONS)


def test_everything_follows_from_it() -> None:
    assert tool.differing() == [], "python tools/project.py --write"


def test_no_leftovers() -> None:
    found = [str(path.relative_to(ROOT)) for path in _texts()
             if LEFTOVER.search(path.read_text("utf-8", "replace"))]  # fmt: skip
    assert found == []


def test_nothing_installs_it_from_where_it_is_not() -> None:
    if tool.read().published:
        return
    found = [f"{path.relative_to(ROOT)}: {match[0]}" for path in _texts()
             for match in FROM_AN_INDEX.finditer(path.read_text("utf-8", "replace"))]  # fmt: skip
    assert found == []


@pytest.mark.parametrize("text", ["pip install condaprune", "pipx install  condaprune",
                                  "uvx condaprune /env", "pixi add --pypi condaprune",
                                  "conda create -c conda-forge condaprune"])  # fmt: skip
def test_what_installs_from_an_index_is_seen(text: str) -> None:
    assert FROM_AN_INDEX.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "pip install .",
        "uvx --from . condaprune ENV",
        "conda create -n condaprune -c file:///x -c conda-forge python",
    ],
)
def test_what_installs_from_a_checkout_is_not(text: str) -> None:
    assert not FROM_AN_INDEX.search(text)


def test_messages_name_the_address() -> None:
    assert tool.read().address == ADDRESS
    unknown = "whoever you have condaprune from (see SECURITY.md)"
    told = REPORTS_TO
    assert told == (f"{ADDRESS}/issues" if ADDRESS else unknown)


@pytest.mark.parametrize("said", STATES.values(), ids=STATES.keys())
def test_all_of_it_follows_and_goes_back(copy: Path, said: dict[str, object]) -> None:
    _say(copy)
    tool.differing(copy, write=True)
    before = _all(copy)
    _say(copy, **said)
    tool.differing(copy, write=True)
    assert tool.differing(copy) == []
    text = _all(copy)
    address = str(said.get("address", ""))
    assert bool(FROM_AN_INDEX.search(text)) is bool(said.get("published"))
    assert ("No package index has condaprune yet" in text) is not bool(said.get("published"))
    assert (address in text) is True
    assert ("whoever you have condaprune from: " in text) is (not address)
    for name in ("pip", "pipx", "uv", "conda", "a single file", "an image to copy from"):
        assert len(re.findall(rf"^\| {name} \| `?.+$", text, re.M)) == 2, name
    _say(copy)
    tool.differing(copy, write=True)
    assert _all(copy) == before


@pytest.mark.parametrize(
    ("said", "action", "hook", "reports"),
    [
        pytest.param({}, "./tools/condaprune", "local", "", id="no address"),
        pytest.param({"address": AT}, "someone/condaprune@main", AT,
                     f"{AT}/security/advisories/new", id="on GitHub"),
        pytest.param({"address": AT, "published": True}, f"someone/condaprune@v{__version__}", AT,
                     f"{AT}/security/advisories/new", id="published"),
        pytest.param({"address": ELSEWHERE, "security": "mailto:s@example.org"},
                     "./tools/condaprune", ELSEWHERE, "mailto:s@example.org", id="elsewhere"),
    ],
)  # fmt: skip
def test_pages_name_it(
    copy: Path, said: dict[str, object], action: str, hook: str, reports: str
) -> None:
    _say(copy, **said)
    tool.differing(copy, write=True)
    page = (copy / "docs/check.md").read_text("utf-8")
    assert f"- uses: {action}\n" in page
    assert f"- repo: {hook}\n" in page
    assert reports in (copy / "SECURITY.md").read_text("utf-8")
    assert reports in (copy / ".github/ISSUE_TEMPLATE/config.yml").read_text("utf-8")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        pytest.param("address = 'github.com/x'", "give https://", id="no address of the web"),
        pytest.param("address = 'https://github.com/x/'", "give https://", id="a slash behind"),
        pytest.param("published = true", "has an address", id="published nowhere"),
        pytest.param("published = 'yes'", "another type", id="text for a truth value"),
        pytest.param("adress = ''", "not a key", id="a slip"),
    ],
)
def test_what_cannot_be_is_refused(copy: Path, said: str, message: str) -> None:
    (copy / tool.FILE).write_text(f"{said}\n", encoding="utf-8")
    with pytest.raises(tool.ProjectError, match=message):
        tool.read(copy)


def test_a_region_that_was_lost_is_named(copy: Path) -> None:
    path = copy / "README.md"
    path.write_text(path.read_text("utf-8").replace("<!-- end: install -->", ""), encoding="utf-8")
    with pytest.raises(tool.ProjectError, match=r"README\.md: has the regions"):
        tool.differing(copy)


@pytest.mark.parametrize("said", STATES.values(), ids=STATES.keys())
def test_the_readme_of_an_index_has_no_link_that_leads_nowhere(
    copy: Path, said: dict[str, object]
) -> None:
    _say(copy, **said)
    tool.differing(copy, write=True)
    text = tool.long_description((copy / "README.md").read_text("utf-8"), tool.read(copy))
    targets = re.findall(r"\]\(([^()\s]+)\)", text)
    assert all(target.startswith("https://") for target in targets)
    assert bool(targets) is bool(said)
    assert "project.toml" not in text
    assert "## Install" in text
    assert ("sizes.svg" in text) is bool(said)


def test_links_of_the_metadata() -> None:
    assert tool.urls(tool.Project()) == {}
    assert tool.urls(tool.Project(AT))["Issues"] == f"{AT}/issues"


def test_no_release_without_an_address(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _say(copy)
    tool.differing(copy, write=True)
    assert release.main([], copy) == 1
    said = capsys.readouterr().err
    assert "no release: project.toml: there is no address" in said
    assert f"CHANGELOG.md: has no section for {__version__}" in said
    assert not (copy / "dist").exists()


def test_no_release_of_what_does_not_follow(copy: Path) -> None:
    _say(copy, address=ELSEWHERE)
    text = (copy / "CHANGELOG.md").read_text("utf-8")
    (copy / "CHANGELOG.md").write_text(text.replace("## Unreleased", f"## {__version__}"))
    found = release.obstacles(copy)
    assert any(line.startswith("README.md: does not follow") for line in found)
    assert any(line.startswith("project.toml: security") for line in found)
    _say(copy, address=AT)
    tool.differing(copy, write=True)
    assert release.obstacles(copy) == []


def test_the_citation_has_this_version() -> None:
    text = (ROOT / "CITATION.cff").read_text("utf-8")
    assert re.search(rf"^version: {re.escape(__version__)}$", text, re.M)
    assert re.search(r"^cff-version: 1\.2\.0$", text, re.M)
    assert re.search(r"^authors:\n  - name: ", text, re.M)


def test_the_action_installs_itself() -> None:
    text = (ROOT / "action.yml").read_text("utf-8")
    assert re.search(r"^  condaprune:\n.*\n    default: \"\"$", text, re.M)
    assert "ACTION_PATH: ${{ github.action_path }}" in text
    assert '"${INPUT_CONDAPRUNE:-$ACTION_PATH}"' in text


def test_dockerfiles_copy_the_single_file() -> None:
    for path in sorted((ROOT / "docs" / "docker").glob("*.Dockerfile")):
        text = path.read_text("utf-8")
        if "condaprune" in re.sub(r"^#.*\n", "", text, flags=re.M):
            assert re.search(r"^COPY .*condaprune\.pyz ", text, re.M), path.name
        assert check_dockerfile(text) == []


def test_dockerfiles_pin_what_installs() -> None:
    for path in sorted((ROOT / "docs" / "docker").glob("*.Dockerfile")):
        for builder in re.findall(r"^ARG BUILDER=(\S+)$", path.read_text("utf-8"), re.M):
            assert re.search(r":\d+\.\d+", builder), f"{path.name}: {builder}"


def test_forms_for_issues_are_as_github_reads_them() -> None:
    yaml = pytest.importorskip("yaml", reason="pip install --group docs")
    forms = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    assert len(forms) == 4
    for path in forms:
        form = yaml.safe_load(path.read_text("utf-8"))
        if path.name == "config.yml":
            assert form == {"blank_issues_enabled": True, **({"contact_links": form[
                "contact_links"]} if tool.read().private_reports else {})}  # fmt: skip
            continue
        assert form["name"]
        assert form["description"]
        ids = [part["id"] for part in form["body"]]
        assert len(ids) == len(set(ids)) > 1
        for part in form["body"]:
            assert part["type"] in ("textarea", "input")
            assert part["attributes"]["label"]
