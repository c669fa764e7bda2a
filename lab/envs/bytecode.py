"""Bytecode of `noarch: python` packages, made after the install as conda and mamba make it.

Compiling costs seconds, an install tenths of one. So the code objects of each package are kept,
and each further install only has the environment's path put into them.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .cache import BYTECODE, cache_root, digest
from .errors import BuildError
from .interpreter import Interpreter, clean_environ

_WORKER = Path(__file__).with_name("_bytecode_worker.py")


def compile_noarch(prefix: Path, interpreter: Interpreter, *, keep: Path) -> None:
    """Compile every noarch package in `prefix` and add the bytecode to its record.

    What is compiled is kept for next time, for packages that lie in the package cache `keep`:
    those that a test made up would only pile up.
    """
    records = list(_noarch_records(prefix))
    folder = cache_root() / BYTECODE / f"{interpreter.cache_tag}-{digest(interpreter.build)}"
    folder.mkdir(parents=True, exist_ok=True)
    request = [
        {
            "sources": [
                file
                for file in record["files"]
                if file.endswith(".py") and "/site-packages/" in file
            ],
            "kept": str(folder / f"{path.stem}.marshal") if _comes_from(record, keep) else None,
        }
        for path, record in records
    ]
    done = subprocess.run(
        [str(interpreter.executable), "-I", str(_WORKER), str(prefix)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        env=clean_environ(),
        check=False,
    )
    if done.returncode:
        raise BuildError(f"cannot compile the noarch packages:\n{done.stderr}", where=prefix)
    for (path, record), compiled in zip(records, json.loads(done.stdout), strict=True):
        record["files"] += compiled
        record["paths_data"]["paths"] += [
            {"_path": file, "path_type": "pyc_file"} for file in compiled
        ]
        path.write_text(json.dumps(record, indent=2), "utf-8")


def _noarch_records(prefix: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted((prefix / "conda-meta").glob("*.json")):
        record = json.loads(path.read_text("utf-8"))
        if record.get("noarch") == "python":
            yield path, record


def _comes_from(record: dict[str, Any], cache: Path) -> bool:
    return Path(record["extracted_package_dir"]).is_relative_to(cache)
