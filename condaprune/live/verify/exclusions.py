"""What is never run, as data: reasons, and patterns of `fnmatch` separated by spaces.

The patterns are matched against dotted module names or the file names of commands. Running these
would open windows, wait for a person, or write outside the scratch folder; none of that proves
anything. The first pattern that fits gives the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

MODULES: Mapping[str, str] = {
    "opens a web browser": "antigravity",
    "prints a poem": "this",
    "opens the editor": "idlelib.idle",
    "runs a program": "__main__ *.__main__",
    "opens windows and draws": "turtledemo.*",
    "runs the test suite of Python": "test.autotest test.bisect_cmd",
    "a test of Python itself: many change the process they run in": "test.test_* test.*.test_*",
    "a test of Python itself": "test.re_tests",
    "a build script": "setup *.setup",
    "runs a test suite": "*.tests.run* *.test.run* *.tests.*.run_* *.runtests",
    "attaches to another process": "*pydevd_attach_to_process* debugpy.server.attach_pid_injected",
    "runs at start-up already": "sitecustomize usercustomize",
    "input of a test": "numpy.f2py.tests.src.*",
    "input of a test, some of it Python 2": "lib2to3.tests.data.*",
}

COMMANDS: Mapping[str, str] = {
    "may change environments and caches": "conda mamba micromamba",
    "is to be sourced, not run": "activate deactivate",
    "rewrites the environment; the check `unpack` runs it on a copy": "conda-unpack",
    "rewrites the links of certificate folders": "c_rehash",
    "rewrites a cache of the environment": "*-update-* update-* gio-querymodules",
    "rewrites a cache": "fc-cache mktexlsr texhash",
    "resets the terminal": "reset tset",
    "writes to the terminal": "clear tabs",
    "writes terminal descriptions": "tic",
    "is `tic` by another name": "captoinfo infotocap",
    "opens a window and waits for commands": "wish*",
    "waits for commands": "tclsh*",
    "a shell": "sh bash dash zsh fish csh tcsh ksh xonsh*",
    "opens the editor": "idle idle3*",
    "changes the user": "su sudo login",
    "stops the machine": "halt poweroff reboot shutdown",
    "ends processes": "kill* pkill",
    "starts a server": "start-*",
    "stops a server": "stop-*",
    "makes a data folder": "initdb mysql_install_db",
    "writes keys": "ssh-keygen",
    "changes the user's schedule": "crontab",
    "never ends": "yes",
    "an editor": "vim* nano emacs*",
}


def why_not(name: str, exclusions: Mapping[str, str]) -> str:
    """The reason why *name* is not run, or an empty string where it may be."""
    for reason, patterns in exclusions.items():
        if any(fnmatchcase(name, pattern) for pattern in patterns.split()):
            return reason
    return ""
