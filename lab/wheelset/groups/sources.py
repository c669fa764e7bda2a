"""Packages whose C and C++ files are their data: templates, headers to compile with, libraries."""

from __future__ import annotations

from inspect import cleandoc as code

from .model import Group

_BUILDS = """
import os, subprocess, sys
from pathlib import Path
def write(name, text): Path(name).write_text(text); return name
def run(*words): return subprocess.run(words, check=True, capture_output=True, text=True).stdout
"""


def builds(text: str) -> str:
    """A check that writes sources and runs compilers."""
    return f"{code(_BUILDS)}\n{code(text)}"


GROUPS: dict[str, Group] = {
    "sources": Group(
        (
            "jitcode", "emlearn", "pycparser", "pycparser-fake-libc", "cocotb", "swig", "litex",
            "cvxpygen", "httpstan", "hls4ml", "conifer", "cython", "scikit-learn", "setuptools", "sympy",
        ),
        {
            "jitcode": builds("""
                from jitcode import jitcode, y
                ode = jitcode([y(1), -y(0)]); ode.compile_C(); ode.set_integrator('dopri5')
                ode.set_initial_value([1.0, 0.0], 0.0); assert abs(ode.integrate(3.14159)[0] + 1) < .01
            """),
            "emlearn": builds("""
                import emlearn, numpy
                from sklearn.ensemble import RandomForestClassifier
                x = numpy.random.default_rng(1).integers(0, 99, (60, 3)); y = (x[:, 0] > 50) * 1
                model = RandomForestClassifier(3, random_state=1).fit(x, y)
                emlearn.convert(model).save(file='m.h', name='m')
                write('a.c', '#include "m.h"\\nint main() { const int16_t v[] = {90, 1, 1};'
                      ' return m_predict(v, 3) == 1 ? 0 : 1; }')
                run('cc', '-I', emlearn.includedir, '-o', 'a', 'a.c', '-lm'); run('./a')
            """),
            "pycparser with the fake headers": builds("""
                import pycparser, pycparser_fake_libc
                write('a.c', '#include <stdio.h>\\n#include <sys/types.h>\\nsize_t f(FILE *a);')
                tree = pycparser.parse_file(
                    'a.c', use_cpp=True, cpp_args=['-I' + pycparser_fake_libc.directory])
                assert tree.ext[-1].name == 'f'
            """),
            "cocotb": builds("""
                from cocotb_tools.config import libs_dir, share_dir
                text = (share_dir / 'lib/verilator/verilator.cpp').read_text()
                assert 'main(' in text and 'verilator.cpp' in Path(
                    sys.modules['cocotb_tools.config'].__file__).with_name('runner.py').read_text()
                write('a.c', '#include <stdarg.h>\\n#include <gpi.h>\\nint main() { return 0; }')
                run('c++', '-x', 'c++', '-I', share_dir / 'include', '-o', 'a', 'a.c'); run('./a')
            """),
            "swig": builds("""
                write('a.i', '%module a\\n%include <std_string.i>\\nint f(int);')
                for language in 'python', 'perl5', 'octave', 'tcl8':
                    run('swig', '-c++', f'-{language}', '-o', f'{language}.cxx', 'a.i')
                    assert Path(f'{language}.cxx').stat().st_size > 9000
            """),
            "litex": builds("""
                import litex
                home = Path(litex.__path__[0]) / 'soc/software'
                run('cc', '-I', home / 'include', '-c', home / 'libbase/crc16.c', '-o', 'a.o')
            """),
            "cvxpygen": builds("""
                import cvxpy as c
                from cvxpygen import cpg
                x, p = c.Variable(2, name='x'), c.Parameter(2, name='p')
                problem = c.Problem(c.Minimize(c.sum_squares(x - p)), [x >= 0])
                cpg.generate_code(problem, code_dir='out', solver='ECOS', wrapper=False)
                assert len(list(Path('out').rglob('*.c'))) > 20
                run('cc', '-I', 'out/c/solver_code/include', '-I', 'out/c/solver_code/external/SuiteSparse_config',
                    '-I', 'out/c/solver_code/external/amd/include', '-I', 'out/c/solver_code/external/ldl/include',
                    '-c', 'out/c/solver_code/src/kkt.c', '-o', 'a.o')
            """),
            "hls4ml": builds("""
                import hls4ml
                home = Path(hls4ml.__path__[0]) / 'templates/vivado'
                write('a.cpp', '#include "ap_fixed.h"\\nint main() { ap_fixed<8, 4> a = 1.5;'
                      ' return a > 1 ? 0 : 1; }')
                run('c++', '-std=c++14', '-I', home / 'ap_types', '-o', 'a', 'a.cpp'); run('./a')
                assert (home / 'nnet_utils/nnet_dense.h').is_file()
            """),
            "conifer": builds("""
                import conifer, numpy
                from sklearn.ensemble import GradientBoostingClassifier
                x = numpy.random.default_rng(1).random((60, 3)); y = (x[:, 0] > .5) * 1
                trees = GradientBoostingClassifier(n_estimators=3, max_depth=2).fit(x, y)
                options = conifer.backends.cpp.auto_config(); options['OutputDir'] = 'out'
                model = conifer.converters.convert_from_sklearn(trees, options)
                model.write(); assert len(list(Path('out').rglob('*.cpp'))) > 0
            """),
            "Cython and Python's own flags": builds("""
                write('a.pyx', 'from scipy.linalg.cython_blas cimport ddot\\n'
                      'from numpy cimport ndarray\\ndef f(): return 7\\n')
                import numpy
                run('cython', '-3', 'a.pyx')
                tool = Path(sys.prefix, 'bin/python3-config')
                if tool.exists():
                    flags = run(tool, '--includes').split()
                    assert any(sys.prefix in flag for flag in flags)
                    run('cc', '-fPIC', '-shared', *flags, '-I', numpy.get_include(), 'a.c', '-o', 'a.so')
                    sys.path.insert(0, '.'); import a; assert a.f() == 7
            """),
            "httpstan": builds("""
                import httpstan
                home = Path(httpstan.__path__[0])
                write('a.cpp', '#include <stan/math/prim/fun/square.hpp>\\n#include <cstdio>\\n'
                      'extern "C" void *N_VNew_Serial(long); '
                      'int main() { return stan::math::square(2.0) == 4 ? 0 : 1; }')
                run('c++', '-std=c++17', '-I', home / 'include', '-I', home / 'include/lib/eigen_3.4.0',
                    '-I', home / 'include/lib/boost_1.84.0', '-fsyntax-only', 'a.cpp')
                assert (home / 'lib/libsundials_nvecserial.a').is_file()
            """),
        },
    ),
}  # fmt: skip
