"""The package `prefixdemo`: one of each kind of file that makes installing and pruning hard.

Text and binary placeholders (in data, in a string of a library, in a program's RPATH), a shared
library with its chain of links, a static library, header, pkgconfig, cmake, man page, locale,
documentation, and scripts that run on activation. Always a `.tar.bz2`, the legacy format.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..model import PLACEHOLDER, SyntheticPackage
from .toolchain import c_compiler, compile_c

CODE = ("packages/prefixdemo", "packages/toolchain")

_SHARE = f"{PLACEHOLDER}/share/prefixdemo"

_LIBRARY = f"""
const char prefixdemo_folder[] = "{_SHARE}";
const char *prefixdemo(void) {{ return prefixdemo_folder; }}
"""

_PROGRAM = """
#include <stdio.h>
const char *prefixdemo(void);
int main(void) { puts(prefixdemo()); return 0; }
"""

_TEXTS: Mapping[str, bytes | str] = {
    "etc/conda/activate.d/prefixdemo.sh": f'export PREFIXDEMO_HOME="{_SHARE}"\n',
    "etc/conda/deactivate.d/prefixdemo.sh": "unset PREFIXDEMO_HOME\n",
    "etc/prefixdemo.conf": f"data = {_SHARE}\nlog = {PLACEHOLDER}/var/log\n",
    "include/prefixdemo.h": "const char *prefixdemo(void);\n",
    "lib/cmake/prefixdemo/prefixdemo-config.cmake": f'set(PREFIXDEMO_ROOT "{PLACEHOLDER}")\n',
    "lib/pkgconfig/prefixdemo.pc": (
        f"prefix={PLACEHOLDER}\nlibdir=${{prefix}}/lib\n\nName: prefixdemo\nDescription: demo\n"
        "Version: 1.0.0\nLibs: -L${libdir} -lprefixdemo\n"
    ),
    "share/doc/prefixdemo/README": "A demonstration.\n",
    "share/info/prefixdemo.info": "This is prefixdemo.info.\n",
    # the head of a message catalogue: enough for tools that look at the magic number
    "share/locale/de/LC_MESSAGES/prefixdemo.mo": b"\xde\x12\x04\x95" + bytes(24),
    "share/man/man1/prefixdemo.1": ".TH PREFIXDEMO 1\n.SH NAME\nprefixdemo \\- a demonstration\n",
    "share/prefixdemo/compiled.dat": b"DEMO\0" + f"{_SHARE}\0".encode() + bytes(64),
    "share/prefixdemo/data.txt": "data\n",
}

_LINKS = {
    "lib/libprefixdemo.so.1": "libprefixdemo.so.1.0.0",
    "lib/libprefixdemo.so": "libprefixdemo.so.1",
}


def prefixdemo() -> SyntheticPackage:
    """The package; without a C compiler it lacks its program and libraries."""
    binaries = _binaries() if c_compiler() else {}
    return SyntheticPackage(
        name="prefixdemo",
        version="1.0.0",
        files={**_TEXTS, **binaries},
        links=_LINKS if binaries else {},
        executables=("lib/libprefixdemo.so.1.0.0",),
        noarch=None,
        legacy=True,
    )


def _binaries() -> dict[str, bytes]:
    library = compile_c(_LIBRARY, "libprefixdemo.so.1")
    program = compile_c(
        _PROGRAM,
        "prefixdemo",
        libraries={"libprefixdemo.so.1": library},
        flags=(f"-Wl,--disable-new-dtags,-rpath,{PLACEHOLDER}/lib",),
    )
    return {
        "bin/prefixdemo": program,
        "lib/libprefixdemo.a": compile_c(_LIBRARY, "libprefixdemo.a"),
        "lib/libprefixdemo.so.1.0.0": library,
    }
