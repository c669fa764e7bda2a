"""Libraries that compile while they run: with the machine's compiler, or with their own."""

from __future__ import annotations

from .model import Group

GROUPS: dict[str, Group] = {
    "jit": Group(
        (
            "pytensor",
            "brian2",
            "pythran",
            "pybind11",
            "nanobind",
            "jax",
            "flatbuffers",
            "numpy<2.4",
            "fenics-ffcx",
            "setuptools",
        ),
        {
            "pytensor compiles C": (
                "import pytensor, pytensor.tensor as t\npytensor.config.cxx = 'g++'\n"
                "x = t.dvector('x')\n"
                "f = pytensor.function([x], (x * 2 + t.exp(x)).sum(), mode='FAST_RUN')\n"
                "assert abs(f([0.0, 0.0]) - 2) < 1e-9\n"
                "from pytensor.link.c.basic import CLinker\n"
                "g = pytensor.function([x], x * 3, mode=pytensor.compile.mode.Mode(linker='c'))\n"
                "assert g([1.0])[0] == 3"
            ),
            "pytensor by numba": (
                "import pytensor, pytensor.tensor as t; x = t.dmatrix('x')\n"
                "f = pytensor.function([x], t.dot(x, x.T), mode='NUMBA'); assert f([[1.0]])[0] == 1"
            ),
            "brian2 by Cython": (
                "import brian2 as b; b.prefs.codegen.target = 'cython'\n"
                "b.prefs.codegen.runtime.cython.cache_dir = 'cache'\n"
                "g = b.NeuronGroup(3, 'dv/dt = -v / (10*ms) : 1', method='exact',"
                " threshold='v > 0.9', reset='v = 0'); g.v = 1\n"
                "s = b.Synapses(g, g, on_pre='v += 0.1'); s.connect(p=1)\n"
                "m = b.SpikeMonitor(g); b.run(1 * b.ms); assert m.num_spikes"
            ),
            "brian2 as a C++ program": (
                "import brian2 as b; b.set_device('cpp_standalone', directory='out')\n"
                "g = b.NeuronGroup(3, 'dv/dt = -v / (10*ms) : 1', method='exact'); g.v = 'rand()'\n"
                "b.run(1 * b.ms); assert g.v[0] <= 1"
            ),
            "pythran compiles a module": (
                "import pythran, sys\n"
                "open('m_y_.py', 'w').write('#pythran export f(float64[])\\n"
                "import numpy as np\\ndef f(a):\\n    return np.sum(a * 2)\\n')\n"
                "pythran.compile_pythranfile('m_y_.py', output_file='m_y_.so',"
                " extra_compile_args=['-O0'])\n"
                "import os; os.remove('m_y_.py'); sys.path.insert(0, '.')\n"
                "import m_y_, numpy; assert m_y_.f(numpy.ones(2)) == 4"
            ),
            "pybind11 and nanobind tell their headers": (
                "import pybind11, nanobind, os\n"
                "assert os.path.exists(pybind11.get_include() + '/pybind11/pybind11.h')\n"
                "assert os.path.exists(pybind11.get_cmake_dir())\n"
                "assert os.path.exists(nanobind.include_dir() + '/nanobind/nanobind.h')\n"
                "assert os.path.exists(nanobind.source_dir() + '/nb_combined.cpp')"
            ),
            "jax": (
                "import jax, jax.numpy as n; f = jax.jit(jax.grad(lambda x: (x ** 2).sum()))\n"
                "assert f(n.ones(2))[0] == 2; assert jax.vmap(n.sin)(n.zeros(3)).sum() == 0\n"
                "import jax.scipy.linalg as l; assert l.cholesky(n.eye(2))[0, 0] == 1"
            ),
            "jax lowers and exports": (
                "import jax, jax.numpy as n; from jax import export\n"
                "e = export.export(jax.jit(n.cos))(jax.ShapeDtypeStruct((2,), 'float32'))\n"
                "assert export.deserialize(e.serialize()).call(n.zeros(2))[0] == 1\n"
                "from jax.experimental import pallas"
            ),
            "fenics-ffcx compiles a form": (
                "import basix.ufl, ufl, ffcx.codegeneration.jit as j, pathlib\n"
                "e = basix.ufl.element('Lagrange', 'triangle', 1)\n"
                "m = ufl.Mesh(basix.ufl.element('Lagrange', 'triangle', 1, shape=(2,)))\n"
                "s = ufl.FunctionSpace(m, e); u, v = ufl.TrialFunction(s), ufl.TestFunction(s)\n"
                "assert j.compile_forms([ufl.inner(u, v) * ufl.dx], cache_dir=pathlib.Path('c'))"
            ),
        },
    ),
    "stencils": Group(
        ("gt4py", "dace", "setuptools", "pybind11"),
        {
            "gt4py by numpy": (
                "import gt4py.cartesian.gtscript as g, numpy as n, gt4py.storage as s\n"
                "@g.stencil(backend='numpy')\n"
                "def f(a: g.Field[n.float64], b: g.Field[n.float64]):\n"
                "    with computation(PARALLEL), interval(...):\n        b = a * 2.0\n"
                "a = s.ones((2, 2, 2), n.float64, backend='numpy')\n"
                "b = s.zeros((2, 2, 2), n.float64, backend='numpy')\n"
                "f(a, b); assert b[0, 0, 0] == 2"
            ),
            "gt4py by C++": (
                "import gt4py.cartesian.gtscript as g, numpy as n, gt4py.storage as s\n"
                "@g.stencil(backend='gt:cpu_kfirst')\n"
                "def f(a: g.Field[n.float64], b: g.Field[n.float64]):\n"
                "    with computation(PARALLEL), interval(...):\n        b = a * 2.0\n"
                "a = s.ones((2, 2, 2), n.float64, backend='gt:cpu_kfirst')\n"
                "b = s.zeros((2, 2, 2), n.float64, backend='gt:cpu_kfirst')\n"
                "f(a, b); assert b[0, 0, 0] == 2"
            ),
            "dace compiles a program": (
                "import dace, numpy as n\n@dace.program\n"
                "def f(a: dace.float64[4]):\n    return a * 2\n"
                "assert f(n.ones(4))[0] == 2"
            ),
        },
    ),
    "kernels": Group(
        ("taichi", "warp-lang", "apache-tvm", "halide", "pyopencl", "pocl-binary-distribution"),
        {
            "taichi": (
                "import taichi as t; t.init(arch=t.cpu, log_level=t.ERROR)\n"
                "a = t.field(t.f32, 4)\n@t.kernel\ndef f():\n    for i in a:\n"
                "        a[i] = i * 2\nf(); assert a[3] == 6"
            ),
            "taichi lends numpy arrays": (
                "import taichi as t, numpy as n; t.init(arch=t.cpu, log_level=t.ERROR)\n"
                "@t.kernel\ndef f(a: t.types.ndarray()) -> t.f32:\n    s = 0.0\n"
                "    for i in a:\n        s += a[i]\n    return s\n"
                "assert f(n.ones(4, 'float32')) == 4"
            ),
            "warp compiles with its own headers": (
                "import warp as w; w.config.kernel_cache_dir = 'cache'; w.init()\n"
                "@w.kernel\ndef f(a: w.array(dtype=float)):\n    i = w.tid()\n"
                "    a[i] = a[i] * 2.0 + w.sin(0.0)\n"
                "a = w.ones(4, dtype=float, device='cpu'); w.launch(f, 4, [a], device='cpu')\n"
                "assert a.numpy()[3] == 2"
            ),
            "warp differentiates": (
                "import warp as w; w.config.kernel_cache_dir = 'cache'; w.init()\n"
                "@w.kernel\ndef f(a: w.array(dtype=float), o: w.array(dtype=float)):\n"
                "    w.atomic_add(o, 0, a[w.tid()] * a[w.tid()])\n"
                "a = w.ones(4, dtype=float, device='cpu', requires_grad=True)\n"
                "o = w.zeros(1, dtype=float, device='cpu', requires_grad=True)\nt = w.Tape()\n"
                "with t: w.launch(f, 4, [a, o], device='cpu')\n"
                "t.backward(o); assert a.grad.numpy()[0] == 2"
            ),
            "tvm": (
                "import tvm; from tvm import te; a = te.placeholder((4,), name='a')\n"
                "b = te.compute((4,), lambda i: a[i] * 2.0, name='b')\n"
                "m = tvm.IRModule({'main': te.create_prim_func([a, b])})\n"
                "assert tvm.compile(m, target='llvm')"
            ),
            "halide compiles at run time": (
                "import halide as h; x = h.Var('x'); f = h.Func('f'); f[x] = x * 2\n"
                "assert f.realize([4])[3] == 6"
            ),
            "halide writes C": (
                "import halide as h, os; x = h.Var('x'); f = h.Func('f'); f[x] = x * 2\n"
                "f.compile_to_header('f.h', [], 'f'); f.compile_to_object('f.o', [], 'f')\n"
                "assert os.path.getsize('f.o')"
            ),
            "halide tells its headers": ("import halide as h; assert h.install_dir()"),
            "pyopencl by pocl": (
                "import pyopencl as c, pyopencl.array as a, numpy as n\n"
                "q = c.CommandQueue(c.Context(c.get_platforms()[0].get_devices()))\n"
                "assert (a.to_device(q, n.ones(4, 'float32')) * 2).get()[0] == 2"
            ),
            "pyopencl's own kernels": (
                "import pyopencl as c, pyopencl.array as a, pyopencl.clrandom as r\n"
                "q = c.CommandQueue(c.Context(c.get_platforms()[0].get_devices()))\n"
                "assert r.rand(q, 16, 'float32').get().max() <= 1"
            ),
        },
    ),
}
