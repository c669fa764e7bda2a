"""The second workload: every way to reach a file that a recorder could miss.

Its arguments are a folder to write to, the prefix, and names of modules to import first. It needs
the standard library only.
"""

import gc
import importlib
import json
import mmap
import multiprocessing
import os
import sqlite3
import ssl
import subprocess
import sys


def square(number):
    import fractions

    return int(fractions.Fraction(number) ** 2)


def last():
    import csv  # reached by execv only

    print("processes ok", csv.QUOTE_ALL)


def main():
    folder, prefix = sys.argv[1:3]
    for name in sys.argv[3:]:
        importlib.import_module(name)
    for method in ("fork", "spawn"):
        pool = multiprocessing.get_context(method).Pool(2)
        assert pool.map(square, [1, 2, 3]) == [1, 4, 9]
        pool.close()
        pool.join()
        del pool
    gc.collect()
    for flags in (
        ["-c", "import plistlib"],
        ["-I", "-c", "import wave"],
        ["-S", "-c", "import cmd"],
    ):
        subprocess.run([sys.executable, *flags], check=True)
    child = os.fork()
    if child == 0:
        import colorsys  # noqa: F401

        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    database = sqlite3.connect(os.path.join(folder, "data.db"))
    assert database.execute("select 1").fetchone() == (1,)
    database.close()
    certificates = os.path.join(prefix, "ssl", "cacert.pem")
    ssl.create_default_context(cafile=certificates)
    with open(certificates, "rb") as stream:
        assert len(mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ)) > 0
    os.stat(os.path.join(os.path.dirname(json.__file__), "tool.py"))
    scripts = os.path.join(prefix, "etc", "conda", "activate.d")
    for name in os.listdir(scripts):
        subprocess.run(["/bin/sh", "-c", f'. "{scripts}/{name}"'], check=True)
    here = os.path.dirname(os.path.abspath(__file__))
    code = f"import sys; sys.path.insert(0, {here!r}); import processes; processes.last()"
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-B", "-c", code])


if __name__ == "__main__":
    main()
