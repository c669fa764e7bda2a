"""All commands in all forms on an environment of hostile names: nothing in it gets out as it is."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

from condaprune.cli.group import cli
from condaprune.report import forms
from condaprune.report.forms import FORMS, Report, able
from condaprune.report.rendering import SEAMS
from condaprune.traces.format import write_trace
from condaprune.traces.trace import Run, Trace, TracedEntry
from tests.cli.hostile import BAD, CHECKS, NAME, check_text, make_hostile
from tests.cli.runner import Ran, condaprune

ENV, OTHER, DIR = "ENV", "OTHER", "DIR"
"""The hostile environment, a copy of it with changes, a folder for files."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The words after a command, and the report that they ask for, where it is one of `FORMS`."""

    words: tuple[str, ...]
    report: Report[Any] | None = None


def _asked(report: Report[Any] | None, *lines: str) -> list[Asked]:
    return [Asked(tuple(line.split(" ")), report) for line in lines]


COMMANDS: dict[str, list[Asked]] = {
    "prune": _asked(
        forms.PRUNE,
        "ENV -n -vv", "ENV", "ENV -vv --undoable", "ENV -o DIR/a.tar", "ENV -n --profile minimal",
        "ENV --manifest DIR/m.json --sbom DIR/s.json", "ENV --verify false", "ENV -n --keep PATH",
        "ENV -n --trace DIR/trace --only-traced", "ENV -o DIR/out --force", "ENV/lib",
        "DIR/NAME.tar -o -", "ENV --rules DIR/NAME",
    ),
    "undo": _asked(None, "ENV", "OTHER", "OTHER --forget"),
    "status": _asked(forms.STATUS, "ENV", "OTHER"),
    "explain": _asked(forms.EXPLANATION, "ENV . PATH evil", "ENV NAME", "ENV bin lib include"),
    "rules list": _asked(None, "--rules DIR/rules.toml"),
    "rules show": _asked(None, "mine ENV --rules DIR/rules.toml", "BAD", "python-bytecode ENV"),
    "rules test": _asked(None, "DIR/rules.toml", "DIR/NAME"),
    "rules schema": [Asked(())],
    "verify": _asked(forms.VERIFICATION, "ENV OTHER --check metadata --timeout 5"),
    "trace record": _asked(None, "--prefix ENV -o - -- cat PATHS", "--prefix ENV -- NAME"),
    "trace merge": _asked(None, "DIR/trace -o -", "DIR/NAME -o -"),
    "trace show": _asked(None, "DIR/trace", "DIR/trace --package evil", "DIR/NAME"),
    "trace import": _asked(None, "DIR/list --from list --prefix ENV -o -"),
    "audit": [
        *_asked(forms.AUDIT, "ENV --top 0 --depth 3 --all-files --duplicates --exclusive",
                "ENV --profile minimal --by rule --by package", "ENV --unused DIR/trace",
                "DIR/NAME", "ENV --save DIR/NAME"),
        *_asked(forms.NEEDS, "ENV --runtime", "ENV --dockerfile"),
    ],
    "diff": _asked(forms.COMPARISON, "ENV OTHER --top 0 --depth 3", "OTHER ENV", "ENV DIR/NAME"),
    "check": _asked(
        forms.VERDICT, "ENV --budget DIR/budget.toml --baseline OTHER",
        "ENV --budget DIR/budget.toml --save DIR/base.json --baseline DIR/base.json",
        "ENV --budget DIR/NAME",
    ),
    "why": _asked(forms.WHY, "ENV evil", "ENV evil --unused DIR/trace", "ENV BAD"),
}  # fmt: skip
"""What is asked of each command of the tree."""


def _leaves(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for word in (*command.list_commands(context), *getattr(command, "commands", ())):
        below = command.get_command(context, word)
        assert below is not None
        yield from _leaves(below, f"{name} {word}".strip())


LEAVES = dict(_leaves(cli))


def _forms(command: click.Command) -> tuple[str, ...]:
    """The forms that a command offers; only text, where it has no such option."""
    option = next((p for p in command.params if "--format" in p.opts), None)
    return tuple(option.type.choices) if option and isinstance(option.type, click.Choice) else ()


def _cases() -> Iterator[Any]:
    for name, all_asked in COMMANDS.items():
        for number, asked in enumerate(all_asked):
            for form in _forms(LEAVES[name]) or ("",):
                yield pytest.param(name, asked, form, id=f"{name} {number} {form}".strip())


def test_every_command_and_every_report_in_every_form_is_asked_for() -> None:
    assert COMMANDS.keys() == LEAVES.keys()
    assert CHECKS.keys() == FORMS.keys() == SEAMS.keys()
    reports = {name: kind for name, kind in vars(forms).items() if isinstance(kind, Report)}
    for kind in reports.values():
        offered = [_forms(LEAVES[name]) for name, all_asked in COMMANDS.items()
                   if any(asked.report is kind for asked in all_asked)]  # fmt: skip
        assert offered, f"no command is asked for {kind.words}"
        assert all(set(able(kind)) <= set(names) for names in offered), kind.words


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Two hostile environments and files about them; what a word of `COMMANDS` stands for."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    files = tmp_path / "files"
    files.mkdir()
    monkeypatch.chdir(files)
    env, other = make_hostile(tmp_path / "1"), make_hostile(tmp_path / "2")
    (other / "include" / f"{NAME}.h").unlink()
    (other / "share" / f"new{NAME}").write_bytes(b"x" * 9000)
    record = other / "conda-meta" / "evil0-0-0.json"
    record.write_text(record.read_text().replace('"version": "', '"version": "2'))
    run = Run(BAD, (BAD,), (BAD,), 0, "exit", BAD, 1.0, BAD, False, BAD, (BAD,), 1, (BAD,))
    entry = TracedEntry(frozenset({"open"}), 1, frozenset({BAD}), frozenset({BAD}))
    write_trace(Trace((run,), {f"include/{NAME}.h": entry}), str(files / "trace"))
    (files / "list").write_bytes(os.fsencode(env / "include" / f"{NAME.split(chr(10))[0]}"))
    (files / "rules.toml").write_text(
        '[[rule]]\nid = "mine"\nrisk = "low"\ncategory = "native"\n'
        f"why = {json.dumps(BAD[:-80].replace(chr(0xD800), ''))}\nbreaks = ['x']\n"
        "remove = ['/include/']\nexamples.removed = ['include/a.h']\n"
    )
    (files / "budget.toml").write_text(
        '[budget.environment]\nmax = "1 B"\ngrowth = "0%"\nnew_files = false\n'
        f"message = {json.dumps(BAD.replace(chr(0xD800), '').replace(chr(0x7F), ''))}\n"
        '[budget.package.evil]\nmax = "1 B"\n'
    )
    (files / NAME).write_bytes(b"{" + os.fsencode(NAME))
    (files / f"{NAME}.tar").write_bytes(b"x" * 1024)
    path = f"include/{NAME}.h"
    words = {"OTHER": str(other), "ENV": str(env), "DIR": str(files), "NAME": NAME, "BAD":
             BAD.replace("\x00", ""), "PATHS": str(env / path), "PATH": path}  # fmt: skip

    def word(text: str) -> str:
        for name in ("PATHS", "PATH", "OTHER", "ENV", "DIR", "NAME", "BAD"):
            if name in text:
                head, _, tail = text.partition(name)
                return head + words[name] + word(tail)
        return text

    return word


@pytest.mark.parametrize(("name", "asked", "form"), list(_cases()))
def test_no_text_of_an_environment_gets_out_as_it_is(
    name: str, asked: Asked, form: str, world: Callable[[str], str]
) -> None:
    option = ["--format", form] if form else []
    words = [world(word) for word in asked.words]
    run = _in_a_process if name == "trace record" else condaprune
    ran = run(*name.split(), *option, *words)
    check_text(ran.err)
    assert "Traceback" not in ran.err
    assert "a bug in condaprune" not in ran.err
    assert ran.status in (0, 1, 2), ran.err
    if not ran.out:
        assert ran.err or "-q" in words or name in ("audit", "check", "trace merge")
    elif "--dockerfile" in words or name == "trace show":
        check_text(ran.out)
    elif form or "-o" not in words:
        CHECKS[form or "text"](ran.out)
    else:
        check_text(ran.out)


def _in_a_process(*words: str) -> Ran:
    """Recorded commands write to the streams of the process."""
    command = [sys.executable, "-m", "condaprune", *words]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode("utf-8", "replace"))


def test_on_a_terminal_too(tmp_path: Path) -> None:
    env = make_hostile(tmp_path)
    reader, terminal = pty.openpty()
    command = [sys.executable, "-m", "condaprune", str(env), "--dry-run", "-vv", "--no-progress"]
    environment = {**os.environ, "TERM": "xterm-256color", "FORCE_COLOR": "1"}
    with subprocess.Popen(command, stdout=terminal, stderr=terminal, env=environment) as process:
        os.close(terminal)
        shown = b""
        while True:
            try:
                part = os.read(reader, 65536)
            except OSError:  # the other side is closed
                break
            shown += part
            if not part:
                break
    os.close(reader)
    assert process.returncode == 0
    check_text(shown.decode("utf-8").replace("\r\n", "\n"))
