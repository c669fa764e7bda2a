"""Help in two lengths and in sections; one meaning of an option in all commands."""

from __future__ import annotations

from importlib import import_module

import click
import pytest

from condaprune.cli.group import COMMANDS
from condaprune.cli.options import QUIET
from condaprune.cli.sections import SECTIONS, USUAL
from condaprune.version import DOCS, __version__
from tests.cli.runner import condaprune
from tests.cli.terminals import on_terminal


def command(name: str) -> click.Command:
    found = getattr(import_module(f"condaprune.cli.{name}"), name)
    assert isinstance(found, click.Command)
    return found


def test_every_option_of_prune_is_in_one_section() -> None:
    placed = [name for names in SECTIONS.values() for name in names]
    assert len(placed) == len(set(placed))
    options = {p.name for p in command("prune").params if isinstance(p, click.Option)}
    assert options <= set(placed)


def test_the_whole_help_has_the_sections_and_all_options() -> None:
    shown = condaprune("prune", "--help").out
    assert all(f"\n{title}:\n" in shown for title in SECTIONS)
    for param in command("prune").params:
        if isinstance(param, click.Option):
            assert max(param.opts, key=len) in shown


@pytest.mark.parametrize("words", [(), *((name,) for name in USUAL)], ids=lambda w: " ".join(w))
def test_the_short_help_fits_on_a_small_terminal(words: tuple[str, ...]) -> None:
    ran = on_terminal(*words, "-h")
    lines = ran.screen.splitlines()
    assert ran.status == 0
    assert len(lines) <= 23  # and the prompt
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("name", USUAL)
def test_the_short_help_names_options_that_there_are(name: str) -> None:
    names = {param.name for param in command(name).params}
    assert {option for option, _ in USUAL[name]} <= names
    short, whole = condaprune(name, "-h").out, condaprune(name, "--help").out
    assert len(short) < len(whole)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_where_the_documentation_is(name: str) -> None:
    assert " ".join(condaprune(name, "--help").out.split()).endswith(f"Docs: {DOCS}")


def test_the_help_of_all_says_where_the_documentation_is() -> None:
    assert " ".join(condaprune("--help").out.split()).endswith(f"Docs: {DOCS}")


@pytest.mark.parametrize("words", [("version",), ("-V",), ("--version",)])
def test_the_version_by_any_word(words: tuple[str, ...]) -> None:
    assert condaprune(*words).out.split()[-1] == __version__


def test_help_is_a_word_too() -> None:
    assert condaprune("help").out == condaprune("--help").out
    assert condaprune("help", "audit").out == condaprune("audit", "--help").out
    ran = condaprune("help", "expalin")
    assert (ran.status, "Did you mean 'explain'?" in ran.err) == (2, True)


def test_quiet_means_one_thing() -> None:
    for name in COMMANDS:
        for param in command(name).params:
            if param.name == "quiet":
                assert isinstance(param, click.Option)
                assert (param.opts, param.help) == (["-q", "--quiet"], QUIET)


def test_an_output_is_a_file_with_a_form_in_every_command() -> None:
    for name in COMMANDS:
        for param in command(name).params:
            if "-o" in param.opts:
                assert isinstance(param, click.Option)
                assert param.metavar == "[FORM=]FILE"
