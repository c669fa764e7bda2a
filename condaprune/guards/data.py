"""Data that programs find by place, and data that kept code names, stays.

The first kind is a table: a pattern, and the kept files that make it needed. The second is
evidence out of code, see `datanames`. docs/guards.md says what neither covers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from condaprune.evidence.scene import Guard, Scene
from condaprune.guards.elf import is_shared
from condaprune.model import Veto


@dataclass(frozen=True, slots=True)
class Known:
    """Data that is needed where something is kept: patterns of whole paths, and why.

    An empty `user` stands for: always. Where the patterns have a group `at`, only a user at the
    same place speaks for the data: a vendored copy of a package has data of its own.
    """

    data: re.Pattern[str]
    user: re.Pattern[str] | None
    reason: str


def _known(data: str, user: str, reason: str) -> Known:
    return Known(re.compile(data), re.compile(user) if user else None, reason)


_NEVER = (".py", ".pyc", ".pyi", ".so", ".h", ".hpp", ".a", ".pyx", ".pxd")
_SITE = r"(?:.*/)?"
_AT = r"(?P<at>(?:.*/)?)"

KNOWN = (
    _known(
        r"(?:Library/)?ssl/(?:cacert|cert)\.pem|(?:Library/)?ssl/openssl\.cnf|(?:etc/)?ssl/certs/.*",
        "",
        "certificates, without which no TLS connection is trusted",
    ),
    _known(_AT + r"certifi/cacert\.pem", _AT + r"certifi/[^/]+\.pyc?", "certifi's certificates"),
    _known(r"share/proj/.*", r".*/libproj\.(?:so|dylib)[^/]*|.*/pyproj/[^/]+\.py", "PROJ's data"),
    _known(r"share/gdal/.*", r".*/libgdal\.(?:so|dylib)[^/]*", "GDAL's data"),
    _known(
        _SITE + r"(?:rasterio/(?:gdal|proj)_data|fiona/(?:gdal|proj)_data|pyproj/proj_dir)/.*",
        r".*/(?:rasterio|fiona|pyproj)/[^/]+\.(?:py|so)",
        "the geodata libraries' own data",
    ),
    _known(
        _SITE
        + r"mpl-data/(?:fonts/(?:ttf|afm|pdfcorefonts)/.*|matplotlibrc|stylelib/.*|images/.*)",
        r".*/matplotlib/__init__\.py",
        "matplotlib does not start, or draw, without",
    ),
    _known(
        r"(?:share|lib)/terminfo/(?:[a-z0-9]{1,2})/"
        r"(?:xterm(?:-256color|-color)?|linux|vt100|vt220|dumb|ansi|screen(?:-256color)?"
        r"|tmux(?:-256color)?|rxvt)",
        r".*/(?:libn?curses|libtinfo|_curses)[^/]*",
        "the terminals that containers use",
    ),
    _known(_AT + r"parso/python/grammar\d+\.txt", _AT + r"parso/[^/]+\.py", "parso's grammars"),
    _known(
        _AT + r"dateutil/zoneinfo/.*\.tar\.gz", _AT + r"dateutil/zoneinfo/[^/]+\.py", "time zones"
    ),
    _known(_AT + r"pytz/zoneinfo/.*", _AT + r"pytz/__init__\.py", "pytz's time zones"),
    _known(
        _AT + r"babel/(?:global\.dat|locale-data/(?:root|en|en_US)\.dat)",
        _AT + r"babel/[^/]+\.py",
        "Babel fails without its root locale",
    ),
    _known(r"etc/fonts/.*|fonts/.*", r".*/libfontconfig\.(?:so|dylib)[^/]*", "fontconfig's fonts"),
    _known(r"share/icu/.*\.dat", r".*/libicudata\.[^/]*", "ICU's data"),
    _known(r"share/misc/magic(?:\.mgc)?", r".*/libmagic\.[^/]*", "libmagic's database"),
    _known(
        r"lib/tcl\d[^/]*/.*\.tcl|lib/tcl\d[^/]*/(?:encoding|msgs)/.*",
        r".*/libtcl[^/]*",
        "Tcl starts with these",
    ),
    _known(r"lib/tk\d[^/]*/(?!demos/).*\.tcl", r".*/libtk\d[^/]*", "Tk starts with these"),
    _known(
        r"share/glib-2\.0/schemas/gschemas\.compiled", r".*/libgio-2[^/]*", "GSettings' schemas"
    ),
    _known(
        r"lib/gdk-pixbuf-2\.0/.*/loaders\.cache", r".*/libgdk_pixbuf[^/]*", "the list of loaders"
    ),
    _known(
        r"lib/girepository-1\.0/.*\.typelib", r".*/libgirepository[^/]*", "GObject's interfaces"
    ),
    _known(r"share/X11/(?:xkb|locale)/.*", r".*/lib(?:xkbcommon|X11)\.[^/]*", "X11's keyboards"),
    _known(r"share/mime/(?:mime\.cache|magic|globs2?|types)", r".*/libgio-2[^/]*", "file types"),
)

_ANY = re.compile("|".join(f"(?:{known.data.pattern.replace('?P<at>', '?:')})" for known in KNOWN))
_ZONES = re.compile(r"share/zoneinfo/.*|(?:.*/)?site-packages/tzdata/zoneinfo/.*")


def _place(match: re.Match[str]) -> str:
    """Where a package lies that data or its user belong to; empty where that does not matter."""
    return match.groupdict().get("at") or ""


class Data(Guard):
    """Rescues data that is found by place or by name."""

    name = "data"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._always: list[tuple[str, Known]] = []
        self._waiting: list[tuple[Known, dict[str, list[str]]]] = []
        doomed = [
            path
            for path in scene.candidates
            if not path.endswith(_NEVER)
            and _ANY.fullmatch(path)
            and self.entries[path].kind != "folder"
        ]
        for known in KNOWN:
            wanted: dict[str, list[str]] = {}
            for path in doomed:
                if match := known.data.fullmatch(path):
                    wanted.setdefault(_place(match), []).append(path)
            if known.user is None:
                self._always += [(path, known) for path in wanted.get("", ())]
            elif wanted:
                self._waiting.append((known, wanted))
        self._zones = self._only_zones()
        self._first = True

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        if self._first:
            self._first = False
            for path, known in self._always:
                yield Veto(path, known.reason)
            for path in self._zones:
                yield Veto(path, "the only copy of the time zones")
        for known, wanted in self._waiting:
            assert known.user is not None
            for path in batch:
                if not wanted:
                    break
                if match := known.user.fullmatch(path):
                    for target in wanted.pop(_place(match), ()):
                        yield Veto(target, known.reason, path)
        python = self.scene.facts.python
        for path in batch:
            facts = python.get(path)
            if facts is not None:
                for edge in facts.data:
                    for target in edge.targets:
                        if not is_shared(target):
                            yield Veto(target, f"{path}:{edge.line} {edge.text}", path)

    def _only_zones(self) -> list[str]:
        """The doomed time zones, if no copy is left whole."""
        doomed: dict[bool, list[str]] = {True: [], False: []}
        whole = {True: False, False: False}
        for path, entry in self.entries.items():
            if entry.kind != "folder" and "zoneinfo/" in path and _ZONES.fullmatch(path):
                system = path.startswith("share/")
                if path in self.candidates:
                    doomed[system].append(path)
                else:
                    whole[system] = whole[system] or path.endswith(("/UTC", "/Etc/UTC"))
        # The copy of the Python package is the smaller, and the one Python falls back to.
        if whole[True] or whole[False]:
            return []
        return [p for p in doomed[False] or doomed[True] if not p.endswith((".py", ".pyc"))]
