"""Writing a wheel of a few lines of Python, for pip to install."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..cache import new_file


def write_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    files: Mapping[str, str],
    scripts: Iterable[str] = (),
    data: Mapping[str, str] | None = None,
) -> Path:
    """Write a pure wheel: `files` go to site-packages, `data` to the prefix."""
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    contents = dict(files)
    contents |= {f"{stem}.data/data/{path}": text for path, text in (data or {}).items()}
    contents[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    contents[f"{info}/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    if points := list(scripts):
        contents[f"{info}/entry_points.txt"] = "[console_scripts]\n" + "".join(
            f"{point}\n" for point in points
        )
    rows = [f"{path},{_hash(text)},{len(text.encode())}\n" for path, text in contents.items()]
    contents[f"{info}/RECORD"] = "".join(rows) + f"{info}/RECORD,,\n"
    target = folder / f"{stem}-py3-none-any.whl"
    with new_file(target) as work, zipfile.ZipFile(work, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in contents.items():
            archive.writestr(path, text)
    return target


def _hash(text: str) -> str:
    value = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(value).rstrip(b"=").decode()
