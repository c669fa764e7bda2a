"""Indexing a channel and installing from it, with py-rattler in a process of its own.

py-rattler now and then crashes while its process ends, its work done: what counts is the answer
that `_rattler_worker.py` wrote, not the status it ended with.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .errors import BuildError
from .interpreter import clean_environ, conda_subdir

_WORKER = Path(__file__).with_name("_rattler_worker.py")

LinkMode = Literal["hard", "copy"]


@dataclass(frozen=True, slots=True)
class PackageCache:
    """A folder of unpacked packages: for all of them, or for some by name."""

    path: Path
    only: tuple[str, ...] = ()


def index(channel: Path) -> None:
    """Write `repodata.json` for every subfolder of the channel."""
    _ask({"index": [str(channel)]}, f"index the channel {channel}")
    for folder in ("noarch", conda_subdir()):
        if not (channel / folder / "repodata.json").is_file():
            raise BuildError(
                "the index has no repodata.json", where=channel / folder, fix="try again"
            )


def install(
    prefix: Path,
    *,
    channels: Sequence[Path],
    specs: Iterable[str],
    caches: Sequence[PackageCache],
    link: LinkMode = "hard",
    unindexed: Iterable[Path] = (),
) -> list[str]:
    """Solve the specs, install the solution into `prefix`, and return its packages' file names.

    The first of `channels` has precedence. A package that no cache has is unpacked into the first
    of `caches` that takes it. `unindexed` channels are indexed beforehand.
    """
    answer = _ask(
        {
            "index": [str(path) for path in unindexed],
            "install": {
                "prefix": str(prefix),
                "channels": [path.as_uri() for path in channels],
                "specs": list(specs),
                "subdirs": [conda_subdir(), "noarch"],
                "caches": [{"path": str(cache.path), "only": cache.only} for cache in caches],
                "link": link,
            },
        },
        f"install into {prefix}",
    )
    packages: list[str] = answer["packages"]
    return packages


def _ask(request: dict[str, Any], what: str) -> dict[str, Any]:
    if importlib.util.find_spec("rattler") is None:
        raise BuildError(
            "py-rattler is missing", where=sys.executable, fix="pip install py-rattler"
        )
    with tempfile.TemporaryDirectory(prefix="condaprune-rattler-") as folder:
        answer = Path(folder) / "answer.json"
        done = subprocess.run(
            [sys.executable, "-I", str(_WORKER), str(answer)],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            env=clean_environ(),
            check=False,
        )
        if answer.is_file():
            result: dict[str, Any] = json.loads(answer.read_text("utf-8"))
            if "error" not in result:
                return result
            raise BuildError(f"cannot {what}: {result['error']}", fix="see py-rattler's message")
    raise BuildError(f"py-rattler died ({done.returncode}) when asked to {what}:\n{done.stderr}")
