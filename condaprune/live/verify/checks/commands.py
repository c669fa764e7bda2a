"""Every command that answers ``--version`` or ``--help`` before, answers after."""

from __future__ import annotations

import re
import shlex
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from condaprune.live.messages import missing_modules
from condaprune.live.sandbox import Finished
from condaprune.live.verify import exclusions
from condaprune.live.verify.listing import Listing
from condaprune.live.verify.results import Outcome, Unchecked
from condaprune.live.verify.subject import Pair, Subject
from condaprune.paths import parent

QUESTIONS = ("--version", "--help")
_AT_MOST_SECONDS = 30.0
_SYSTEM = ("/bin", "/usr/bin", "/usr/local/bin")
# pip and conda write this where the path of the interpreter is too long for a `#!` line.
_LONG = re.compile(rb"""#!/bin/sh\n'''exec' ("[^"]+"|\S+)""")


class CommandsCheck:
    """Runs the commands in ``bin`` of both environments and compares exit codes.

    Only commands that end with 0 before count. A script is run by the tested environment's own
    interpreter even if its first line names another place, as in a copy.
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
        for path in filter(pair.scope.covers, find_commands(pair.before.listing)):
            reason = exclusions.why_not(path.rpartition("/")[2], exclusions.COMMANDS)
            if reason:
                unchecked.append(Unchecked(self.name, path, reason))
            else:
                commands.append(path)
        answers = []
        with ThreadPoolExecutor(max_workers=max(1, pair.effort.jobs)) as pool:
            try:
                for answer in pool.map(partial(self._ask, pair), commands):
                    answers.append(answer)
                    pair.effort.progress(self.name, len(answers), len(commands))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for subject in (pair.before, pair.after):
                    subject.sandbox.commands.end()
                raise
        return Outcome(
            sum(answer.counted for answer in answers),
            tuple(finding for answer in answers for finding in answer.lost),
            tuple(finding for answer in answers for finding in answer.removed),
            tuple(unchecked),
        )

    def _ask(self, pair: Pair, path: str) -> Outcome:
        """The outcome of one command, which counts if it worked before."""

        def run(subject: Subject, question: str) -> Finished:
            command = command_line(subject.listing, path, question)
            return subject.sandbox.run(command, min(pair.timeout, _AT_MOST_SECONDS))

        question = next((q for q in QUESTIONS if run(pair.before, q).code == 0), "")
        if not question:
            return Outcome()
        was = f"{question} ended with 0"
        if path not in pair.after.listing:
            finding = pair.loss(self.name, "command", path, was, "removed", "", path)
            if not pair.removals.on_purpose(path):
                return Outcome(1, (finding,))
            return Outcome(1, (), (replace(finding, rule=pair.removals.rule(path)),))
        after = run(pair.after, question)
        if after.code is None:
            after = run(pair.after, question)
        if after.code == 0:
            return Outcome(1)
        culprits = (
            pair.removals.blame(after.text, pair.after.listing.root)
            or pair.removals.modules(*missing_modules(after.text))
            or pair.removals.culprits(pair.before.listing.resolve(path) or "")
        )
        finding = pair.loss(self.name, "command", path, was, after.ending, after.last_line)
        return Outcome(1, (replace(finding, removed=culprits),))


def find_commands(listing: Listing) -> list[str]:
    """The paths in ``bin`` that lead to an executable file of the prefix."""
    commands = []
    for path, entry in listing.entries.items():
        if parent(path) != "bin" or entry.kind not in ("file", "link"):
            continue
        target = listing.target(path)
        if target is not None and (target.kind == "link" or target.mode & 0o111):
            commands.append(path)
    return commands


def command_line(listing: Listing, path: str, question: str) -> list[str]:
    """How a command is run: if it is a script, by the interpreter of its own prefix."""
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
