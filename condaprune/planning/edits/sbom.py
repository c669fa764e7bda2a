"""The bill of materials that takes the place of conda's records: CycloneDX 1.6 JSON.

Written by hand rather than by cyclonedx-python-lib, whose import alone costs 110 ms of CPU, as
much as the whole plan of an environment; the library validates the result in the tests.
Specification: https://cyclonedx.org/docs/1.6/json/; purl types conda and pypi:
https://github.com/package-url/purl-spec.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from condaprune.model import Distribution, Inventory, Owner, Record
from condaprune.names import required_name, spec_name
from condaprune.version import __version__

SBOM = "share/condaprune/environment.cdx.json"
"""Where it lies. Not in conda-meta: conda takes every ``*.json`` there for a record."""

_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")
# The identifiers that cover nearly all of conda-forge and PyPI; anything else is given by name,
# since an expression must consist of SPDX identifiers.
_SPDX = frozenset(
    """0BSD AFL-2.1 AGPL-3.0-only AGPL-3.0-or-later Apache-2.0 Artistic-2.0 BSD-1-Clause
    BSD-2-Clause BSD-2-Clause-Views BSD-3-Clause BSD-3-Clause-Clear BSD-4-Clause BSL-1.0
    BlueOak-1.0.0 CC-BY-4.0 CC-BY-SA-4.0 CC0-1.0 CDDL-1.0 CNRI-Python EPL-1.0 EPL-2.0 FTL
    GFDL-1.3-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later HPND ICU IJG
    ISC JasPer-2.0 LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only
    LGPL-3.0-or-later Libpng LicenseRef-Public-Domain MIT MIT-0 MIT-CMU MPL-1.1 MPL-2.0 MS-PL
    NCSA NTP OFL-1.1 OLDAP-2.8 OpenSSL PSF-2.0 PostgreSQL Python-2.0 TCL UPL-1.0 Unicode-3.0
    Unicode-DFS-2016 Unlicense Vim W3C WTFPL X11 ZPL-2.1 Zlib blessing bzip2-1.0.6 curl
    libpng-2.0 libtiff Autoconf-exception-3.0 Bison-exception-2.2 Classpath-exception-2.0
    GCC-exception-3.1 LLVM-exception Linux-syscall-note OpenSSL-exception""".split()
)


def make_sbom(inventory: Inventory) -> bytes:
    """The bill of materials of an environment, the same bytes for the same packages.

    A component a record and a distribution, with licences, hashes and dependencies; no
    timestamp and no random serial number, so that images stay reproducible.
    """
    owners = {purl(owner): owner for owner in inventory.packages}
    components = [_component(owners[reference]) for reference in sorted(owners)]
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {
                "components": [
                    {"type": "application", "name": "condaprune", "version": __version__}
                ]
            },
            "properties": [
                {"name": "condaprune:platform", "value": inventory.layout.platform},
                {"name": "condaprune:python", "value": inventory.layout.python},
            ],
        },
        "components": components,
        "dependencies": list(_dependencies(inventory, owners)),
    }
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def purl(owner: Owner) -> str:
    """The package URL: ``pkg:conda/zlib@1.3?build=...`` or ``pkg:pypi/click@8.1``."""
    version = _quoted(owner.version)
    if isinstance(owner, Distribution):
        return f"pkg:pypi/{_quoted(owner.name)}@{version}"
    qualifiers = {
        "build": owner.build,
        "channel": _channel(owner),
        "subdir": owner.subdir,
        "type": "conda" if owner.url.endswith(".conda") else "tar.bz2" if owner.url else "",
    }
    given = "&".join(f"{key}={_quoted(value)}" for key, value in qualifiers.items() if value)
    return f"pkg:conda/{_quoted(owner.name)}@{version}" + (f"?{given}" if given else "")


def _quoted(text: str) -> str:
    """A part of a package URL; hardly any has something to escape, nor needs the import."""
    if _PLAIN.fullmatch(text):
        return text
    from urllib.parse import quote

    return quote(text, safe="", errors="replace")  # a record may hold half a surrogate pair


def _channel(record: Record) -> str:
    """The channel's name alone: a URL may hold a token, or a path of the build machine."""
    return record.channel.rstrip("/").rpartition("/")[2].partition("?")[0]


def _component(owner: Owner) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl(owner),
        "name": owner.name,
        "version": owner.version,
        "purl": purl(owner),
    }
    if owner.license:
        component["licenses"] = [_license(owner.license)]
    if isinstance(owner, Record):
        hashes = (("MD5", owner.md5, 32), ("SHA-256", owner.sha256, 64))
        valid = [
            {"alg": name, "content": value.lower()}
            for name, value, length in hashes
            if re.fullmatch(rf"[0-9a-fA-F]{{{length}}}", value)
        ]
        if valid:
            component["hashes"] = valid
    return component


def _license(text: str) -> dict[str, Any]:
    words = [w for w in re.split(r"[\s()]+", text) if w and w not in ("AND", "OR", "WITH")]
    if words and all(word.rstrip("+") in _SPDX for word in words):
        return {"expression": text}
    return {"license": {"name": " ".join(text.split())[:200]}}


def _dependencies(inventory: Inventory, owners: Mapping[str, Owner]) -> Iterable[dict[str, Any]]:
    """Which package needs which, by the names in records and metadata, extras left out."""
    records = {record.name: purl(record) for record in inventory.records}
    distributions = {d.name: purl(d) for d in inventory.distributions}
    for reference, owner in sorted(owners.items(), key=lambda item: item[0]):
        if isinstance(owner, Record):
            names, references = map(spec_name, owner.depends), records
        else:
            names, references = map(required_name, owner.requires), distributions
        needed = {references[name] for name in names if name in references}
        yield {"ref": reference, "dependsOn": sorted(needed - {reference})}
