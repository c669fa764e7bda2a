"""Runtime needs, and the final stage of a Dockerfile made from them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from condaprune.paths import printable
from condaprune.report.audit.baseimages import Fit, base_images, fits, shown
from condaprune.report.audit.runtime import Needs
from condaprune.report.forms.document import document
from condaprune.report.layout import Show, listed
from condaprune.report.rendering import Rendering, as_text

_FEW = 6
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SAFE_PATH = re.compile(r"/[A-Za-z0-9._/+@-]*")
_MISSING = "none: the image has to bring them"


def needs_as_text(needs: Needs, _show: Show) -> Iterator[str]:
    """The needs, the base images last."""
    yield f"{needs.label}: what it needs of the image it runs in"
    yield ""
    yield f"  binaries       {needs.binaries:,} ({', '.join(needs.machines) or 'none'})"
    if needs.glibc:
        yield f"  glibc          {shown(needs.glibc)} or newer, for {needs.glibc_user}"
    yield f"  loader         {', '.join(needs.loaders) or 'none'}"
    yield f"  certificates   {_some(needs.certificates) or _MISSING}"
    yield f"  time zones     {_some(needs.zones) or _MISSING}"
    inside = f"{needs.prefix_scripts} with an interpreter of the environment"
    yield f"  scripts        {inside}, {needs.env_scripts} with /usr/bin/env"
    if needs.outside:
        yield from ("", "  libraries from outside the environment")
        for library in needs.outside:
            binaries = f"{library.count:,} {'binary' if library.count == 1 else 'binaries'}"
            yield f"    {library.name}: {binaries}, such as {library.users[0]}"
    if needs.scripts:
        yield from ("", "  scripts that need a program from outside")
        for script in needs.scripts[:_FEW]:
            yield f"    {script.path}: #!{script.line}"
        if len(needs.scripts) > _FEW:
            yield f"    ... and {len(needs.scripts) - _FEW:,} more"
    if needs.activation or needs.variables:
        yield from ("", "  variables that activation sets")
        for variable in needs.variables:
            how = "computed by" if variable.computed else "by"
            yield f"    {variable.name}={variable.value}  ({how} {variable.source})"
        if not needs.variables:
            yield f"    none in the text of {_some(needs.activation)}"
    yield from ("", f"  base images (as of {base_images().as_of})")
    for fit in fits(needs):
        yield f"    {'fits' if fit.fits else 'no  '}  {fit.name}"
        notes = list(fit.reasons)
        if fit.fits:
            notes += [f"with {' '.join(fit.installs)} installed"] if fit.installs else []
            notes += fit.notes
        yield from (f"            {note}" for note in notes)


def _some(paths: Sequence[str]) -> str:
    return listed(paths, 2)


def needs_as_json(needs: Needs, _show: Show) -> Iterator[str]:
    """Runtime needs, and how the environment fits base images."""
    return document(
        "runtime",
        {
            **asdict(needs),
            "glibc": shown(needs.glibc) if needs.glibc else None,
            "base_images": [asdict(fit) for fit in fits(needs)],
        },
    )


def dockerfile(needs: Needs) -> Rendering:
    """The final stage: base image, variables, user, entry point in exec form.

    A value that could not stand on a line of a Dockerfile is left out with a comment.
    """
    return as_text(_dockerfile(needs))


def _dockerfile(needs: Needs) -> Iterator[str]:
    prefix = needs.prefix if _SAFE_PATH.fullmatch(needs.prefix) else "/env"
    fitting = [fit for fit in fits(needs) if fit.fits and fit.name != "scratch"]
    base = min(fitting, key=_lacks, default=None)
    yield f"# Final stage for an environment in {prefix}, which a stage named `build` pruned."
    if needs.glibc:
        yield f"# Its binaries need glibc {shown(needs.glibc)} or newer."
    if base is None:
        yield "# No base image fits: `condaprune audit --runtime` says why."
    yield f"FROM {base.name if base else 'scratch'}"
    for note in base.notes if base else ():
        yield f"# {note}"
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
        if not _NAME.fullmatch(variable.name) or printable(variable.value) != variable.value:
            yield f"# {variable.name} of {variable.source} cannot be written here"
            continue
        if variable.computed:
            yield f"# {variable.name} is computed by {variable.source}: see --run-activation"
            continue
        yield f"# from {variable.source}"
        yield f"ENV {variable.name}={_quoted(variable.value.replace('$CONDA_PREFIX', prefix))}"
    yield "# A user without rights; the environment belongs to root and cannot be changed."
    yield "USER 65532:65532"
    python = needs.python or "bin/python"
    yield "# In exec form: no shell is needed, and signals reach the program."
    yield f"ENTRYPOINT {json.dumps([f'{prefix}/{python}', '-m', 'your_module'])}"


def _lacks(fit: Fit) -> bool:
    """Whether a base image lacks libraries; the first that lacks none is preferred."""
    return any(note.startswith("it lacks") for note in fit.notes)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'
