"""What checks begin with: running commands, and servers on the loopback that are asked."""

from __future__ import annotations

from inspect import cleandoc

_RUN = """
import contextlib, os, re, socket, subprocess, sys, time, urllib.request as u
os.environ['PATH'] = os.path.dirname(sys.executable) + os.pathsep + os.environ['PATH']
def run(*words, wanted=0, **more):
    done = subprocess.run(words, text=True, stdout=-1, stderr=-2, **more)
    assert done.returncode == wanted, done.stdout[-900:]
    return done.stdout
def write(path, text):
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    open(path, 'w').write(text)
"""

_SERVER = """
k = socket.socket(); k.bind(('127.0.0.1', 0)); PORT = str(k.getsockname()[1]); k.close()
def get(path):
    return u.urlopen(f'http://127.0.0.1:{PORT}/{path.lstrip("/")}', timeout=20).read()
@contextlib.contextmanager
def serves(*words, seconds=60, path='', **more):
    with open('server.log', 'w') as log:
        p = subprocess.Popen(words, stdout=log, stderr=log, **more)
        try:
            end = time.time() + seconds
            while True:
                try:
                    page = get(path).decode(); break
                except OSError:
                    said = open('server.log').read()[-900:]
                    assert p.poll() is None and time.time() < end, said
                    time.sleep(0.2)
            yield page
        finally:
            p.terminate()
            try: p.wait(10)
            except subprocess.TimeoutExpired: p.kill(); p.wait()
def fetch_all(page, base=''):
    found = re.findall(r'(?:src|href)="([^":?#]+\\.(?:js|css|ico|png|svg|woff2?))', page)
    assert found, page[:900]
    there = []
    for path in dict.fromkeys(found):
        try: assert get(base + path.removeprefix('./')), path; there.append(path)
        except u.HTTPError: pass
    return there
"""


def runs(text: str) -> str:
    """A check that runs commands: `run(*words)` gives what they print, `write` makes a file."""
    return _RUN + cleandoc(text)


def serves(text: str) -> str:
    """A check that also starts servers: `serves(*words)` gives the page at PORT, `get` others."""
    return _RUN + _SERVER + cleandoc(text)
