"""What Python itself does: checks that hold for every group."""

from __future__ import annotations

PYTHON = {
    "ssl: the default context trusts somebody": (
        "import ssl; assert ssl.create_default_context().cert_store_stats() is not None"
    ),
    "sqlite3": (
        "import sqlite3; assert sqlite3.connect(':memory:').execute('select 1').fetchone() == (1,)"
    ),
    "zoneinfo": (
        "import zoneinfo, datetime; assert datetime.datetime(2024, 7, 1, tzinfo="
        "zoneinfo.ZoneInfo('Europe/Berlin')).utcoffset().seconds == 7200"
    ),
    "multiprocessing spawn": (
        "import multiprocessing as m\n"
        "if __name__ == '__main__':\n"
        "    with m.get_context('spawn').Pool(1) as p: assert p.map(abs, [-1]) == [1]"
    ),
    "inspect.getsource": (
        "import inspect, json; assert 'def dumps' in inspect.getsource(json.dumps)"
    ),
    "unittest": (
        "import unittest\nclass T(unittest.TestCase):\n"
        "    def test(self): self.assertTrue(True)\n"
        "assert unittest.TextTestRunner().run("
        "unittest.defaultTestLoader.loadTestsFromTestCase(T)).wasSuccessful()"
    ),
    "importlib.metadata": (
        "import importlib.metadata as m\n"
        "for d in m.distributions(): assert d.metadata['Name'] and d.version"
    ),
    "every entry point of consoles names a module": (
        "import importlib.metadata as m, importlib.util as u\n"
        "for e in m.entry_points(group='console_scripts'): u.find_spec(e.module.split('.')[0])"
    ),
}
