"""Where code of an environment runs: a scratch folder, no network, the environment read-only.

The strongest isolation that the machine allows is found by trying: a private network and mounts
that make the environment read-only and cover its counterpart; a private network alone; and, where
no namespace can be made (a container build), proxy variables that make connections fail.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from condaprune.live.processes import Commands
from condaprune.paths import to_bytes

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
_OUTPUT_AT_MOST = 1 << 20
# $1 becomes read-only and, unless $2 is empty, is what is seen at $2 too; the rest is run.
_MOUNTS = (
    'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && '
    '{ [ -z "$2" ] || { mount --bind "$1" "$2" && mount -o remount,bind,ro "$2"; }; } || '
    'exit 125; shift 2; exec "$@"'
)

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_IN_HOME = {
    "XDG_CACHE_HOME": ".cache",
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
    "MPLCONFIGDIR": "mpl",
    "NUMBA_CACHE_DIR": "numba",
    "IPYTHONDIR": "ipython",
    "JUPYTER_CONFIG_DIR": "jupyter",
}
_QUIET = {
    **dict.fromkeys(("PYTHONNOUSERSITE", "PIP_NO_INDEX", "PIP_DISABLE_PIP_VERSION_CHECK"), "1"),
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    **dict.fromkeys(("LC_ALL", "LANG"), "C.UTF-8"),
    **dict.fromkeys(("SDL_VIDEODRIVER", "SDL_AUDIODRIVER"), "dummy"),
    "QT_QPA_PLATFORM": "offscreen",
    "MPLBACKEND": "Agg",
    "CUDA_VISIBLE_DEVICES": "",
    "HF_HUB_OFFLINE": "1",
    "PYTHONHASHSEED": "0",
    "TERM": "dumb",
    "COLUMNS": "80",
    "PAGER": "cat",
    "EDITOR": "true",
    "BROWSER": "true",
}


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that ended: `code` is its exit status (negative: signal), None: out of time."""

    code: int | None
    out: bytes
    err: bytes

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        return "did not end in time" if self.code is None else f"ended with {self.code}"

    @property
    def text(self) -> str:
        """Its messages, or its output where there are none."""
        return (self.err or self.out).decode("utf-8", "replace").strip()

    @property
    def last_line(self) -> str:
        """The last line of `text`, which usually is the error."""
        return self.text.splitlines()[-1].strip() if self.text else "no message"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """How processes of one prefix are started. Made by `open_sandbox`.

    `root` is the prefix, `scratch` a folder that is thrown away, `wrapper` the command line that
    isolates, `variables` those that activating the environment sets. `bytecode` is a folder where
    Python may cache bytecode; without one it writes none. `isolation` is the isolation in words.
    `commands` are those that run in it now.
    """

    root: str
    scratch: str
    wrapper: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    bytecode: str = ""
    isolation: str = "no isolation from the network except proxy variables"
    commands: Commands = field(default_factory=Commands, compare=False)

    @contextmanager
    def start(
        self, argv: Sequence[str], stdout: int, stderr: int
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run *argv* in a new home folder; it and all that it started end with the block.

        Errors: `OSError` where it cannot be started.
        """
        with (
            tempfile.TemporaryDirectory(
                prefix="run-", dir=self.scratch, ignore_cleanup_errors=True
            ) as home,
            self.commands.start(
                (*self.wrapper, *argv),
                environment(self.root, home, self.variables, self.bytecode),
                stdout=stdout,
                stderr=stderr,
                folder=home,
            ) as process,
        ):
            yield process

    def run(self, argv: Sequence[str], timeout: float) -> Finished:
        """Run *argv* to its end, or to the time limit in seconds.

        A command that cannot be started at all ends with 126 and the reason in `err`.
        """
        # Files rather than pipes: a child left behind would hold a pipe open.
        with (
            tempfile.TemporaryFile(dir=self.scratch) as out,
            tempfile.TemporaryFile(dir=self.scratch) as err,
        ):
            code: int | None
            try:
                with self.start(argv, out.fileno(), err.fileno()) as process:
                    try:
                        code = process.wait(timeout)
                    except subprocess.TimeoutExpired:
                        code = None
            except OSError as error:
                return Finished(126, b"", str(error.strerror).encode())
            out.seek(0)
            err.seek(0)
            return Finished(code, out.read(_OUTPUT_AT_MOST), err.read(_OUTPUT_AT_MOST))


def environment(
    root: str, home: str, variables: Mapping[str, str], bytecode: str = ""
) -> dict[bytes, bytes]:
    """The variables of a process: nothing of the caller's, everything writable in *home*."""
    values = {
        **variables,
        **_QUIET,
        **dict.fromkeys(_PROXIES, "http://127.0.0.1:9"),
        **dict.fromkeys(("HOME", "TMPDIR", "XDG_RUNTIME_DIR"), home),
        **{name: f"{home}/{folder}" for name, folder in _IN_HOME.items()},
        **({"PYTHONPYCACHEPREFIX": bytecode} if bytecode else {"PYTHONDONTWRITEBYTECODE": "1"}),
        "PATH": f"{root}/bin:{SYSTEM_PATH}",
        "CONDA_PREFIX": root,
    }
    return {to_bytes(name): to_bytes(value) for name, value in values.items()}


def _wrappers(root: str, covered: str) -> Iterator[tuple[tuple[str, ...], str]]:
    unshare = shutil.which("unshare", path=SYSTEM_PATH)
    shell = shutil.which("sh", path=SYSTEM_PATH)
    if unshare and shell:
        mounts = (shell, "-c", _MOUNTS, shell, root, covered)
        yield (unshare, "-n", "-m", "--", *mounts), "no network, the environment read-only"
    if unshare:
        yield (unshare, "--map-current-user", "-n", "--"), "no network"
        yield (unshare, "-r", "-n", "--"), "no network"


def open_sandbox(root: str, scratch: str, covered: str = "") -> Sandbox:
    """The best sandbox that this machine allows for the prefix *root*.

    *covered* is another prefix in whose place its processes see their own: a copy whose scripts
    and libraries still name the original would otherwise be proven by the original.
    """
    if covered and any(f"{other}/".startswith(f"{covered}/") for other in (root, scratch)):
        covered = ""
    for wrapper, words in _wrappers(root, covered):
        sandbox = Sandbox(root, scratch, wrapper, isolation=words)
        if sandbox.run(["/bin/sh", "-c", "exit 0"], 20.0).code == 0:
            return sandbox
    return Sandbox(root, scratch)
