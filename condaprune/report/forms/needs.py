"""Runtime needs as text and JSON, and the final stage of a Dockerfile made from them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from condaprune.paths import printable
from condaprune.report.audit.baseimages import Fit, shown
from condaprune.report.audit.runtime import Needs
from condaprune.report.audit.saved import SCHEMA
from condaprune.version import __version__

_FEW = 6
_SAFE_PATH = re.compile(r"/[A-Za-z0-9._/+@-]*")


def text(needs: Needs, fits: Sequence[Fit]) -> str:
    """The needs as text, the base images last."""
    return "\n".join(_text(needs, fits)) + "\n"


def _text(needs: Needs, fits: Sequence[Fit]) -> Iterator[str]:
    yield f"{printable(needs.label)}: what it needs of the image it runs in"
    yield ""
    machines = ", ".join(needs.machines) or "none"
    yield f"  binaries       {needs.binaries:,} ({machines})"
    if needs.glibc:
        yield f"  glibc          {shown(needs.glibc)} or newer, for {printable(needs.glibc_user)}"
    yield f"  loader         {', '.join(map(printable, needs.loaders)) or 'none'}"
    yield f"  certificates   {_some(needs.certificates) or 'none: the image has to bring them'}"
    yield f"  time zones     {_some(needs.zones) or 'none: the image has to bring them'}"
    yield (
        f"  scripts        {needs.prefix_scripts} with an interpreter of the environment, "
        f"{needs.env_scripts} with /usr/bin/env"
    )
    if needs.outside:
        yield ""
        yield "  libraries from outside of the environment"
        for library in needs.outside:
            yield (
                f"    {printable(library.name)}: {library.count:,} binaries, such as "
                f"{printable(library.users[0])}"
            )
    if needs.scripts:
        yield ""
        yield "  scripts that need a program from outside"
        for script in needs.scripts[:_FEW]:
            yield f"    {printable(script.path)}: #!{printable(script.line)}"
        if len(needs.scripts) > _FEW:
            yield f"    ... and {len(needs.scripts) - _FEW:,} more"
    if needs.activation:
        yield ""
        yield "  variables that activation sets"
        for variable in needs.variables:
            how = "computed by" if variable.computed else "by"
            yield (
                f"    {variable.name}={printable(variable.value)}  ({how} "
                f"{printable(variable.source)})"
            )
        if not needs.variables:
            yield f"    none that a look at {_some(needs.activation)} tells"
    yield ""
    yield "  base images"
    for fit in fits:
        yield f"    {'fits' if fit.fits else 'no  '}  {fit.name}"
        for reason in fit.reasons:
            yield f"            {printable(reason)}"
        if fit.fits and fit.installs:
            yield f"            with {' '.join(fit.installs)} installed"
        for note in fit.notes if fit.fits else ():
            yield f"            {printable(note)}"


def _some(paths: Sequence[str]) -> str:
    shown_paths = ", ".join(map(printable, paths[:2]))
    return f"{shown_paths} and {len(paths) - 2} more" if len(paths) > 2 else shown_paths


def document(needs: Needs, fits: Sequence[Fit]) -> str:
    """The needs as JSON."""
    data: dict[str, Any] = {
        "format": "condaprune-runtime",
        "schema": SCHEMA,
        "tool": {"name": "condaprune", "version": __version__},
        **asdict(needs),
        "glibc": shown(needs.glibc) if needs.glibc else None,
        "base_images": [asdict(fit) for fit in fits],
    }
    return json.dumps(data, indent=1) + "\n"


def dockerfile(needs: Needs, fits: Sequence[Fit]) -> str:
    """The final stage: base image, variables, user, entry point in exec form.

    A value that could be no line of a Dockerfile is left out with a comment.
    """
    return "\n".join(_dockerfile(needs, fits)) + "\n"


def _dockerfile(needs: Needs, fits: Sequence[Fit]) -> Iterator[str]:
    prefix = needs.prefix if _SAFE_PATH.fullmatch(needs.prefix) else "/env"
    base = next(
        (fit for fit in fits if fit.fits and fit.name != "scratch" and not _lacks(fit)), None
    )
    base = base or next((fit for fit in fits if fit.fits and fit.name != "scratch"), None)
    yield f"# Final stage for an environment in {prefix}, which a stage named `build` pruned."
    if needs.glibc:
        yield f"# Its binaries need glibc {shown(needs.glibc)} or newer."
    if base is None:
        yield "# No base image fits: `condaprune audit --runtime` says why."
    name = base.name if base else "scratch"
    yield f"FROM {name}"
    for note in base.notes if base else ():
        yield f"# {printable(note)}"
    if base and base.installs:
        yield "RUN apt-get update \\"
        yield f"    && apt-get install -y --no-install-recommends {' '.join(base.installs)} \\"
        yield "    && rm -rf /var/lib/apt/lists/*"
    yield f"COPY --from=build {prefix} {prefix}"
    yield f"ENV PATH={prefix}/bin:$PATH \\"
    yield f"    CONDA_PREFIX={prefix} \\"
    yield "    PYTHONDONTWRITEBYTECODE=1 \\"
    yield "    LANG=C.UTF-8"
    seen: set[str] = {"PATH", "CONDA_PREFIX"}
    for variable in needs.variables:
        if variable.name in seen:
            continue
        seen.add(variable.name)
        source = printable(variable.source)
        if variable.computed or not variable.value.isprintable():
            yield f"# {variable.name} is computed by {source}: see --run-activation"
            continue
        yield f"# from {source}"
        yield f"ENV {variable.name}={_quoted(variable.value.replace('$CONDA_PREFIX', prefix))}"
    yield "# A user without rights; the environment belongs to root and cannot be changed."
    yield "USER 65532:65532"
    python = needs.python or "bin/python"
    yield "# In exec form: no shell is needed, and signals reach the program."
    yield f"ENTRYPOINT {json.dumps([f'{prefix}/{python}', '-m', 'your_module'])}"


def _lacks(fit: Fit) -> bool:
    return any(note.startswith("it lacks") for note in fit.notes)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'
