"""The HTML page in a real browser: it renders, zooms, searches, and runs nothing of the data's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from condaprune.app.audit import audit
from condaprune.cli import run
from condaprune.report.audit.make import Wanted
from condaprune.report.forms import AUDIT
from condaprune.report.forms import render as as_form
from condaprune.report.layout import Show
from tests.report.browser import Page, browser
from tests.trees import make_prefix

EVIL = "</script><script>document.title='pwned'</script><img src=x onerror=alert(1)>.py"
LARGEST = 73_735


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A browser for all tests of this module."""
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _no_errors(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "page" in request.fixturenames:
        opened: Page = request.getfixturevalue("page")
        errors, requests = opened.errors[:], opened.requests[:]
        opened.errors.clear()
        opened.requests.clear()
        assert errors == []
        assert [url for url in requests if not url.startswith(("file:", "data:"))] == []


def listing(path: Path, files: int) -> Path:
    """A path list of an environment with that many files."""
    lines = ["path\tkind\tsize\towner"]
    for n in range(files):
        package = n % 211
        folder = f"lib/python3.11/site-packages/package{package}/part{n % 17}"
        name = f"module_{n}.{('py', 'pyc', 'so', 'json')[n % 4]}"
        size = 1 + (n * 7919) % 40_000
        lines.append(f"{folder}/{name}\tf\t{size}\tconda:package{package}==1.{package}")
    path.write_text("\n".join(lines) + "\n")
    return path


def render(tmp_path: Path, environment: Path, *arguments: str) -> str:
    out = tmp_path / "page.html"
    assert run(["audit", os.fspath(environment), "-q", "-o", f"html={out}", *arguments]) == 0
    return out.as_uri()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    files = {
        "lib/big.so": b"x" * 60_000,
        "lib/old/tests/test_a.py": b"x" * 20_000,
        "share/data.json": b"x" * 10_000,
        f"share/evil/{EVIL.replace('/', chr(92))}": b"x" * 5_000,
        "share/evil/\udcff\u202e\n.txt": b"x" * 2_000,
    }
    packages = {"big": ["lib/big.so"], "old": ["lib/old/tests/test_a.py"]}
    return make_prefix(tmp_path / "env", files, packages=packages)


def chosen(page: Page) -> str:
    return str(page.run("document.querySelector('#crumbs').textContent"))


def test_it_renders_and_zooms_with_the_mouse(page: Page, tmp_path: Path, small: Path) -> None:
    page.open(render(tmp_path, small))
    assert page.run("document.querySelector('#label').textContent") == os.fspath(small)
    pixels = page.run(
        "(() => { const c = document.getElementById('canvas'); const d = c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data; const s = new Set(); for (let i = 0; i < "
        "d.length; i += 4) s.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]); return s.size; })()"
    )
    assert pixels > 5
    box = page.run("(r => [r.x, r.y, r.width, r.height])(canvas.getBoundingClientRect())")
    page.click(box[0] + 30, box[1] + box[3] / 2)  # the largest tile lies at the left
    assert "lib" in chosen(page)
    page.press("Backspace")
    page.run("document.getElementById('up').click()")
    assert chosen(page).startswith("all  ")


def test_the_keyboard_does_it_all(page: Page, tmp_path: Path, small: Path) -> None:
    page.open(render(tmp_path, small))
    page.run("canvas.focus()")
    page.press("ArrowRight")
    assert page.run("document.querySelector('#status').textContent").startswith("lib ")
    page.press("Enter")
    assert chosen(page).startswith("all / lib  ")
    page.press("Escape")
    assert chosen(page).startswith("all  ")
    page.press("c", "c")
    assert page.run("document.querySelector('#colour').value") == "package"
    page.press("/", "/")
    assert page.run("document.activeElement.id") == "search"
    for letter in "big.so":
        page.press(letter, letter)
    assert page.run("document.querySelector('#found').textContent") == "1 files, 60.0 kB"
    assert "search=big.so" in page.run("location.hash")


def test_tables_sort_and_lead_to_the_map(page: Page, tmp_path: Path, small: Path) -> None:
    page.open(render(tmp_path, small) + "#tab=files")
    first = "document.querySelector('#table tbody td').textContent"
    assert page.run(first) == "lib/big.so"
    page.run("document.querySelectorAll('#table th button')[1].click()")
    assert page.run(first) != "lib/big.so"
    page.run("document.querySelectorAll('#table th button')[1].click()")
    page.run("document.querySelector('#table tbody tr').click()")
    assert chosen(page).startswith("all / lib  ")
    assert page.run("document.querySelectorAll('[role=tab]').length") == 5


def test_before_and_after_a_plan(page: Page, tmp_path: Path, small: Path) -> None:
    rule = tmp_path / "mine.toml"
    rule.write_text(RULE)
    page.open(render(tmp_path, small, "--rules", str(rule)) + "#search=big.so")
    assert not page.run("document.querySelector('#plan-label').hidden")
    assert page.run("document.querySelector('#found').textContent") == "1 files, 60.0 kB"
    page.run("canvas.focus()")
    page.press("p", "p")
    assert page.run("document.querySelector('#plan').value") == "after"
    assert page.run("document.querySelector('#found').textContent") == "0 files, 0 B"
    assert "plan=after" in page.run("location.hash")


def test_names_cannot_inject_anything(page: Page, tmp_path: Path, small: Path) -> None:
    page.open(render(tmp_path, small) + "#tab=files&path=share/evil")
    assert page.run("document.title") == f"condaprune audit: {small}"
    assert page.run("document.querySelectorAll('script').length") == 2
    assert page.run("document.images.length") == 0
    assert "<script>" in page.run("document.querySelector('#table tbody').textContent")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_colour_schemes_are_readable(
    page: Page, tmp_path: Path, small: Path, scheme: str
) -> None:
    page.prefers(scheme)
    page.open(render(tmp_path, small))
    ground = page.run("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(21, 24, 28)")
    assert page.screenshot().startswith(b"\x89PNG")
    page.prefers("light")


def test_a_page_of_a_large_environment_opens_fast_and_is_small(page: Page, tmp_path: Path) -> None:
    url = render(tmp_path, listing(tmp_path / "large.tsv", LARGEST))
    assert (tmp_path / "page.html").stat().st_size < 3_000_000
    assert page.open(url) < 2.0 * float(os.environ.get("SLOW_MACHINE", "1"))
    page.run("document.getElementById('search').value = 'package7/'")
    page.run("document.getElementById('search').dispatchEvent(new Event('input'))")
    expected = sum(n % 211 == 7 for n in range(LARGEST))
    assert page.run("document.querySelector('#found').textContent").startswith(f"{expected} files")


def test_the_page_names_no_other_site_and_holds_every_byte(tmp_path: Path, small: Path) -> None:
    made = audit(os.fspath(small), Wanted())
    text = as_form("html", AUDIT, made, Show())
    assert "http:" not in text
    assert "https:" not in text
    assert "default-src 'none'" in text
    assert text.count("</script>") == 2


RULE = """
[[rule]]
id = "mine-big"
remove = ["/lib/big.so"]
why = "A test takes it."
breaks = ["nothing"]
risk = "safe"
category = "native"
references = ["https://example.org"]

[rule.examples]
removed = ["lib/big.so"]
kept = ["lib/other.so"]
"""


def test_a_comparison_shows_what_changed(page: Page, tmp_path: Path, small: Path) -> None:
    files = {"lib/big.so": b"x" * 90_000, "lib/new.so": b"x" * 1_000}
    other = make_prefix(
        tmp_path / "b" / "env",
        files,
        packages={"big": ["lib/big.so"], "new": ["lib/new.so"]},
    )
    out = tmp_path / "page.html"
    assert run(["diff", os.fspath(small), os.fspath(other), "-q", "-o", f"html={out}"]) == 0
    page.open(out.as_uri())
    tabs = "Array.from(document.querySelectorAll('[role=tab]'), t => t.textContent).join()"
    assert "Changed packages" in page.run(tabs)
    first = page.run("document.querySelector('#table tbody tr').textContent")
    assert first.startswith("conda:big 1.0")
    assert "+30.0 kB" in first
    page.open(out.as_uri() + "#tab=changed-file")
    assert "lib/old/tests/test_a.py" in page.run("document.querySelector('#table').textContent")
    assert "-20" in page.run("document.querySelector('#table').textContent")
