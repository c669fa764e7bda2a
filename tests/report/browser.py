"""Drives a headless Chromium over its debugging pipe: no driver, no network, no dependency."""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--window-size=1200,900", "--remote-debugging-pipe"),
)
PATIENCE = 60.0


def find_chromium() -> str:
    """The path of a Chromium; skips the test where there is none."""
    named = os.environ.get("CHROMIUM", "")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.skip("no Chromium: apt-get install chromium, or name one in CHROMIUM")
    return found


class Page:
    """One page of a running browser, and what went wrong on it."""

    def __init__(self, receive: int, send: int) -> None:
        self._receive, self._send = receive, send
        self._numbers = itertools.count(1)
        self._buffer = b""
        self._session = ""
        self.errors: list[str] = []
        self.requests: list[str] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def open(self, url: str) -> float:
        """Load a page and wait until it is ready. Returns the seconds that took."""
        started = time.monotonic()
        self._call("Page.navigate", url=url)
        while not self.run("document.documentElement?.dataset.ready"):
            if time.monotonic() - started > PATIENCE:
                raise AssertionError(f"the page is not ready: {self.errors}")
            time.sleep(0.02)
        return time.monotonic() - started

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        done = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in done:
            raise AssertionError(str(done["exceptionDetails"]))
        return done["result"].get("value")

    def click(self, x: float, y: float) -> None:
        """A click of the left button, at a place in the window."""
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str, text: str = "") -> None:
        """Press and release a key; *text* is what it types."""
        self._call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text)
        self._call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def prefers(self, scheme: str) -> None:
        """Set the colour scheme that the user prefers: light or dark."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._call("Emulation.setEmulatedMedia", features=features)

    def screenshot(self) -> bytes:
        """The window as PNG."""
        return base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        for reply in self._messages():
            if reply.get("id") == number:
                if "error" in reply:
                    raise AssertionError(f"{method}: {reply['error']}")
                return dict(reply["result"])
        raise AssertionError(f"{method}: the browser is gone")

    def _messages(self) -> Iterator[dict[str, Any]]:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            while b"\0" in self._buffer:
                raw, _, self._buffer = self._buffer.partition(b"\0")
                message = json.loads(raw)
                self._note(message)
                yield message
            if select.select([self._receive], [], [], 1.0)[0]:
                data = os.read(self._receive, 1 << 20)
                if not data:
                    return
                self._buffer += data

    def _note(self, message: dict[str, Any]) -> None:
        method, facts = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.errors.append(str(facts["exceptionDetails"]))
        elif method == "Log.entryAdded" and facts["entry"]["level"] in ("error", "warning"):
            self.errors.append(str(facts["entry"]))
        elif method == "Runtime.consoleAPICalled":
            self.errors.append(str(facts["args"]))
        elif method == "Network.requestWillBeSent":
            self.requests.append(facts["request"]["url"])


@contextmanager
def browser(home: Path) -> Iterator[Page]:
    """A page of a headless Chromium with a fresh profile below *home*."""
    chromium = find_chromium()
    their_in, our_out = os.pipe()
    our_in, their_out = os.pipe()
    # Chromium reads commands from descriptor 3 and writes replies to 4.
    script = f'exec "$@" 3<&{their_in} 4>&{their_out}'
    flags = [*FLAGS, f"--user-data-dir={home / 'profile'}", "about:blank"]
    process = subprocess.Popen(
        ["bash", "-c", script, "chromium", chromium, *flags],
        pass_fds=(their_in, their_out),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": os.fspath(home)},
    )
    os.close(their_in)
    os.close(their_out)
    try:
        yield Page(our_in, our_out)
    finally:
        os.close(our_out)
        os.close(our_in)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
