"""A library that nothing links to may be opened by name while a program runs.

Such an orphan stays unless a rule names it: by its package, its kind or its file name. Where only
what was traced stays, one in a package that has code stays if anything does that could open it.
Members of families that load each other by computed names (MKL, cuDNN), and the plug-in folders
of kept libraries, stay with their kin.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from condaprune.evidence.scene import Guard, Scene
from condaprune.evidence.scope import ONLY_TRACED
from condaprune.guards.elf import Resolver, is_shared
from condaprune.model import Veto

_EXTENSION = re.compile(r"\.(?:cpython-\d+[^.]*|abi3|cp\d+-[^.]+|pypy\d+[^.]*|graalpy[^.]*)\.")


@dataclass(frozen=True, slots=True)
class Family:
    """Libraries whose file names start alike: one that is kept opens the others by name."""

    prefix: str
    reason: str


FAMILIES = (
    Family("libmkl_", "MKL opens the kernels of the processor it runs on by name"),
    Family("libcudnn", "cuDNN opens its parts by name"),
    Family("libcublas", "cuBLAS opens its parts by name"),
    Family("libnvrtc", "NVRTC opens its built-in functions by name"),
    Family("libtbb", "TBB opens its allocator and its binding by name"),
    Family("libopenblas", "OpenBLAS is found by name by programs that count its threads"),
    Family("libicu", "ICU opens its data by name"),
    Family("libLLVM", "LLVM is opened by its bindings"),
    Family("libllvmlite", "llvmlite opens it with ctypes"),
)


@dataclass(frozen=True, slots=True)
class Plugins:
    """A folder (a pattern from its start) of plug-ins that some library opens."""

    folder: re.Pattern[str]
    host: str
    reason: str


def _plugins(folder: str, host: str, reason: str) -> Plugins:
    return Plugins(re.compile(folder), host, reason)


PLUGINS = (
    _plugins(r"(?:lib/qt\d?/)?plugins/|lib/qt6?/plugins/", "libQt", "a plug-in of Qt"),
    _plugins(r"lib/gio/modules/", "libgio", "a module of GIO"),
    _plugins(r"lib/gdk-pixbuf-2\.0/", "libgdk_pixbuf", "a loader of gdk-pixbuf"),
    _plugins(r"lib/ossl-modules/|lib/engines-\d", "libcrypto", "a provider of OpenSSL"),
    _plugins(r"lib/sasl2/", "libsasl2", "a mechanism of SASL"),
    _plugins(r"lib/krb5/plugins/", "libkrb5", "a plug-in of Kerberos"),
    _plugins(r"lib/gconv/|.*/sysroot/usr/lib(?:64)?/gconv/", "libc.so", "a converter of glibc"),
    _plugins(r"lib/gstreamer-1\.0/", "libgstreamer", "a plug-in of GStreamer"),
    _plugins(r"lib/(?:gtk-\d\.0|pango|ImageMagick[^/]*)/", "lib", "a module of its library"),
    _plugins(r"lib/gdalplugins/", "libgdal", "a driver of GDAL"),
)


_ORPHAN = "nothing links to it: it may be opened by name (dlopen, ctypes)"


def _is_code(path: str, size: int) -> bool:
    """Whether a file has code that may open libraries: Python with content, or an extension."""
    name = path.rpartition("/")[2]
    if name.endswith(".pyc"):
        return name != "__init__.pyc" and "/__pycache__/" not in path
    return size > 0 if name.endswith(".py") else _EXTENSION.search(name) is not None


class Dlopen(Guard):
    """Rescues libraries that are, or may be, opened by name."""

    name = "dlopen"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._first = True
        self._waiting: dict[str, list[str]] = defaultdict(list)
        self._families: dict[str, list[str]] = defaultdict(list)
        self._plugins: dict[Plugins, list[str]] = defaultdict(list)
        for path in scene.candidates:
            if not is_shared(path):
                continue
            name = path.rpartition("/")[2]
            for family in FAMILIES:
                if name.startswith(family.prefix):
                    self._families[family.prefix].append(path)
            for plugins in PLUGINS:
                if plugins.folder.match(path):
                    self._plugins[plugins].append(path)

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        if self._first:
            self._first = False
            yield from self._orphans()
        yield from self._awaited(batch)
        yield from self._kin(batch)
        for path in batch:
            facts = self.scene.facts.python.get(path)
            if facts is not None:
                for edge in facts.data:
                    for target in edge.targets:
                        if is_shared(target):
                            yield Veto(target, f"{path}:{edge.line} {edge.text}", path)

    def _orphans(self) -> Iterator[Veto]:
        scopes = self.scene.scopes
        orphans = [
            path
            for path, rule in self.candidates.items()
            if is_shared(path)
            and self.entries[path].kind == "file"
            and not _EXTENSION.search(path.rpartition("/")[2])
            and not scopes.names_library(rule, path)
        ]
        if not orphans:
            return
        self.scene.facts.load(
            p for p, e in self.entries.items() if e.kind == "file" and self._binary(p)
        )
        linked = self._linked()
        homes = self._homes(orphans)
        for path in orphans:
            if path in linked or path not in self.scene.facts.elf:
                continue
            home = homes.get(path, "")
            if home:
                self._waiting[home].append(path)
            else:
                yield Veto(path, _ORPHAN)

    def _homes(self, orphans: Sequence[str]) -> Mapping[str, str]:
        """Orphans that no trace holds, each with the top-level package whose code may open it.

        Folders of libraries alone (those of NVIDIA's wheels) are opened by other packages, and an
        ``__init__.py`` without content is no code: their orphans are not among these.
        """
        modules = self.scene.modules
        found = {
            path: modules.top_folder(path)
            for path in orphans
            if self.candidates[path] == ONLY_TRACED
        }
        coded: set[str] = set()
        if found:
            tops = set(found.values()) - modules.roots - {""}
            for path, entry in self.entries.items():
                if _is_code(path, entry.size):
                    top = modules.top_folder(path)
                    if top in tops:
                        coded.add(top)
        return {path: top for path, top in found.items() if top in coded}

    def _awaited(self, batch: Sequence[str]) -> Iterator[Veto]:
        """The orphans of packages of which something stays that can open them."""
        if not self._waiting:
            return
        for path in batch:
            if path.endswith((".py", ".pyc")) or is_shared(path):
                home = self.scene.modules.top_folder(path)
                for target in self._waiting.pop(home, ()):
                    yield Veto(target, f"{_ORPHAN}; {path} of its package stays", path)

    def _binary(self, path: str) -> bool:
        """Whether a file may link to libraries; of doomed ones, only those are worth reading."""
        if path not in self.candidates or is_shared(path):
            return True
        name = path.rpartition("/")[2]
        return self.entries[path].mode & 0o111 != 0 and "." not in name

    def _linked(self) -> set[str]:
        """The files that some binary of the whole environment needs, links followed."""
        resolver = Resolver(self.scene)
        found: set[str] = set()
        for path, facts in self.scene.facts.elf.items():
            for name in facts.needed:
                for target in resolver.resolve(path, facts, name):
                    if target != path:
                        found.add(target)
                        found.add(self.scene.tree.follow(target).end)
        return found

    def _kin(self, batch: Sequence[str]) -> Iterator[Veto]:
        if not self._families and not self._plugins:
            return
        for path in batch:
            name = path.rpartition("/")[2]
            if ".so" not in name and ".dylib" not in name and not name.endswith(".dll"):
                continue
            for family in FAMILIES:
                if family.prefix in self._families and name.startswith(family.prefix):
                    yield from self._all(self._families[family.prefix], family.reason, path)
            for plugins, members in self._plugins.items():
                if name.startswith(plugins.host):
                    reason = f"{plugins.reason}: {path} opens it by name"
                    yield from self._all(members, reason, path)

    def _all(self, members: list[str], reason: str, needs: str) -> Iterator[Veto]:
        for target in members:
            if not self.scene.scopes.packages(self.candidates[target]):
                yield Veto(target, reason, needs)
