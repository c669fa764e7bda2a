"""Every command that answered ``--version`` or ``--help`` before answers after."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from condaprune.live.sandbox import Finished
from condaprune.live.verify import exclusions
from condaprune.live.verify.checks.base import Pair
from condaprune.live.verify.listing import Listing
from condaprune.live.verify.removals import missing_modules
from condaprune.live.verify.results import Finding, Outcome, Unchecked
from condaprune.live.verify.subject import Subject
from condaprune.paths import parent

QUESTIONS = ("--version", "--help")
_AT_MOST_SECONDS = 30.0
_SYSTEM = ("/bin", "/usr/bin", "/usr/local/bin")
# pip and conda write this where the path of the interpreter is too long for a `#!` line.
_LONG = re.compile(rb"""#!/bin/sh\n'''exec' ("[^"]+"|\S+)""")


class CommandsCheck:
    """Runs what lies in ``bin`` in both environments and compares exit codes.

    Only commands that end with 0 before count. A script is run by the tested environment's own
    interpreter even where its first line names that of another place, as in a copy.
    """

    name = "commands"
    runs_code = True

    def run(self, pair: Pair) -> Outcome:
        """See `Check.run`."""
        if pair.before.foreign or pair.after.foreign:
            why = pair.before.why_not or pair.after.why_not
            return Outcome(unchecked=(Unchecked(self.name, "", why),))
        commands = []
        unchecked = []
        for path in find_commands(pair.before.listing):
            reason = exclusions.why_not(path.rpartition("/")[2], exclusions.COMMANDS)
            if reason:
                unchecked.append(Unchecked(self.name, path, reason))
            else:
                commands.append(path)
        done = 0

        def ask(path: str) -> tuple[bool, Finding | None, Finding | None]:
            nonlocal done
            answer = self._ask(pair, path)
            done += 1
            pair.progress(self.name, done, len(commands))
            return answer

        with ThreadPoolExecutor(max_workers=max(1, pair.jobs)) as pool:
            answers = list(pool.map(ask, commands))
        return Outcome(
            sum(1 for worked, _, _ in answers if worked),
            tuple(lost for _, lost, _ in answers if lost),
            tuple(removed for _, _, removed in answers if removed),
            tuple(unchecked),
        )

    def _ask(self, pair: Pair, path: str) -> tuple[bool, Finding | None, Finding | None]:
        """Whether a command worked before, and what became of it: lost, or removed on purpose."""
        limit = min(pair.timeout, _AT_MOST_SECONDS)
        run: Callable[[Subject, str], Finished] = lambda subject, question: subject.sandbox.run(  # noqa: E731
            command_line(subject.listing, path, question), limit
        )
        question = next((q for q in QUESTIONS if run(pair.before, q).code == 0), "")
        if not question:
            return False, None, None
        was = f"{question} ended with 0"
        if path not in pair.after.listing:
            gone = pair.removals.culprits(path)
            rule = pair.removals.rule(path)
            finding = Finding(self.name, "command", path, was, "removed", "", gone, rule)
            if pair.removals.on_purpose(path):
                return True, None, finding
            return True, finding, None
        after = run(pair.after, question)
        if after.code is None:
            after = run(pair.after, question)
        if after.code == 0:
            return True, None, None
        lines = (after.err or after.out).decode("utf-8", "replace").strip().splitlines()
        evidence = lines[-1].strip() if lines else "no message"
        now = "did not end in time" if after.code is None else f"ended with {after.code}"
        text = "\n".join(lines)
        blamed = pair.removals.blame(text, pair.after.listing.root)
        target = pair.before.listing.resolve(path) or ""
        blamed = blamed or pair.removals.modules(*missing_modules(text))
        blamed = blamed or pair.removals.culprits(target)
        return True, Finding(self.name, "command", path, was, now, evidence, blamed), None


def find_commands(listing: Listing) -> list[str]:
    """The paths in ``bin`` that lead to an executable file of the prefix."""
    found = []
    for path, entry in listing.entries.items():
        if parent(path) != "bin" or entry.kind not in ("file", "link"):
            continue
        target = listing.entries.get(listing.resolve(path) or "")
        if target is not None and (target.kind == "link" or target.mode & 0o111):
            found.append(path)
    return found


def command_line(listing: Listing, path: str, question: str) -> list[str]:
    """How a command is run: by the interpreter of its own prefix where it is a script."""
    command = listing.absolute(path)
    head = listing.read(path, 4096)
    if not head.startswith(b"#!"):
        return [command, question]
    long = _LONG.match(head)
    if long:
        words = [long[1].decode("utf-8", "surrogateescape").strip('"')]
    else:
        line = head.split(b"\n", 1)[0][2:].decode("utf-8", "surrogateescape")
        try:
            words = shlex.split(line)
        except ValueError:
            words = line.split(None, 1)
    if not words or parent(words[0]) in _SYSTEM:
        return [command, question]
    own = f"bin/{words[0].rpartition('/')[2]}"
    if listing.resolve(own):
        return [listing.absolute(own), *words[1:], command, question]
    return [command, question]
