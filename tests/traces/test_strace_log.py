"""strace's lines, as several versions and options write them."""

import os
from pathlib import Path

import pytest

from condaprune.paths import from_bytes
from condaprune.traces.strace_log import StraceLog, unescape
from condaprune.traces.trace import Prefix


def seen(*lines: str, folder: str = "/work") -> dict[str, set[str]]:
    log = StraceLog(Prefix("/env"), folder)
    log.feed(line + "\n" for line in lines)
    return {path: set(entry.kinds) for path, entry in log.entries().items()}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('openat(AT_FDCWD, "/env/a", O_RDONLY|O_CLOEXEC) = 3', {"a": {"open"}}),
        ('openat(AT_FDCWD</w>, "/env/a", O_RDONLY) = 3</env/b>', {"a": {"open"}, "b": {"open"}}),
        ('openat(7</env/lib>, "a", O_RDONLY) = 3</env/lib/a>', {"lib/a": {"open"}}),
        ('openat(AT_FDCWD</env>, "./lib//a", O_RDONLY) = 3', {"lib/a": {"open"}}),
        ('open("/env/d", O_RDONLY|O_DIRECTORY) = 3', {"d": {"list"}}),
        ('openat(AT_FDCWD, "/env/d", O_RDONLY|O_PATH) = 3', {"d": {"stat"}}),
        ('openat(AT_FDCWD, "/env/no", O_RDONLY) = -1 ENOENT (No such file)', {"no": {"enoent"}}),
        ('openat(AT_FDCWD, "/env/a/b", O_RDONLY) = -1 ENOTDIR (Not a d)', {"a/b": {"enoent"}}),
        ('open("/env/secret", O_RDONLY) = -1 EACCES (Permission denied)', {"secret": {"stat"}}),
        ('execve("/env/bin/app", ["app", ") = -1"], 0x7 /* 9 vars */) = 0', {"bin/app": {"exec"}}),
        ('execve("/env/bin/app", ["app"], 0x7 /* 9 vars */) = ?', {"bin/app": {"exec"}}),
        ('stat("/env/a", {st_mode=S_IFREG|0644, ...})   = 0', {"a": {"stat"}}),
        ('newfstatat(AT_FDCWD, "/env/a", {st_mode=S_IFREG}, 0) = 0', {"a": {"stat"}}),
        ('newfstatat(3</env/a>, "", {st_mode=S_IFREG}, AT_EMPTY_PATH) = 0', {}),
        ('statx(AT_FDCWD, "/env/a", 0, STATX_ALL, {...}) = 0', {"a": {"stat"}}),
        ('readlink("/env/l", "a", 4096) = 1', {"l": {"readlink"}}),
        ('readlink("/env/a", 0x7f, 4096) = -1 EINVAL (Invalid argument)', {"a": {"stat"}}),
        ('openat(AT_FDCWD, "/environment/a", O_RDONLY) = 3', {}),
        ('openat(AT_FDCWD, "/env", O_RDONLY|O_DIRECTORY) = 3', {}),
        ('unlink("/env/a") = 0', {}),
        ('12345 openat(AT_FDCWD, "/env/a", O_RDONLY) = 3', {"a": {"open"}}),
        ('[pid   12] openat(AT_FDCWD, "/env/a", O_RDONLY) = 3', {"a": {"open"}}),
        ('12 12:34:56.789 openat(AT_FDCWD, "/env/a", O_RDONLY) = 3', {"a": {"open"}}),
        ('1700000000.123 openat(AT_FDCWD, "/env/a", O_RDONLY) = 3 <0.000012>', {"a": {"open"}}),
        ('openat(AT_FDCWD, "/env/\\303\\244\\n\\"\\xff", O_RDONLY) = 3',
         {'ä\n"\udcff': {"open"}}),
        ('openat(AT_FDCWD, "/env/cut"..., O_RDONLY) = 3', {}),
        ("+++ exited with 0 +++", {}),
        ("--- SIGCHLD {si_signo=SIGCHLD} ---", {}),
        ("", {}),
    ],
)  # fmt: skip
def test_a_line_is_understood(line: str, expected: dict[str, set[str]]) -> None:
    assert seen(line) == expected


def test_a_call_in_two_halves_is_put_together() -> None:
    assert seen(
        '7 openat(AT_FDCWD, "/env/a", O_RDONLY <unfinished ...>',
        '8 openat(AT_FDCWD, "/env/b", O_RDONLY) = 3',
        "7 <... openat resumed>) = 3",
        "9 <... openat resumed>) = 3",
    ) == {"a": {"open"}, "b": {"open"}}


def test_relative_paths_follow_each_process_through_its_folders() -> None:
    assert seen(
        '7 open("env/first", O_RDONLY) = 3',
        '7 chdir("/env") = 0',
        '7 open("a", O_RDONLY) = 3',
        "7 clone(child_stack=NULL, flags=SIGCHLD) = 8",
        '8 open("b", O_RDONLY) = 3',
        '8 fchdir(4</env/lib>) = 0',
        '8 open("c", O_RDONLY) = 3',
        '7 chdir("nowhere") = -1 ENOENT (No such file or directory)',
        '7 open("d", O_RDONLY) = 3',
        '9 openat(AT_FDCWD</env/lib>, "e", O_RDONLY) = 3',
        '9 open("f", O_RDONLY) = 3',
        '9 openat(5, "lost", O_RDONLY) = 3',
        folder="/",
    ) == {
        path: {kind}
        for path, kind in {
            "first": "open", "a": "open", "b": "open", "lib/c": "open", "d": "open",
            "lib/e": "open", "lib/f": "open", "nowhere": "enoent",
        }.items()
    }  # fmt: skip


def test_what_cannot_be_told_is_counted() -> None:
    log = StraceLog(Prefix("/env"))
    log.feed(['openat(5, "lost", O_RDONLY) = 3', 'open("/env/cut"..., O_RDONLY) = 3'])
    assert log.lost == 2


def test_paths_of_this_machine_are_resolved_up_to_their_last_part(prefix: Path) -> None:
    outside = prefix.parent / "spelt"
    outside.symlink_to(prefix)
    log = StraceLog(Prefix(os.fspath(prefix)), resolve=True)
    log.feed(
        [
            f'stat("{outside}/alias/link.txt", 0x1) = 0',
            f'stat("{prefix}/alias/../data/deep/..", 0x1) = 0',
            f'stat("{prefix}/data/link.txt", 0x1) = 0',
            f'stat("{prefix.parent}/else", 0x1) = 0',
        ]
    )
    assert set(log.entries()) == {"data/link.txt", "data"}


def test_escapes_become_bytes() -> None:
    assert unescape("plain") == "plain"
    assert unescape(r"\0\12\x41\\\"\t") == '\0\nA\\"\t'
    assert unescape(r"\377") == from_bytes(b"\xff")
