"""Compilers, and what compiles while it runs."""

from __future__ import annotations

from .model import Group

GROUPS: dict[str, Group] = {
    "compilers": Group(
        ("numba", "cython", "cffi", "numexpr", "setuptools"),
        {
            "numba": ("import numba\n@numba.njit\ndef f(x):\n    return x + 1\nassert f(1) == 2"),
            "numba parallel": (
                "import numba, numpy as n\n@numba.njit(parallel=True)\ndef f(a):\n    s = 0\n"
                "    for i in numba.prange(len(a)):\n        s += a[i]\n    return s\n"
                "assert f(n.ones(9)) == 9"
            ),
            "numba vectorize": (
                "import numba, numpy as n\n@numba.vectorize(['f8(f8)'])\ndef f(x):\n"
                "    return x + 1\nassert f(n.zeros(2)).sum() == 2"
            ),
            "cython compiles a module": (
                "import pyximport, sys; open('m_y_.pyx', 'w').write('cdef int a = 4\\nb = a')\n"
                "pyximport.install(build_dir='b'); sys.path.insert(0, '.')\n"
                "import m_y_; assert m_y_.b == 4"
            ),
            "cython.inline": (
                "import Cython; assert Cython.inline('return a + 1', a=1, quiet=True) == 2"
            ),
            "cffi compiles": (
                "import cffi; f = cffi.FFI(); f.cdef('int f(int);')\n"
                "f.set_source('_c', 'int f(int a) { return a + 1; }'); f.compile(verbose=False)\n"
                "import sys; sys.path.insert(0, '.'); import _c; assert _c.lib.f(1) == 2"
            ),
            "numexpr": "import numexpr as e, numpy as n; assert e.evaluate('1 + 1') == 2",
            "setuptools": "import setuptools; from setuptools import setup, Extension",
        },
    ),
    "torch": Group(
        ("torch==2.13.0+cpu",),
        {
            "torch": "import torch; assert (torch.ones(2, 2) @ torch.ones(2, 2)).sum() == 8",
            "torch trains": (
                "import torch; m = torch.nn.Linear(2, 1); o = torch.optim.Adam(m.parameters());"
                " m(torch.ones(1, 2)).sum().backward(); o.step()"
            ),
            "TorchScript reads sources": (
                "import torch\nopen('m_.py', 'w').write('import torch\\n@torch.jit.script\\n"
                "def f(x: torch.Tensor):\\n    return x + 1\\n')\n"
                "import sys; sys.path.insert(0, '.'); import m_; m_.f(torch.ones(1))"
            ),
            "torch.compile": (
                "import torch; f = torch.compile(lambda x: x * 2 + 1); assert f(torch.ones(9)"
                ").sum() == 27"
            ),
            "torch.testing": (
                "import torch; torch.testing.assert_close(torch.ones(1), torch.ones(1))"
            ),
            "torch saves": "import torch; torch.save({'a': 1}, 'a.pt'); torch.load('a.pt')",
            "torch.utils.data workers": (
                "import torch.utils.data as d\nif __name__ == '__main__':\n"
                "    assert len(list(d.DataLoader(list(range(8)), batch_size=4, num_workers=1)))"
            ),
            "torch.distributed": "import torch.distributed as d; assert d.is_available()",
            "torch.export": (
                "import torch\nclass M(torch.nn.Module):\n    def forward(self, x):\n"
                "        return x + 1\ntorch.export.export(M(), (torch.ones(2),))"
            ),
        },
    ),
}
