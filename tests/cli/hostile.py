"""An environment whose every name and text does more than be read, and what must come of them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from tests.trees import SITE, Content, make_prefix

FORMULAS = ("=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", "a;=1", "\uff1d1")
BAD = (
    "\x1b[31m\x1b]0;t\x07\x9b31m\x85\r\n::error title=x::y\n##[error]z\n##vso[a.b]c\t\x7f\x00"
    "\u202e\u2066\u200b\u200f\ufeff\ufe0f\u00ad\u2028\u3164\U000e0041\U000e0101\ud800"
    "[a](http://e.vil)![i](//e.vil)<img src=x onerror=alert(1)></script><!--`x`|*b*&lt;"
    " www.e.vil http://e.vil a@e.vil $x$"
)
NAME = BAD.replace("/", "\u2215").replace("\x00", "").replace("\ud800", "\udcff")
"""The same as the name of a file: 255 bytes at most, without slash and NUL."""
assert len(os.fsencode(NAME)) <= 240, len(os.fsencode(NAME))


def make_hostile(folder: Path) -> Path:
    """A prefix of that kind, at a path of that kind in *folder*."""
    records: dict[str, Content] = {}
    owned = [f"include/{NAME}.h", f"lib/{NAME}.a", f"share/doc/{NAME}", "lib/libevil.so"]
    for number, start in enumerate(("", *FORMULAS)):
        name = f"evil{start}{BAD}" if number else "evil"
        record = {
            "name": name,
            "version": start + BAD,
            "build": start + BAD,
            "channel": start + BAD,
            "subdir": BAD,
            "license": start + BAD,
            "summary": start + BAD,
            "url": "https://e.vil/" + BAD,
            "requested_spec": "evil",
            "depends": [BAD, "evil"] if number else [],
            "files": owned if not number else [f"share/{number}/{NAME}"],
        }
        records[f"conda-meta/evil{number}-{number}-0.json"] = json.dumps(record).encode()
        records[f"share/{number}/{NAME}"] = b"x" * 100
    run = {
        "version": BAD,
        "profile": BAD,
        "rules": [BAD],
        **dict.fromkeys(("files_before", "files_after", "bytes_before", "bytes_after"), 5),
    }
    info = f"{SITE}/{NAME[:100]}-1.0.dist-info"
    env = make_prefix(
        folder / f"env{NAME}",
        {
            **records,
            **dict.fromkeys(owned, b"x" * 5000),
            f"{SITE}/{NAME}.py": f"import evil\nopen({BAD!r})\nopen('include/{NAME}.h')".encode(
                "utf-8", "backslashreplace"
            ),
            f"{SITE}/tests/{NAME}.py": b"",
            f"{info}/METADATA": f"Name: x{BAD}\nVersion: ={BAD}\nLicense: {BAD}\n\n".encode(
                "utf-8", "surrogatepass"
            ),
            f"{info}/RECORD": b"",
            f"bin/{NAME}": b"#!/usr/bin/env " + os.fsencode(NAME.replace("\n", " ")) + b"\n",
            f"etc/conda/activate.d/{NAME}.sh": b"export A=\x1b[31m\nexport B='$(x) \xe2\x80\xae'\n",
            f"etc/conda/env_vars.d/{NAME}.json": json.dumps({BAD: BAD, "C": BAD}).encode(),
            "conda-meta/state": json.dumps({"env_vars": {BAD: BAD}}).encode(),
            "conda-meta/history": f"# update specs: ['evil', {BAD!r}]\n".encode(
                "utf-8", "backslashreplace"
            ),
            "conda-meta/condaprune/status.json": json.dumps({"schema": 1, "runs": [run]}).encode(),
        },
    )
    _add_library(env)
    return env


def _add_library(env: Path) -> None:
    """A real library that asks for others by such names; a token where there is no patchelf."""
    tool = shutil.which("patchelf")
    real = next(iter(Path("/lib").glob("*/libutil.so.1")), None) or Path("/bin/true")
    if tool and real.exists():
        target = env / "lib" / "libevil.so"
        shutil.copy(real.resolve(), target)
        name = BAD.replace("\x00", "").encode("utf-8", "replace")[:200]
        command = [os.fsencode(tool), b"--add-needed", name, os.fsencode(target)]
        subprocess.run(command, capture_output=True, check=False)


# Written out: what must not be seen is not what the code under test takes for it.
_FORBIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_COMMANDS = re.compile(r"^\s*::|##\w*\[", re.MULTILINE)


def check_text(text: str) -> None:
    """No character does more than be read, no line is a command to a CI job."""
    assert not (found := _FORBIDDEN.search(text)), ascii(text[found.start() - 40 :][:80])
    assert not (found := _COMMANDS.search(text)), ascii(text[found.start() :][:80])


def check_json(text: str) -> None:
    """ASCII that parses, and is no command to a CI job in any line."""
    assert text.isascii()
    check_text(text)
    json.loads(text)


def check_csv(text: str) -> None:
    """No cell is a formula, for a spreadsheet that splits at commas or at semicolons."""
    check_text(text)
    for row in csv.reader(io.StringIO(text)):
        for cell in row:
            for part in cell.split(";"):
                number = re.fullmatch(r"-?\d+", part)
                assert number or not re.match(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]", part), part


def check_github(text: str) -> None:
    """Only commands of condaprune's own, one a line."""
    for line in text.splitlines():
        assert re.match(r"::(notice title=condaprune|error title=condaprune%3A [^:,]*)::", line)
        check_text(line[2:].partition("::")[2])


def check_md(text: str) -> None:
    """Nothing of what is not condaprune's is a link, an image or HTML."""
    check_text(text)
    plain = re.sub(r"\\.|`[^`\n]*`", "", text)
    assert not re.search(r"://|www\.|[`\[\]<$@]|&(?!amp;)", plain), plain
    try:
        import markdown
    except ImportError:
        return
    tags = {tag for tag, _ in _tags(markdown.markdown(text, extensions=["tables"]))}
    table = {"table", "thead", "tbody", "tr", "th", "td"}
    assert tags <= {"h2", "p", "strong", "em", "code", *table}, tags


def check_html(text: str) -> None:
    """The elements are those of the template, and no string that is shown does harm."""
    template = Path(__file__).parents[2] / "condaprune" / "report" / "data" / "page.html"
    assert list(_tags(text)) == list(_tags(template.read_text("utf-8")))
    check_text(text.partition("<script")[0].replace("\n", " "))
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert data is not None
    for string in _strings(json.loads(data[1])):
        check_text(string)


def check_ncdu(text: str) -> None:
    """JSON whose names may be shown on a terminal."""
    check_json(text)
    for string in _strings(json.loads(text)):
        check_text(string)


CHECKS = {
    "text": check_text,
    "json": check_json,
    "csv": check_csv,
    "md": check_md,
    "ncdu": check_ncdu,
    "html": check_html,
    "github": check_github,
}


def _tags(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The elements of a page with the names of their attributes."""
    found: list[tuple[str, tuple[str, ...]]] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, tuple(name for name, _ in attrs)))

    parser = Parser()
    parser.feed(text)
    parser.close()
    return iter(found)


def _strings(data: object) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        yield from (text for pair in data.items() for text in map(_strings, pair) for text in text)
    elif isinstance(data, list):
        for value in data:
            yield from _strings(value)
