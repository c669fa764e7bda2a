"""The command line: `python -m lab.envs build|pack|list|clean`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from .build import build_environment, shared_environment
from .cache import CHANNELS, ENVIRONMENTS, PACKED, cache_root, remove_tree
from .errors import BuildError
from .model import SIZES, Variant
from .pack import pack_prefix


def main(arguments: list[str] | None = None) -> int:
    """Carry out one command; 0 when it worked, 2 when it could not."""
    options = _parser().parse_args(arguments)
    try:
        _COMMANDS[options.command](options)
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lab.envs", description="Build real conda environments."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    variants = ", ".join(variant.value for variant in Variant)

    build = commands.add_parser("build", help="install an environment")
    build.add_argument("size", choices=("bare", *SIZES))
    build.add_argument(
        "--prefix", type=Path, help="where to; without it: the one shared by all tests"
    )
    build.add_argument("--variant", default="plain", help=f"plain, or some of: {variants}")
    build.add_argument(
        "--python", metavar="EXE", help="the interpreter to package (the running one)"
    )
    build.add_argument(
        "--with", dest="requirements", action="append", default=[], metavar="REQUIREMENT",
        help="a PyPI requirement to add as a conda package; may be repeated",
    )  # fmt: skip
    build.add_argument(
        "--pip", action="append", default=[], metavar="REQUIREMENT",
        help="a PyPI requirement to install by pip on top; may be repeated",
    )  # fmt: skip

    pack = commands.add_parser("pack", help="run conda-pack on an environment")
    pack.add_argument("prefix", type=Path)
    pack.add_argument(
        "-o", "--output", type=Path, required=True, help=".tar.gz, .tar.zst, .zip or another"
    )

    commands.add_parser("list", help="show what the cache holds")
    commands.add_parser("clean", help="delete the cache")
    return parser


def _build(options: argparse.Namespace) -> None:
    start = time.monotonic()
    if options.prefix is None:
        if options.requirements or options.pip:
            raise BuildError("a shared environment takes no additions", fix="name a --prefix")
        environment = shared_environment(
            options.size, python=options.python, variant=options.variant
        )
    else:
        environment = build_environment(
            options.prefix,
            options.size,
            python=options.python,
            requirements=options.requirements,
            pip=options.pip,
            variant=options.variant,
        )
    print(environment.prefix)
    print(
        f"{len(environment.records())} packages in {time.monotonic() - start:.1f} s",
        file=sys.stderr,
    )


def _pack(options: argparse.Namespace) -> None:
    print(pack_prefix(options.prefix.absolute(), options.output.absolute()))


def _list(_: argparse.Namespace) -> None:
    root = cache_root()
    for folder in sorted(root.glob(f"{ENVIRONMENTS}/*")):
        count = len(list(folder.glob("env/conda-meta/*.json")))
        print(f"environment  {folder / 'env'}  ({count} packages)")
    for archive in sorted(root.glob(f"{PACKED}/*/env.*")):
        print(f"archive      {archive}  ({archive.stat().st_size / 1e6:.1f} MB)")
    for channel in sorted(root.glob(f"{CHANNELS}/*/channel.json")):
        asked = ", ".join(json.loads(channel.read_text("utf-8"))["requirements"])
        print(f"channel      {channel.parent}  ({asked})")


def _clean(_: argparse.Namespace) -> None:
    remove_tree(cache_root())


_COMMANDS = {"build": _build, "clean": _clean, "list": _list, "pack": _pack}

if __name__ == "__main__":
    sys.exit(main())
