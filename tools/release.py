"""Makes the files of a release in dist/: wheel, sdist, single file, conda package. Publishes none.

    python tools/release.py [wheel] [sdist] [pyz] [recipe] [--output DIR]

All four unless some are named. Refuses while project.toml has no address, while something does not
follow from project.toml, and while CHANGELOG.md has no section for the version.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import project

PARTS = ("wheel", "sdist", "pyz", "recipe")


def obstacles(root: Path) -> list[str]:
    """What stands in the way of a release, a sentence each. Errors: `project.ProjectError`."""
    said = project.read(root)
    found = []
    if not said.address:
        found.append("project.toml: there is no address: a release says where it comes from")
    elif not said.private_reports:
        found.append("project.toml: security: say where a vulnerability is reported in private")
    found += [
        f"{name}: does not follow from project.toml: python tools/project.py --write"
        for name in project.differing(root)
    ]
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    if not re.search(rf"^## {re.escape(said.version)}\b", changelog, re.MULTILINE):
        found.append(f"CHANGELOG.md: has no section for {said.version}: rename Unreleased")
    return found


def make(part: str, root: Path, output: Path) -> None:
    """Make one of `PARTS`. Errors: `subprocess.CalledProcessError`."""
    tools = root / "tools"
    commands: dict[str, list[str | Path]] = {
        "wheel": ["-m", "build", "--wheel", "--outdir", output, root],
        "sdist": ["-m", "build", "--sdist", "--outdir", output, root],
        "pyz": [tools / "make_pyz.py", output / "condaprune.pyz"],
        "recipe": [tools / "make_conda.py", output / "conda"],
    }
    subprocess.run([sys.executable, *commands[part]], check=True)


def main(arguments: Sequence[str], root: Path = project.ROOT) -> int:
    """Make what is named. The exit status: 0, 1 where something stands in the way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--output", type=Path, default=root / "dist")
    options = parser.parse_args(arguments)
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    try:
        found = obstacles(root)
    except project.ProjectError as error:
        found = [str(error)]
    if found:
        print(*(f"no release: {line}" for line in found), sep="\n", file=sys.stderr)
        return 1
    output: Path = options.output
    output.mkdir(parents=True, exist_ok=True)
    for part in options.parts or PARTS:
        make(part, root, output)
    files = sorted(path for path in output.iterdir() if path.suffix in (".whl", ".gz"))
    if files:
        subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *files], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
