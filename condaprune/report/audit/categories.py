"""What kind of content a file is, told by its path alone; every entry has one category."""

from __future__ import annotations

import re

from condaprune.model import Kind

CATEGORIES: dict[str, str] = {
    "shared-libraries": "shared libraries and extension modules",
    "executables": "programs and scripts in bin (Scripts on Windows)",
    "python": "Python sources",
    "bytecode": "compiled Python (.pyc)",
    "tests": "test suites, their data and bytecode included",
    "type-stubs": "type stubs (.pyi, py.typed)",
    "headers": "C, C++ and Cython headers",
    "static-libraries": "static and import libraries, object files",
    "sources": "sources in other languages than Python (C, Cython, Fortran, Rust, ...)",
    "debug-info": "debug information in files of its own",
    "build-files": "what only builds use: CMake, pkg-config, makefiles",
    "documentation": "documentation, manual pages, examples",
    "locale": "translations and locales",
    "web": "JavaScript, style sheets, HTML",
    "source-maps": "source maps of JavaScript and style sheets",
    "jars": "Java archives and classes",
    "fonts": "fonts",
    "images": "images, sounds, films",
    "time-zones": "time zone data",
    "terminfo": "terminal descriptions",
    "certificates": "certificates",
    "python-metadata": "*.dist-info and *.egg-info",
    "conda-metadata": "conda-meta",
    "package-cache": "conda's package cache inside the prefix",
    "data": "data files",
    "folders": "the folders themselves",
    "other": "all else",
}

_FOLDERS: dict[str, str] = {
    "conda-meta": "conda-metadata",
    "pkgs": "package-cache",
    "bin": "executables",
    "sbin": "executables",
    "Scripts": "executables",
    "condabin": "executables",
    "include": "headers",
    "Library/include": "headers",
    "Library/bin": "executables",
    "share/doc": "documentation",
    "share/man": "documentation",
    "share/info": "documentation",
    "share/gtk-doc": "documentation",
    "share/help": "documentation",
    "share/examples": "documentation",
    "man": "documentation",
    "doc": "documentation",
    "docs": "documentation",
    "share/locale": "locale",
    "share/i18n": "locale",
    "share/zoneinfo": "time-zones",
    "share/terminfo": "terminfo",
    "lib/terminfo": "terminfo",
    "share/fonts": "fonts",
    "fonts": "fonts",
    "lib/cmake": "build-files",
    "lib/pkgconfig": "build-files",
    "share/cmake": "build-files",
    "share/pkgconfig": "build-files",
    "share/aclocal": "build-files",
    "Library/lib/cmake": "build-files",
    "Library/lib/pkgconfig": "build-files",
    "mkspecs": "build-files",
}
"""Folders by their path from the top."""

_SEGMENTS: dict[str, str] = {
    "tests": "tests",
    "test": "tests",
    "testing_data": "tests",
    "zoneinfo": "time-zones",
    "LC_MESSAGES": "locale",
    "locale-data": "locale",
    "examples": "documentation",
    "__pycache__": "",
}
"""Folders by their name, anywhere below lib or Lib."""

_STRONG = frozenset(
    ("tests", "conda-metadata", "package-cache", "time-zones", "terminfo", "locale")
    + ("python-metadata", "documentation", "build-files", "debug-info")
)
"""Categories of folders that hold for all that lies in them, whatever its name."""

_SUFFIXES: dict[str, str] = {
    suffix: category
    for category, suffixes in {
        "shared-libraries": "so dylib dll pyd sl",
        "executables": "exe com",
        "python": "py pyw",
        "bytecode": "pyc pyo",
        "type-stubs": "pyi typed",
        "headers": "h hh hpp hxx cuh inc inl ipp tcc tpp pxd pxi modulemap idl",
        "static-libraries": "a la lib o obj rlib bc",
        "sources": "c cc cpp cxx cu f f90 f95 for pyx rs go java scala m mm s asm swift",
        "debug-info": "debug dsym pdb dwo",
        "build-files": "cmake pc m4 am ac mk pri prl prf prs",
        "documentation": "rst md texi info chm ipynb",
        "locale": "mo po pot gmo qm",
        "web": "js mjs cjs ts tsx css scss less html htm wasm vue",
        "source-maps": "map",
        "jars": "jar war class",
        "fonts": "ttf otf woff woff2 eot afm pfb ttc pcf bdf",
        "images": "png jpg jpeg gif svg ico icns bmp tif tiff webp xpm wav mp3 ogg mp4 avi",
        "certificates": "pem crt cer",
        "data": "json csv tsv txt xml yaml yml toml ini cfg conf dat data db sqlite sqlite3 bin "
        "npy npz h5 hdf5 nc pkl pickle parquet feather arrow gz bz2 xz zst zip tar tgz grib shp "
        "dbf gsb proj wkt tab fits mat arff pb onnx pt model gir typelib rules xsd dtd "
        "xsl mplstyle",
    }.items()
    for suffix in suffixes.split()
}
_DATA = ("share/", "etc/", "Library/share/", "Library/etc/")
_NUMBERED_LIBRARY = re.compile(r"\.so\.[0-9]")


class Categories:
    """Classifies entries; remembers what it knows of folders."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {"": ""}

    def of(self, path: str, kind: Kind) -> str:
        """The category of an entry, one of `CATEGORIES`."""
        if kind == "folder":
            return "folders"
        head, _, name = path.rpartition("/")
        folder = self._folders.get(head)
        if folder is None:
            folder = self._folder(head)
        if folder in _STRONG:
            return folder
        stem, dot, suffix = name.rpartition(".")
        found = _SUFFIXES.get(suffix.lower(), "") if dot and stem else ""
        if found in ("source-maps",) and not stem.endswith((".js", ".css", ".mjs", ".ts")):
            found = ""
        if not found and ".so." in name and _NUMBERED_LIBRARY.search(name):
            found = "shared-libraries"
        if folder == "executables" and found not in ("shared-libraries", "bytecode"):
            return "executables"
        if folder == "headers":
            return "headers"
        if found:
            return found
        return folder or ("data" if path.startswith(_DATA) else "other")

    def _folder(self, path: str) -> str:
        head, _, name = path.rpartition("/")
        above = self._folders.get(head)
        if above is None:
            above = self._folder(head)
        found = above
        if above not in _STRONG:
            if name.endswith((".dist-info", ".egg-info")):
                found = "python-metadata"
            elif name.endswith(".dSYM"):
                found = "debug-info"
            else:
                found = _FOLDERS.get(path) or _SEGMENTS.get(name, "") or above
        self._folders[path] = found
        return found
