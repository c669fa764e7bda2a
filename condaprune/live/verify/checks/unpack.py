"""If there is a conda-unpack, it still works: it runs on a copy, its records name no gap."""

from __future__ import annotations

import os
import shutil
import tempfile

from condaprune.errors import ArchiveError
from condaprune.formats.unpack_list import PROGRESS, UNPACK, unpack_records
from condaprune.live.sandbox import Finished
from condaprune.live.verify.results import Finding, Outcome, Unchecked
from condaprune.live.verify.subject import Pair, Subject
from condaprune.paths import to_bytes


class UnpackCheck:
    """Runs conda-unpack of both environments on copies of the files that it rewrites."""

    name = "unpack"
    runs_code = True

    def run(self, pair: Pair) -> Outcome:
        """See `Check.run`."""
        before, after = pair.before.listing, pair.after.listing
        if UNPACK not in after:
            return Outcome()
        paths = recorded(after.read(UNPACK))
        if paths is None:
            why = "it was not made by conda-pack: it has no list of records"
            return Outcome(unchecked=(Unchecked(self.name, UNPACK, why),))
        now = "gone but still in conda-unpack's records"
        lost = [
            pair.loss(self.name, "record", path, "was there", now, "conda-unpack stops at it", path)
            for path in paths
            if path not in after and (path in before or UNPACK not in before)
        ]
        unchecked: tuple[Unchecked, ...] = ()
        if pair.after.interpreter is None:
            if pair.after.why_not:
                unchecked = (Unchecked(self.name, UNPACK, pair.after.why_not),)
        elif UNPACK not in before or _works(pair.before, pair.timeout):
            done = run_on_copy(pair.after, paths, pair.timeout)
            if done.code != 0:
                culprits = pair.removals.blame(done.text, after.root)
                culprits = culprits or pair.removals.culprits(*paths, UNPACK, PROGRESS)
                was, now, evidence = "ended with 0", done.ending, done.last_line
                lost.append(Finding(self.name, "command", UNPACK, was, now, evidence, culprits))
        return Outcome(1 + len(paths), tuple(lost), (), unchecked)


def _works(subject: Subject, timeout: float) -> bool:
    paths = recorded(subject.listing.read(UNPACK))
    if paths is None or subject.interpreter is None:
        return False
    return run_on_copy(subject, paths, timeout).code == 0


def recorded(script: bytes) -> list[str] | None:
    """The paths in conda-unpack's list of records; None where the script holds no such list."""
    try:
        return [path for path, _, _ in unpack_records(script)]
    except ArchiveError:
        return None


def run_on_copy(subject: Subject, paths: list[str], timeout: float) -> Finished:
    """Run conda-unpack on a copy of itself and of the files it rewrites, nothing else.

    It opens the recorded files and no others, so that a whole copy would prove no more.
    """
    listing = subject.listing
    copy = tempfile.mkdtemp(prefix="unpack-", dir=subject.sandbox.scratch)
    try:
        for path in (UNPACK, PROGRESS, *paths):
            if listing.is_file(path):
                target = to_bytes(f"{copy}/{path}")
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copyfile(to_bytes(listing.absolute(path)), target)
        python = listing.absolute(subject.interpreter.path) if subject.interpreter else ""
        return subject.sandbox.run([python, "-B", f"{copy}/{UNPACK}"], timeout)
    finally:
        shutil.rmtree(copy, ignore_errors=True)
