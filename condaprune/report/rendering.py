"""Where a report becomes what is written: for each form the one place that makes its text harmless.

Reports hold names, versions and messages of environments, which may be made to do more than be
read: move the cursor, turn the direction of text, end a line, start a command of a CI job, be a
formula, a link or markup. The functions of a form hand over what they have as it is, in the type of
their form; here it is neutralised. What reads JSON gets every value exactly, by escapes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NewType

from condaprune.paths import printable

Rendering = NewType("Rendering", str)
"""A text that may be written to a terminal, a log or a file; only this module makes one."""

Row = Sequence[str | int]
Data = str | int | float | bool | None | Sequence["Data"] | Mapping[str, "Data"]
"""JSON-ready data."""

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!])")
_LINKED = re.compile(r"www\.|//|:/|@|mailto:|xmpp:|\$", re.IGNORECASE)
"""What some Markdown makes a link, a mention or a formula of, escaped or not."""
_BLOCK = re.compile(r"^(\d*)([-=+.)])")
"""What makes a list or a heading of a line, or of the one above."""
_FORMULA = re.compile("(^|;)( *)(?=[=+\\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a spreadsheet may see a formula begin: some take a semicolon for the end of a cell."""
_NOT_IN_JSON = re.compile(r"[^\n -~]|(?<=#)#")


def as_text(lines: Iterable[str]) -> Rendering:
    """Lines of text."""
    return Rendering("".join(f"{printable(line)}\n" for line in lines))


def as_json(texts: Iterable[str]) -> Rendering:
    """JSON texts: their strings keep their values."""
    return Rendering("".join(f"{_NOT_IN_JSON.sub(_json_escape, text)}\n" for text in texts))


def _json_escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


class Markdown(str):
    """Markdown that condaprune wrote. Any other text is escaped where it gets into Markdown."""

    __slots__ = ()

    def fill(self, *values: str) -> Markdown:
        """This template with *values* in it."""
        return Markdown(self.format(*map(markdown, values)))


def markdown(text: str) -> Markdown:
    """A text as Markdown and HTML take it for what it is."""
    if isinstance(text, Markdown):
        return text
    shown = printable(text)
    if _LINKED.search(shown):
        return Markdown("`{}`".format(shown.replace("`", r"\x60").replace("|", r"\x7c")))
    return Markdown(_MARKUP.sub(r"\\\1", shown).replace("&", "&amp;"))


def as_md(lines: Iterable[str]) -> Rendering:
    """Lines of Markdown; a line that is a plain text is escaped as a whole."""
    return as_text(
        line if isinstance(line, Markdown) else _BLOCK.sub(r"\1\\\2", markdown(line).strip())
        for line in lines
    )


def as_csv(rows: Iterable[Row]) -> Rendering:
    """Rows of CSV; no cell is a formula."""
    import csv
    import io

    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([_cell(value) for value in row] for row in rows)
    return Rendering(stream.getvalue())


def _cell(value: str | int) -> str | int:
    return _FORMULA.sub(r"\1\2'", printable(value)) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Command:
    """A workflow command of GitHub Actions: an annotation of *level* ``error`` or ``notice``."""

    level: str
    title: str
    message: str


def as_github(commands: Iterable[Command]) -> Rendering:
    """Workflow commands, one a line: no text in one ends it or starts another."""
    lines = []
    for command in commands:
        title = _annotated(command.title).replace(":", "%3A").replace(",", "%2C")
        lines.append(f"::{command.level} title={title}::{_annotated(command.message)}\n")
    return Rendering("".join(lines))


def _annotated(words: str) -> str:
    return printable(words).replace("%", "%25")


@dataclass(frozen=True, slots=True)
class Page:
    """A page of HTML: its title, and the data that its script shows."""

    title: str
    data: Mapping[str, Data]


def as_html(pages: Iterable[Page]) -> Rendering:
    """Pages of HTML: the data is text of a script element, and none of it becomes markup."""
    return Rendering("".join(f"{_html(page)}\n" for page in pages))


def _html(page: Page) -> str:
    import html
    import json

    from condaprune.report.resources import text

    # In a script element only `</script` and `<!--` can end the text: no `<` is left in it.
    raw = json.dumps(_shown(page.data), ensure_ascii=False, separators=(",", ":"))
    for char in "<>&":
        raw = raw.replace(char, f"\\u{ord(char):04x}")
    parts = {
        "@TITLE@": html.escape(printable(page.title)),
        "@CSS@": text("page.css").strip(),
        "@JS@": (text("treemap.js") + text("page.js")).strip(),
    }
    # The data goes in last and is never searched, whatever names it holds.
    head, _, tail = text("page.html").rstrip().partition("@DATA@")
    for mark, part in parts.items():
        head, tail = head.replace(mark, part), tail.replace(mark, part)
    return head + raw + tail


def as_ncdu(trees: Iterable[Data]) -> Rendering:
    """Exports of ncdu, which shows names on a terminal: JSON with its strings neutralised."""
    import json

    return as_json(json.dumps(_shown(tree)) for tree in trees)


def _shown(data: Data) -> Data:
    """JSON-ready data with all its strings as they are shown."""
    if isinstance(data, str):
        return printable(data)
    if isinstance(data, Mapping):
        return {printable(name): _shown(value) for name, value in data.items()}
    return [_shown(value) for value in data] if isinstance(data, Sequence) else data


SEAMS: Mapping[str, Callable[..., Rendering]] = {
    "text": as_text,
    "json": as_json,
    "csv": as_csv,
    "md": as_md,
    "ncdu": as_ncdu,
    "html": as_html,
    "github": as_github,
}
"""What each form is written by."""
