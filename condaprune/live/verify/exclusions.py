"""What is never run, as data: a pattern and the reason why.

Patterns are those of `fnmatch`, matched against dotted module names or the file names of
commands. Running these would open windows, wait for a person, or write outside of the scratch
folder; none of that proves anything.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

MODULES: tuple[tuple[str, str], ...] = (
    ("antigravity", "opens a web browser"),
    ("this", "prints a poem"),
    ("idlelib.idle", "opens the editor"),
    ("__main__", "runs a program"),
    ("*.__main__", "runs a program"),
    ("turtledemo.*", "opens windows and draws"),
    ("test.autotest", "runs the test suite of Python"),
    ("test.test_*", "a test of Python itself: many change the process they run in"),
    ("test.*.test_*", "a test of Python itself: many change the process they run in"),
    ("test.bisect_cmd", "runs the test suite of Python"),
    ("test.re_tests", "a test of Python itself"),
    ("setup", "a build script"),
    ("*.setup", "a build script"),
    ("*.tests.run*", "runs a test suite"),
    ("*.test.run*", "runs a test suite"),
    ("*.tests.*.run_*", "runs a test suite"),
    ("*.runtests", "runs a test suite"),
    ("*pydevd_attach_to_process*", "attaches to another process"),
    ("debugpy.server.attach_pid_injected", "attaches to another process"),
    ("sitecustomize", "runs at start-up already"),
    ("usercustomize", "runs at start-up already"),
    ("numpy.f2py.tests.src.*", "input of a test"),
    ("lib2to3.tests.data.*", "input of a test, some of it Python 2"),
)

COMMANDS: tuple[tuple[str, str], ...] = (
    ("conda", "may change environments and caches"),
    ("mamba", "may change environments and caches"),
    ("micromamba", "may change environments and caches"),
    ("activate", "is to be sourced, not run"),
    ("deactivate", "is to be sourced, not run"),
    ("conda-unpack", "rewrites the environment; the check `unpack` runs it on a copy"),
    ("c_rehash", "rewrites the links of certificate folders"),
    ("*-update-*", "rewrites a cache of the environment"),
    ("update-*", "rewrites a cache of the environment"),
    ("*-update-icon-cache*", "rewrites a cache of the environment"),
    ("gio-querymodules", "rewrites a cache of the environment"),
    ("fc-cache", "rewrites a cache"),
    ("mktexlsr", "rewrites a cache"),
    ("texhash", "rewrites a cache"),
    ("reset", "resets the terminal"),
    ("tset", "resets the terminal"),
    ("clear", "writes to the terminal"),
    ("tabs", "writes to the terminal"),
    ("tic", "writes terminal descriptions"),
    ("captoinfo", "is `tic` by another name"),
    ("infotocap", "is `tic` by another name"),
    ("wish*", "opens a window and waits for commands"),
    ("tclsh*", "waits for commands"),
    ("sh", "a shell"),
    ("bash", "a shell"),
    ("dash", "a shell"),
    ("zsh", "a shell"),
    ("fish", "a shell"),
    ("csh", "a shell"),
    ("tcsh", "a shell"),
    ("ksh", "a shell"),
    ("xonsh*", "a shell"),
    ("idle", "opens the editor"),
    ("idle3*", "opens the editor"),
    ("su", "changes the user"),
    ("sudo", "changes the user"),
    ("login", "changes the user"),
    ("halt", "stops the machine"),
    ("poweroff", "stops the machine"),
    ("reboot", "stops the machine"),
    ("shutdown", "stops the machine"),
    ("kill*", "ends processes"),
    ("pkill", "ends processes"),
    ("start-*", "starts a server"),
    ("stop-*", "stops a server"),
    ("initdb", "makes a data folder"),
    ("mysql_install_db", "makes a data folder"),
    ("ssh-keygen", "writes keys"),
    ("crontab", "changes the user's schedule"),
    ("yes", "never ends"),
    ("vim*", "an editor"),
    ("nano", "an editor"),
    ("emacs*", "an editor"),
)


def why_not(name: str, patterns: tuple[tuple[str, str], ...]) -> str:
    """The reason why *name* is not run, or an empty string where it may be."""
    for pattern, reason in patterns:
        if fnmatchcase(name, pattern):
            return reason
    return ""
