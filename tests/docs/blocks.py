"""Reads Markdown: fenced blocks, headings, links; checks Dockerfiles and command lines."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from condaprune.cli.group import cli

ROOT = Path(__file__).parents[2]
INSTRUCTIONS = frozenset(
    "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL RUN SHELL STOPSIGNAL USER "
    "VOLUME WORKDIR".split()
)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: the page and line it stands in, its language, its text."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """All pages that users and contributors read, but for the changelog."""
    below = [page for folder in ("docs", "lab") for page in sorted((ROOT / folder).rglob("*.md"))]
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *below]


def blocks(*languages: str) -> list[Block]:
    """The fenced blocks of these languages, of all pages."""
    found = []
    for page in pages():
        name = page.relative_to(ROOT).as_posix()
        lines = page.read_text(encoding="utf-8").splitlines()
        start, language = -1, ""
        for number, line in enumerate(lines):
            if not line.startswith("```"):
                continue
            if start < 0:
                start, language = number, line[3:].strip()
                continue
            if language in languages:
                text = "\n".join(lines[start + 1 : number]) + "\n"
                found.append(Block(name, start + 2, language, text))
            start = -1
        assert start < 0, f"{name}:{start + 1}: the block does not end"
    return found


def prose(page: Path) -> str:
    """The text of a page without its fenced blocks."""
    text = page.read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings."""
    titles = re.findall(r"^#+ +(.+?) *$", prose(page), re.MULTILINE)
    return {re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", title.lower())) for title in titles}


def links(page: Path) -> list[str]:
    """The targets of a page's links that lead to no other host."""
    text = re.sub(r"`[^`]*`", "", prose(page))
    targets = re.findall(r"\]\(([^()\s]+)\)", text)
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def condaprune_commands(text: str) -> Iterator[list[str]]:
    """The words after ``condaprune`` of each such command in a shell session or script."""
    for line in text.replace("\\\n", " ").splitlines():
        for command in re.split(r"&&|\|\||;|\|(?=\s)|(?<=\s)>(?=\s)", line.removeprefix("$ ")):
            words = shlex.split(command, comments=True)
            if words and words[0].rsplit("/", 1)[-1] in ("condaprune", "condaprune.pyz"):
                yield words[1:]


def parse(arguments: list[str]) -> None:
    """Parse a command line by the real commands, without running it.

    Errors: `click.ClickException`.
    """
    context = cli.make_context("condaprune", list(arguments))
    while isinstance(context.command, click.Group):
        rest = [*getattr(context, "_protected_args", ()), *context.args]
        name, command, rest = context.command.resolve_command(context, rest)
        assert command is not None
        context = command.make_context(name, rest, parent=context)


def check_dockerfile(text: str) -> list[str]:
    """The mistakes of a Dockerfile, as sentences."""
    wrong: list[str] = []
    stages: set[str] = set()
    begun = False
    joined = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    for line in filter(str.strip, joined.splitlines()):
        word, _, rest = line.strip().partition(" ")
        if word not in INSTRUCTIONS:
            wrong.append(f"not an instruction: {line}")
        if not begun and word not in ("FROM", "ARG"):
            wrong.append(f"before FROM: {line}")
        if word == "FROM":
            begun = True
            stages.update(name.lower() for name in re.findall(r"\bAS\s+(\S+)", rest, re.I))
        copied = re.search(r"--from=(\S+)", rest)
        if word == "COPY" and copied and "/" not in copied[1] and copied[1] not in stages:
            wrong.append(f"copies from an unknown stage: {line}")
        if word in ("ENTRYPOINT", "CMD"):
            wrong += _not_exec(rest, line)
        if word == "HEALTHCHECK" and "CMD" in rest:
            wrong += _not_exec(rest.partition("CMD")[2].strip(), line)
        if word == "RUN":
            wrong += _commands(re.sub(r"--(mount|network|security)=\S+", "", rest).strip())
    return wrong


def _not_exec(text: str, line: str) -> list[str]:
    try:
        words: Any = json.loads(text)
    except ValueError:
        words = None
    fits = isinstance(words, list) and words and all(isinstance(word, str) for word in words)
    return [] if fits else [f"not in exec form: {line}"]


def _commands(text: str) -> list[str]:
    """The mistakes in the condaprune commands of a RUN, in shell or exec form."""
    if text.startswith("["):
        text = shlex.join(json.loads(text))
    try:
        for words in condaprune_commands(text):
            parse(words)
    except click.ClickException as error:
        return [f"{text}: {error.format_message()}"]
    return []
