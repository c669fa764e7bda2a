"""Reads what strace writes: ``strace [-f] [-y] [-t...] -e trace=%file``, from a run or a file.

With ``-y`` descriptors and results carry paths, so every open names the file it ended at. Logs
without it are read too; there, paths relative to a descriptor are lost (and counted).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import lru_cache

from condaprune.paths import from_bytes
from condaprune.traces.trace import Prefix, Tally, TracedEntry, TraceKind

SYSCALLS = "%file,fchdir,?fork,?vfork,?clone,?clone3"
"""What to trace: calls that name files, and those that show each process's working folder."""

_KINDS: dict[str, TraceKind] = {
    **dict.fromkeys(("open", "openat", "openat2", "creat"), "open"),
    **dict.fromkeys(("execve", "execveat", "uselib"), "exec"),
    **dict.fromkeys(("readlink", "readlinkat"), "readlink"),
    **dict.fromkeys(
        ("stat", "lstat", "stat64", "lstat64", "newfstatat", "fstatat64", "statx", "access",
         "faccessat", "faccessat2", "statfs", "statfs64", "getxattr", "lgetxattr", "chdir"),
        "stat",
    ),
}  # fmt: skip
_FORKS = frozenset(("fork", "vfork", "clone", "clone3"))

_STAMP = r"(?:(?:\d\d:\d\d:\d\d(?:\.\d+)?|\d+\.\d+) +)?(?:\(\+ +[\d.]+\) +)?"
_LINE = re.compile(rf"(?:\[pid +(\d+)\] +|(\d+) +)?{_STAMP}(.*)", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>\s?(.*)", re.DOTALL)
_CALL = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+|\?)(.*)", re.DOTALL)
_FOLDER = re.compile(r"(AT_FDCWD|-?\d+)(?:<((?:[^>\\]|\\.)*)>)?")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"(\.\.\.)?')
_RESULT = re.compile(r"<((?:[^>\\]|\\.)*)>")
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", re.DOTALL)
_NAMED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"v": b"\v", b"f": b"\f"}
_UNFINISHED = "<unfinished ...>"

_real = lru_cache(maxsize=65536)(os.path.realpath)


class StraceLog:
    """Reads lines and counts what they say about a prefix.

    *folder* is the working folder that the first process began in. With *resolve*, paths are of
    this machine and are resolved up to their last component, so that ``..``, other spellings of
    the prefix and links to folders on the way come out right.
    """

    def __init__(self, prefix: Prefix, folder: str = "/", *, resolve: bool = False) -> None:
        self._prefix = prefix
        self._start = folder
        self._resolve = resolve
        self._folders: dict[str, str] = {}
        self._pending: dict[str, str] = {}
        self._tally = Tally("strace")
        self.calls = 0
        self.lost = 0

    def feed(self, lines: Iterable[str]) -> None:
        """Read more lines, in order."""
        for line in lines:
            match = _LINE.match(line.rstrip("\n"))
            if match is None:
                continue
            process = match[1] or match[2] or ""
            text = match[3]
            if text.endswith(_UNFINISHED):
                self._pending[process] = text[: -len(_UNFINISHED)].rstrip()
                continue
            resumed = _RESUMED.match(text)
            if resumed is not None:
                text = self._pending.pop(process, "") + resumed[2]
            call = _CALL.match(text)
            if call is not None:
                self._call(process, call[1], call[2], call[3], call[4])

    def entries(self) -> dict[str, TracedEntry]:
        """All that was touched in the prefix."""
        return self._tally.entries()

    def _call(self, process: str, name: str, arguments: str, result: str, rest: str) -> None:
        if name in _FORKS:
            if result.isdigit():
                # A child may be seen before its parent's fork returns: it is not set back then.
                self._folders.setdefault(result, self._folder(process))
            return
        if name == "fchdir":
            folder = _FOLDER.match(arguments)
            if folder is not None and folder[2] and result == "0":
                self._folders[process] = unescape(folder[2])
            return
        kind = _KINDS.get(name)
        if kind is None:
            return
        self.calls += 1
        path = self._path(process, arguments)
        if path is None:
            return
        if result == "-1":
            missing = rest.lstrip().startswith(("ENOENT", "ENOTDIR"))
            # Any other failure is one of a file that is there: not a link, no permission.
            self._add(path, "enoent" if missing else "stat")
            return
        if name == "chdir":
            self._folders[process] = path
        if kind == "open":
            if "O_PATH" in arguments:
                kind = "stat"
            elif "O_DIRECTORY" in arguments:
                kind = "list"
            end = _RESULT.match(rest)
            for name in {path, unescape(end[1]) if end else path}:
                self._add(name, kind)
        elif result != "?" or kind == "exec":
            self._add(path, kind)

    def _path(self, process: str, arguments: str) -> str | None:
        """The absolute path that a call names; None where it names none or that is unclear."""
        # The first quotation mark alone: a search would go on from each of a text without an end.
        quoted = arguments.find('"')
        text = _TEXT.match(arguments, quoted) if quoted >= 0 else None
        if text is None or text[2]:
            self.lost += text is not None
            return None
        path = unescape(text[1])
        folder = _FOLDER.match(arguments)
        annotated = unescape(folder[2]) if folder is not None and folder[2] else ""
        if folder is not None and folder[1] == "AT_FDCWD" and annotated:
            self._folders[process] = annotated
        if path.startswith("/"):
            return path
        if not path:
            return None  # AT_EMPTY_PATH: a file that is open already
        if folder is not None and folder[1] != "AT_FDCWD":
            self.lost += not annotated
            return f"{annotated}/{path}" if annotated else None
        return f"{annotated or self._folder(process)}/{path}"

    def _folder(self, process: str) -> str:
        return self._folders.get(process, self._start)

    def _add(self, path: str, kind: TraceKind) -> None:
        relative = self._prefix.relative(path)
        if self._resolve and (relative is None or "/../" in path + "/"):
            head, tail = os.path.split(path.rstrip("/") or "/")
            if tail in (".", ".."):
                head, tail = path, ""
            relative = self._prefix.relative(os.path.join(_real(head), tail))
        if relative is not None:
            self._tally.add(relative, kind)


def unescape(text: str) -> str:
    """A string as strace quotes it, as a path."""
    if "\\" not in text:
        return text
    return from_bytes(_ESCAPE.sub(_unescaped, text.encode("utf-8", "surrogateescape")))


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if code[:1] == b"x" and len(code) == 3:
        return bytes((int(code[1:], 16),))
    if code.isdigit() and code[:1] < b"8":
        return bytes((int(code, 8) & 0xFF,))
    return _NAMED.get(code, code)
