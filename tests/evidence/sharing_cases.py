"""What `test_sharing` runs, each in a process of its own: only one of one thread is forked.

Usage: python -m tests.evidence.sharing_cases CASE [PREFIX]
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from condaprune import api
from condaprune.errors import SourceError
from condaprune.evidence.facts import Facts, members_for
from condaprune.evidence.sharing import share
from condaprune.guards import GUARDS, set_up
from condaprune.model import Progress, no_progress
from condaprune.sources.prefix import PrefixSource

PARENT = os.getpid()


def worker(number: int) -> tuple[int, int]:
    """Some work: which it was, and who did it."""
    time.sleep(0.01)
    return number, os.getpid()


def no_child_is_left() -> None:
    """Whether all members are gone, and were waited for."""
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return
    raise AssertionError("a child process is left")


def each_does_a_part() -> None:
    for members in (1, 2, 4):
        done = share(worker, members)
        assert sorted(done) == list(range(members))
        assert all(number == made for number, (made, _) in done.items())
        assert len({who for _, who in done.values()}) == members
        assert done[0][1] == PARENT
        no_child_is_left()


def large_results_arrive_whole() -> None:
    done = share(lambda n: os.urandom(1) * 20_000_000, 3)
    assert [len(data) for data in done.values()] == [20_000_000] * 3


def what_a_killed_member_had_is_lacking() -> None:
    def work(number: int) -> int:
        if number == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    assert share(work, 4) == {0: 0, 1: 1, 3: 3}
    no_child_is_left()


def what_fails_is_lacking() -> None:
    def work(number: int) -> int:
        if number == 1:
            raise ZeroDivisionError
        if number % 2 == 0:
            raise SourceError("cannot be read", where="x", remedy="y")
        return number

    assert share(work, 4) == {3: 3}
    no_child_is_left()


def members_end_in_silence() -> None:
    atexit.register(print, "the end of", PARENT)
    sys.stdout.write("written once\n")

    def work(number: int) -> tuple[int, int]:
        if number:
            os.write(1, b"a member wrote")
            print("a member printed", flush=True)
            print("a member failed", file=sys.stderr)
        return worker(number)

    assert len(share(work, 3)) == 3


def members_hold_no_handles() -> None:
    import fcntl

    folder = os.open("/", os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_SH)

    def work(number: int) -> list[str]:
        handles = sorted(os.listdir("/proc/self/fd"), key=int)
        links = (f"/proc/self/fd/{handle}" for handle in handles)
        return [os.readlink(link) for link in links if os.path.lexists(link)]

    for number, handles in share(work, 4).items():
        if number:
            assert handles[:3] == ["/dev/null"] * 3
            assert [handle.partition(":")[0] for handle in handles[3:]] == ["pipe"]


def an_interruption_ends_all() -> None:
    def work(number: int) -> None:
        if number == 0:
            os.kill(PARENT, signal.SIGINT)
        time.sleep(600)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    start = time.monotonic()
    try:
        share(work, 3)
    except KeyboardInterrupt:
        no_child_is_left()
        assert time.monotonic() - start < 30
        return
    raise AssertionError("not interrupted")


def members_end_when_the_process_is_killed() -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = os.fork()
        if run == 0:

            def work(number: int) -> None:
                Path(folder, str(os.getpid())).touch()
                while number == 0 and len(os.listdir(folder)) < 3:
                    time.sleep(0.01)
                if number == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(600)

            share(work, 3)
        os.waitpid(run, 0)
        members = {int(name) for name in os.listdir(folder)} - {run}
        assert len(members) == 2
        time.sleep(1)
        assert not list(filter(lives, members))


def lives(process: int) -> bool:
    """Whether a process is there, and not only waits to be waited for."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def where_the_system_refuses_the_caller_works_alone() -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for handles in (3, 5):  # no pipe; a pipe, and nothing more for the member
        resource.setrlimit(resource.RLIMIT_NOFILE, (handles, hard))
        try:
            done = share(worker, 2)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert done == {0: (0, PARENT)}
        no_child_is_left()


def a_process_of_several_threads_is_not_forked() -> None:
    cores = len(os.sched_getaffinity(0))
    assert members_for(1_000_000) == min(cores, 4)
    assert members_for(100) == 1
    stop = threading.Event()
    other = threading.Thread(target=stop.wait)
    other.start()
    try:
        assert members_for(1_000_000) == 1
    finally:
        stop.set()
        other.join()


# -- the facts of a real environment


class Failing(PrefixSource):
    """A source that *fail*s in other processes than the first, on their tenth read."""

    def __init__(self, path: str, fail: Callable[[str], None]) -> None:
        super().__init__(path)
        self._fail = fail
        self._count = 0

    def read(self, path: str) -> bytes:
        if os.getpid() != PARENT:
            self._count += 1
            if self._count == 10:
                self._fail(path)
        return super().read(path)


@cache
def going(prefix: str) -> frozenset[str]:
    """What a plan removes."""
    return frozenset(entry.path for entry in api.plan(prefix).removed())


def facts_of(source: PrefixSource, members: int, progress: Progress = no_progress) -> Facts:
    """What the kept files say where a plan's removals are the candidates."""
    candidates = dict.fromkeys(going(source.prefix), "r")
    inventory = source.inventory()
    facts = set_up(inventory, source, candidates, {}, GUARDS.values(), progress, members).facts
    facts.load(
        p for p, e in inventory.entries.items() if e.kind != "folder" and p not in candidates
    )
    return facts


def check_same(one: Facts, other: Facts) -> None:
    """Compare the facts."""
    assert len(one.python) > 100
    assert len(one.elf) > 10
    assert one.text
    assert one.python == other.python
    assert one.elf == other.elf
    assert one.text == other.text
    assert one.reads == other.reads


def facts_are_the_same(prefix: str) -> None:
    alone = facts_of(PrefixSource(prefix), 1)
    for members in (2, 4):
        check_same(alone, facts_of(PrefixSource(prefix), members))
    no_child_is_left()


def progress_goes_forward(prefix: str) -> None:
    told: list[tuple[int, int]] = []

    def progress(stage: str, done: int, total: int) -> None:
        assert stage == "guards"
        assert os.getpid() == PARENT
        told.append((done, total))

    facts = facts_of(PrefixSource(prefix), 2, progress)
    assert len(told) > 3
    assert told == sorted(told)
    assert told[0][0] == 0
    assert {total for _, total in told} == {facts.reads}


def facts_are_the_same_where_members_die(prefix: str) -> None:
    def die(path: str) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def refuse(path: str) -> None:
        raise SourceError("cannot be read", where=path, remedy="")

    alone = facts_of(PrefixSource(prefix), 1)
    for fail in (die, refuse):
        check_same(alone, facts_of(Failing(prefix, fail), 3))
    no_child_is_left()


def the_same_file_is_reported(prefix: str) -> None:
    class Broken(PrefixSource):
        def read(self, path: str) -> bytes:
            if path.endswith(("/fractions.py", "/statistics.py", "/cmd.py")):
                time.sleep(0.2 if path.endswith("/cmd.py") else 0)  # the others fail before it
                raise SourceError("cannot be read", where=path, remedy="")
            return super().read(path)

    def error(members: int) -> str:
        try:
            facts_of(Broken(prefix), members)
        except SourceError as error:
            return str(error)
        return ""

    told = [error(members) for members in (1, 2, 4)]
    no_child_is_left()
    assert len(set(told)) == 1, told
    assert "/cmd.py" in told[0]


def main() -> None:
    """Run one case; it fails with the exit status."""
    case, *arguments = sys.argv[1:]
    globals()[case](*arguments)


if __name__ == "__main__":
    main()
