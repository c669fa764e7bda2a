"""Real conda environments for tests, built without any conda channel. See README.md."""

from __future__ import annotations

from .build import build_environment, shared_environment
from .errors import BuildError
from .integrity import Snapshot
from .interpreter import Interpreter, probe
from .model import (
    PLACEHOLDER,
    SIZES,
    BuiltEnvironment,
    PackedEnvironment,
    SyntheticPackage,
    Variant,
    run_in_prefix,
)
from .pack import (
    FORMATS,
    pack_prefix,
    packed_environment,
    run_conda_unpack,
    unpack_archive,
)
from .packages.toolchain import c_compiler, compile_c

__all__ = [
    "FORMATS",
    "PLACEHOLDER",
    "SIZES",
    "BuildError",
    "BuiltEnvironment",
    "Interpreter",
    "PackedEnvironment",
    "Snapshot",
    "SyntheticPackage",
    "Variant",
    "build_environment",
    "c_compiler",
    "compile_c",
    "pack_prefix",
    "packed_environment",
    "probe",
    "run_conda_unpack",
    "run_in_prefix",
    "shared_environment",
    "unpack_archive",
]
