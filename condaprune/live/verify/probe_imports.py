"""Runs inside the environment: imports modules one by one and reports on each.

Usage: ``python -I -B probe_imports.py MODULES`` where the file MODULES holds one dotted name a
line. Works with Python 3.6 and later; imports nothing but `sys` and `os`, so that what it
reports as missing is missing for everybody. Each line written is an ASCII literal: ``("start",
name)`` before an import and ``("end", name, imported, has a file, exception, message, missing
name or file, where)`` after it.
"""

import os
import sys


def _where(error: BaseException, here: str) -> str:
    """The innermost place in a file that the error passed through."""
    place = ""
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name != here and not name.startswith("<"):
            place = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _missing(error: BaseException) -> str:
    chain = error
    for _ in range(10):
        for attribute in ("name", "filename"):
            value = getattr(chain, attribute, None)
            if isinstance(value, bytes):
                value = os.fsdecode(value)
            if isinstance(value, str) and value:
                return value
        earlier = chain.__cause__ or chain.__context__
        if earlier is None:
            break
        chain = earlier
    return ""


def _try(name: str, here: str) -> tuple:  # type: ignore[type-arg]
    try:
        __import__(name)
        module = sys.modules[name]
    except BaseException as error:  # whatever a module does, the next one gets its turn
        kind = type(error).__name__
        try:
            text = str(error)
        except BaseException:
            text = ""
        return ("end", name, False, False, kind, text[:2000], _missing(error), _where(error, here))
    try:
        located = getattr(module, "__file__", None) is not None
    except BaseException:
        located = True
    return ("end", name, True, located, "", "", "", "")


def main(listed: str) -> None:
    """Import every module that the file *listed* names; never returns."""
    report = os.dup(1)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    with open(listed, "rb") as file:
        names = file.read().decode("utf-8", "surrogateescape").split("\n")
    here = __file__
    write, pid, getpid, leave = os.write, os.getpid(), os.getpid, os._exit
    for name in names:
        if not name:
            continue
        write(report, (ascii(("start", name)) + "\n").encode("ascii"))
        result = _try(name, here)
        if getpid() != pid:  # a module forked, and its child came back here
            leave(0)
        write(report, (ascii(result) + "\n").encode("ascii"))
    # No clean-up: threads that a module started must not hold the process.
    leave(0)


if __name__ == "__main__":
    main(sys.argv[1])
