"""Makes condaprune a single file that any Python 3.10 or newer runs: ``dist/condaprune.pyz``.

Pure-Python dependencies are bundled. The compiled ones are not, since the file is for every
platform: without zstandard in the Python that runs it, ``.tar.zst`` and layers by zstd are refused
with a message; without google-re2 the guards read sources, and rules match paths, by ``re``.

    python tools/make_pyz.py [OUTPUT]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the checkout's, whatever is installed
from condaprune.ruleset.builtin import COMPILED, compile_builtin  # noqa: E402

# The dependencies of pyproject.toml without the compiled ones; tomli is for Python 3.10.
PURE = ("click", "conda-pack", "packaging", "pathspec", "tomli", "tqdm")
_LEFT_OUT = ("__pycache__", "*.pyc", "bin", "tests", "RECORD", "INSTALLER", "REQUESTED")
# Files are unpacked, as conda-pack and the recorders look for files of theirs beside themselves.
MAIN = """\
import atexit, shutil, sys, tempfile, zipfile
if sys.version_info < (3, 10):
    sys.exit("condaprune: needs Python 3.10 or newer, this is " + sys.version.split()[0])
archive = sys.path[0]
try:
    folder = tempfile.mkdtemp(prefix="condaprune-")
    atexit.register(shutil.rmtree, folder, True)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
except (OSError, zipfile.BadZipFile) as error:
    print("condaprune: cannot unpack itself into a temporary folder:", ascii(str(error))[1:-1],
          file=sys.stderr)
    sys.exit(2)
except KeyboardInterrupt:
    sys.exit(130)
sys.path[0] = folder
sys.dont_write_bytecode = True
from condaprune.cli import main
main()
"""


def make(output: Path) -> None:
    """Write the file. Errors: `subprocess.CalledProcessError` where pip finds no packages."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "--no-deps",
               "--no-compile", "--only-binary", ":all:", "--platform", "any", "--abi", "none",
               "--implementation", "py", "--python-version", "3.10",
               "--disable-pip-version-check"]  # fmt: skip
        subprocess.run([*pip, *PURE], check=True)
        ignore = shutil.ignore_patterns(*_LEFT_OUT)
        shutil.copytree(ROOT / "condaprune", tree / "condaprune", ignore=ignore)
        rules = tree / "condaprune" / "rules"
        shutil.copytree(ROOT / "rules", rules, dirs_exist_ok=True)
        (tree / "condaprune" / "ruleset" / COMPILED).write_bytes(compile_builtin(str(rules)))
        for name in ("README.md", "LICENSE"):
            shutil.copy(ROOT / name, tree / "condaprune" / name)
        (tree / "__main__.py").write_text(MAIN, encoding="utf-8")
        _write(tree, output)


def _write(tree: Path, output: Path) -> None:
    """A zip with an interpreter line in front; the same bytes for the same files."""
    output.parent.mkdir(parents=True, exist_ok=True)
    skip = shutil.ignore_patterns(*_LEFT_OUT)
    with open(output, "wb") as stream:
        stream.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for folder, folders, files in os.walk(tree):
                dropped = skip(folder, folders + files)
                folders[:] = sorted(name for name in folders if name not in dropped)
                for name in sorted(set(files) - dropped):
                    path = Path(folder, name)
                    inside = path.relative_to(tree).as_posix()
                    info = zipfile.ZipInfo(inside, (1980, 1, 1, 0, 0, 0))
                    info.external_attr = 0o100644 << 16
                    info.compress_type = zipfile.ZIP_DEFLATED
                    archive.writestr(info, path.read_bytes())
    output.chmod(0o755)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / "condaprune.pyz")
