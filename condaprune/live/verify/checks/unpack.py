"""Where there is a conda-unpack it still works: it runs on a copy, its records name no gap."""

from __future__ import annotations

import ast
import os
import shutil
import tempfile

from condaprune.live.sandbox import Finished
from condaprune.live.verify.checks.base import Pair
from condaprune.live.verify.listing import Listing
from condaprune.live.verify.results import Finding, Outcome, Unchecked
from condaprune.live.verify.subject import Subject
from condaprune.paths import from_bytes, to_bytes

SCRIPT = "bin/conda-unpack"
_HELPERS = (SCRIPT, "bin/conda_unpack_progress.py")


class UnpackCheck:
    """Runs conda-unpack of both environments on copies of the files that it rewrites."""

    name = "unpack"
    runs_code = True

    def run(self, pair: Pair) -> Outcome:
        """See `Check.run`."""
        before, after = pair.before.listing, pair.after.listing
        if SCRIPT not in after:
            return Outcome()
        paths = recorded(after.read(SCRIPT))
        if paths is None:
            why = "it is none of conda-pack's: no list of records in it"
            return Outcome(unchecked=(Unchecked(self.name, SCRIPT, why),))
        lost = [
            Finding(
                self.name,
                "record",
                path,
                "was there",
                "gone but still in conda-unpack's records",
                "conda-unpack stops at it",
                pair.removals.culprits(path),
            )
            for path in paths
            if path not in after and (path in before or SCRIPT not in before)
        ]
        unchecked: tuple[Unchecked, ...] = ()
        if pair.after.interpreter is None:
            if pair.after.why_not:
                unchecked = (Unchecked(self.name, SCRIPT, pair.after.why_not),)
        elif SCRIPT not in before or _works(pair.before, pair.timeout):
            done = run_on_copy(pair.after, paths, pair.timeout)
            if done.code != 0:
                now = "did not end in time" if done.code is None else f"ended with {done.code}"
                text = done.err.decode("utf-8", "replace").strip()
                blamed = pair.removals.blame(text, pair.after.listing.root)
                blamed = blamed or pair.removals.culprits(*paths, *_HELPERS)
                evidence = text.splitlines()[-1] if text else "no message"
                lost.append(
                    Finding(self.name, "command", SCRIPT, "ended with 0", now, evidence, blamed)
                )
        return Outcome(1 + len(paths), tuple(lost), (), unchecked)


def _works(subject: Subject, timeout: float) -> bool:
    paths = recorded(subject.listing.read(SCRIPT))
    if paths is None or subject.interpreter is None:
        return False
    return run_on_copy(subject, paths, timeout).code == 0


def recorded(script: bytes) -> list[str] | None:
    """The paths in conda-unpack's list of records; None where the script holds no such list."""
    try:
        tree = ast.parse(script)
    except (SyntaxError, ValueError):
        return None
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "_prefix_records"
            for target in node.targets
        ):
            try:
                records = ast.literal_eval(node.value)
            except ValueError:
                return None
            return [str(record[0]) for record in records]
    return None


def run_on_copy(subject: Subject, paths: list[str], timeout: float) -> Finished:
    """Run conda-unpack on a copy of itself and of the files it rewrites, nothing else.

    It opens each recorded file and looks at no other, so that a whole copy would prove no more.
    """
    listing = subject.listing
    copy = tempfile.mkdtemp(prefix="unpack-", dir=subject.sandbox.scratch)
    try:
        for path in (*_HELPERS, *paths):
            if listing.is_file(path):
                _copy(listing, path, copy)
        python = listing.absolute(subject.interpreter.path) if subject.interpreter else ""
        return subject.sandbox.run([python, "-B", f"{copy}/{SCRIPT}"], timeout)
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _copy(listing: Listing, path: str, folder: str) -> None:
    target = to_bytes(f"{folder}/{path}")
    os.makedirs(os.path.dirname(target), exist_ok=True)
    real = os.path.realpath(to_bytes(listing.absolute(path)))
    shutil.copyfile(from_bytes(real).encode("utf-8", "surrogateescape"), target)
