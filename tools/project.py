"""Writes what follows from project.toml: how to install, where to report, what the metadata name.

    python tools/project.py            name what does not follow from it; exit status 1
    python tools/project.py --write    write it

What is written stands between two comments, ``project.toml: NAME`` and ``end: NAME``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
FILE = "project.toml"
_REGION = re.compile(
    r"^(?P<head>[^\n]*\bproject\.toml: (?P<name>[\w-]+)[^\n]*\n)(?P<body>.*?)"
    r"(?P<tail>^[^\n]*\bend: (?P=name)\b)",
    re.MULTILINE | re.DOTALL,
)


class ProjectError(Exception):
    """project.toml, or a file that follows from it, is not as it has to be."""


@dataclass(frozen=True, slots=True)
class Project:
    """What project.toml says: the public address, where vulnerabilities go, and whether package
    indexes have condaprune; and the version."""

    address: str = ""
    security: str = ""
    published: bool = False
    version: str = ""

    @property
    def revision(self) -> str:
        """What to name of the repository: a release where there are some."""
        return f"v{self.version}" if self.published else "main"

    @property
    def private_reports(self) -> str:
        """Where a vulnerability is reported in private; empty where that is not known."""
        if self.security or not self.address.startswith("https://github.com/"):
            return self.security
        return f"{self.address}/security/advisories/new"


def read(root: Path = ROOT) -> Project:
    """Read project.toml. Errors: `ProjectError`."""
    raw = tomllib.loads((root / FILE).read_text(encoding="utf-8"))
    shape = {"address": str, "security": str, "published": bool}
    for key, value in raw.items():
        if not isinstance(value, shape.get(key, ())):
            raise ProjectError(f"{FILE}: {key}: not a key of this file, or of another type")
    code = (root / "condaprune" / "version.py").read_text(encoding="utf-8")
    version = re.search(r'^__version__ = "(.+)"$', code, re.MULTILINE)
    if not version:
        raise ProjectError("condaprune/version.py: has no version")
    project = Project(**raw, version=version[1])
    if project.address and not re.fullmatch(r"https://[^\s/]+(/[\w.-]+)+", project.address):
        raise ProjectError(f"{FILE}: address: give https://host/owner/name, without a slash behind")
    if project.published and not project.address:
        raise ProjectError(f"{FILE}: published: what is published has an address")
    return project


def urls(project: Project) -> dict[str, str]:
    """The links of the package's metadata."""
    at = project.address
    if not at:
        return {}
    return {
        "Repository": at,
        "Documentation": f"{at}/tree/HEAD/docs",
        "Changelog": f"{at}/blob/HEAD/CHANGELOG.md",
        "Issues": f"{at}/issues",
    }


def long_description(readme: str, project: Project) -> str:
    """The README for a package index, where its relative links would lead nowhere."""
    readme = re.sub(r"^<!--.*?-->\n", "", readme, flags=re.MULTILINE | re.DOTALL)
    relative = r"\[([^\[\]]*)\]\((?![a-z]+:|#)([^()\s]+)\)"
    if not project.address:
        readme = re.sub(rf"^!{relative}\n+", "", readme, flags=re.MULTILINE)
        return re.sub(relative, r"\1", readme)
    at = f"{project.address}/%s/v{project.version}/"
    readme = re.sub(rf"!{relative}", rf"![\1]({at % 'raw'}\2)", readme)
    return re.sub(rf"(?<!!){relative}", rf"[\1]({at % 'blob'}\2)", readme)


def _table(rows: Mapping[str, str]) -> str:
    lines = [f"| {name} | {text} |\n" for name, text in rows.items()]
    return "".join(["\n| with | |\n|---|---|\n", *lines, "\n"])


def _install(project: Project) -> str:
    at = project.address
    built = {
        "conda": "`make recipe && conda create -n condaprune condaprune -c file://$PWD/dist/conda "
        "-c conda-forge`",
        "a single file": "`make pyz && python3 dist/condaprune.pyz ENV`",
        "an image to copy from": "`make pyz && docker build -t condaprune -f "
        "docs/docker/tool.Dockerfile dist`, then in a Dockerfile "
        "`COPY --from=condaprune /condaprune.pyz /tmp/`",
    }
    if project.published:
        file = f"`condaprune.pyz` of a [release]({at}/releases): `python3 condaprune.pyz ENV`"
        image = f"from a [checkout]({at}): {built['an image to copy from']}"
        return "\ncondaprune needs a Python from 3.10 on, and no configuration.\n" + _table({
            "pip": "`pip install condaprune`, in an environment of its own",
            "pipx": "`pipx install condaprune`",
            "uv": "`uvx condaprune ENV`, or `uv tool install condaprune`",
            "conda": "`conda create -n condaprune -c conda-forge condaprune`",
            "a single file": file,
            "an image to copy from": image,
        })  # fmt: skip
    if at:
        text = (
            "\nNo package index has condaprune yet; the last three begin with `git clone "
            f"{at} && cd condaprune`.\nIt needs a Python from 3.10 on, and no configuration.\n"
        )
        return text + _table({
            "pip": f"`pip install git+{at}`, in an environment of its own",
            "pipx": f"`pipx install git+{at}`",
            "uv": f"`uvx --from git+{at} condaprune ENV`",
            **built,
        })  # fmt: skip
    text = (
        "\nNo package index has condaprune yet: each line is for the top folder of a checkout. It "
        "needs a\nPython from 3.10 on, and no configuration.\n"
    )
    return text + _table({
        "pip": "`python3 -m venv tool && . tool/bin/activate && pip install .`",
        "pipx": "`pipx install .`",
        "uv": "`uvx --from . condaprune ENV`, or `uv tool install .`",
        **built,
    })  # fmt: skip


def _action(project: Project) -> str:
    on_github = re.fullmatch(r"https://github\.com/([^/]+/[^/]+)", project.address)
    if on_github:
        told, uses = "", f"{on_github[1]}@{project.revision}"
    else:
        told = (
            "The action installs itself from its own checkout, so any copy of condaprune's "
            "repository will do,\nsuch as a submodule at `tools/condaprune`:\n\n"
        )
        uses = "./tools/condaprune"
    return (
        f"\n{told}```yaml\n- uses: {uses}\n  with:\n    environment: /env\n"
        "    baseline: size.json\n    budget: condaprune.toml\n    html: audit.html\n```\n\n"
    )


def _hook(project: Project) -> str:
    hook = (
        "  hooks:\n    - id: condaprune-check\n{local}      args: [/env]\n"
        "```\n\n"
    )  # fmt: skip
    if project.address:
        at = f"- repo: {project.address}\n  rev: {project.revision}\n"
        return f"\n```yaml\n{at}{hook.replace('{local}', '')}"
    local = (
        "      name: condaprune check\n      entry: condaprune check --no-progress\n"
        "      language: system\n      pass_filenames: false\n      always_run: true\n"
        "      stages: [pre-push, manual]\n"
    )
    return (
        "\nWith condaprune on the PATH of whoever pushes:\n\n"
        f"```yaml\n- repo: local\n{hook.replace('{local}', local)}"
    )


def _reports(project: Project) -> str:
    if project.private_reports:
        name = project.private_reports.removeprefix("mailto:")
        return (
            f"\nReport it in private: [{name}]({project.private_reports}). Do not open a public "
            "issue for it.\n\n"
        )
    return (
        "\nReport it in private to whoever you have condaprune from: the maintainers of the "
        "repository that\nyour checkout came from, by its private vulnerability reports where it "
        "has them, or the people in\nyour organisation who hand condaprune out. Do not open a "
        "public issue for it.\n\n"
    )


def _homepage(project: Project) -> str:
    names = {"homepage": "Repository", "repository": "Repository", "documentation": "Documentation"}
    return "".join(f"  {key}: {urls(project)[name]}\n" for key, name in names.items()
                   if project.address)  # fmt: skip


def _contact(project: Project) -> str:
    if not project.private_reports:
        return ""
    return (
        "contact_links:\n  - name: A vulnerability\n"
        f"    url: {project.private_reports}\n    about: Report it in private, please.\n"
    )


def _one(line: str) -> Callable[[Project], str]:
    """A line with the address in it, or nothing where there is none."""
    return lambda project: line.format(project.address) if project.address else ""


REGIONS: Mapping[str, Mapping[str, Callable[[Project], str]]] = {
    "README.md": {"install": _install},
    "docs/index.md": {"install": _install},
    "docs/check.md": {"action": _action, "hook": _hook},
    "SECURITY.md": {"reports": _reports},
    "CITATION.cff": {"links": _one('repository-code: "{}"\n')},
    "mkdocs.yml": {"links": _one("repo_url: {}\n")},
    "recipe/recipe.yaml": {"links": _homepage},
    ".github/ISSUE_TEMPLATE/config.yml": {"links": _contact},
    "condaprune/version.py": {"address": lambda project: f'ADDRESS = "{project.address}"\n'},
}


def written(text: str, regions: Mapping[str, Callable[[Project], str]], project: Project) -> str:
    """The text of a file as it follows from project.toml.

    Errors: `ProjectError` where its regions are not those expected.
    """
    found = [match["name"] for match in _REGION.finditer(text)]
    if found != list(regions):
        raise ProjectError(f"has the regions {found}, not {list(regions)}")
    return _REGION.sub(
        lambda match: match["head"] + regions[match["name"]](project) + match["tail"], text
    )


def differing(root: Path = ROOT, *, write: bool = False) -> list[str]:
    """The files that do not follow from project.toml; with *write* they do afterwards.

    Errors: `ProjectError`.
    """
    project = read(root)
    found = []
    for name, regions in REGIONS.items():
        path = root / name
        text = path.read_text(encoding="utf-8")
        try:
            wanted = written(text, regions, project)
        except ProjectError as error:
            raise ProjectError(f"{name}: {error}") from error
        if wanted == text:
            continue
        found.append(name)
        if write:
            path.write_text(wanted, encoding="utf-8")
    return found


def main(arguments: list[str]) -> int:
    """Check or write. The exit status: 0, 1 where something does not follow, 2 for an error."""
    write = arguments == ["--write"]
    if arguments and not write:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        found = differing(write=write)
    except ProjectError as error:
        print(error, file=sys.stderr)
        return 2
    for name in found:
        print(name if write else f"{name}: does not follow from {FILE}: python tools/project.py "
              "--write")  # fmt: skip
    return 1 if found and not write else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
