"""Run as a script: reads a request from stdin, writes the answer to the file it is given.

It stands alone, without this package, so that it starts fast and works from any folder.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import rattler
import rattler.index


async def _index(channel: str) -> None:
    await rattler.index.index_fs(Path(channel), write_zst=False, write_shards=False, force=True)


async def _install(
    prefix: str,
    channels: list[str],
    specs: list[str],
    subdirs: list[Any],
    caches: list[Any],
    link: str,
) -> list[str]:
    records = await rattler.solve(
        sources=[rattler.Channel(url) for url in channels],
        specs=specs,
        platforms=subdirs,
        virtual_packages=rattler.VirtualPackage.detect(),
    )
    # reflinks would leave nothing to tell a linked file by
    hard = "true" if link == "hard" else "false"
    config = rattler.Config.from_toml(f"allow-hard-links = {hard}\nallow-ref-links = false\n")
    await rattler.install(
        records,
        target_prefix=prefix,
        package_cache=rattler.PackageCache.from_layers([_layer(**cache) for cache in caches]),
        show_progress=False,
        execute_link_scripts=False,
        requested_specs=[_inner(rattler.MatchSpec(spec)) for spec in specs],
        config=config,
    )
    return sorted(record.file_name for record in records)


def _layer(path: str, only: list[str]) -> rattler.PackageCacheLayer:
    layer = rattler.PackageCacheLayer(path)
    for name in only:
        layer = layer.with_filter(rattler.MatchSpec(name))
    return layer


def _inner(spec: Any) -> Any:
    # 0.28 declares MatchSpec and takes only the object inside of it
    return getattr(spec, "_match_spec", spec)


async def _answer(request: dict[str, Any]) -> dict[str, Any]:
    for channel in request.get("index", ()):
        await _index(channel)
    if "install" in request:
        return {"packages": await _install(**request["install"])}
    return {}


def main() -> None:
    """Do what the request says; an answer file is there whenever the work was done or refused."""
    try:
        answer = asyncio.run(_answer(json.load(sys.stdin)))
    except Exception as error:  # every kind: the caller turns it into its own error
        answer = {"error": f"{type(error).__name__}: {error}"}
    target = Path(sys.argv[1])
    partial = target.with_suffix(".new")
    partial.write_text(json.dumps(answer), "utf-8")
    partial.rename(target)
    # a regular exit lets py-rattler's threads crash now and then
    os._exit(0)


if __name__ == "__main__":
    main()
