"""Reads the manifest of a prune as an audit of what was removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from condaprune.errors import SourceError
from condaprune.model import Kind
from condaprune.report.audit.categories import Categories
from condaprune.report.audit.model import Audit, Item, total_of
from condaprune.report.audit.views import make_views
from condaprune.report.prune import SCHEMA

_KINDS: tuple[Kind, ...] = ("file", "link", "folder", "other")


def is_manifest(data: Mapping[str, Any]) -> bool:
    """Whether a JSON document is the manifest of a prune."""
    return isinstance(data.get("removed"), list) and isinstance(data.get("environment"), dict)


def audit_of_manifest(name: str, data: Mapping[str, Any]) -> Audit:
    """What a manifest says was removed, as an audit. Errors: `SourceError`."""
    schema = data.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise SourceError(
            f"this manifest has schema {schema}, and this condaprune reads up to {SCHEMA}",
            where=name,
            remedy="Upgrade condaprune",
        )
    try:
        return _audit(data)
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(
            f"this manifest is damaged ({type(error).__name__}: {error})",
            where=name,
            remedy="Write it again with `condaprune prune ENV --manifest FILE`",
        ) from error


def _audit(data: Mapping[str, Any]) -> Audit:
    categories = Categories()
    items = []
    for row in data["removed"]:
        path, kind = str(row["path"]), row["kind"]
        if kind not in _KINDS:
            raise ValueError(f"kind {kind!r}")
        category = categories.of(path, kind)
        size, rule = int(row["bytes"]), str(row["rule"])
        items.append(
            Item(path, kind, size, 0, "", "", category, rule=rule, removed=True, freed=size)
        )
    environment = data["environment"]
    labels = (str(text).partition("==") for text in environment["packages"])
    packages = {label: version for label, _, version in labels}
    return Audit(
        label=str(environment["label"]),
        source="manifest",
        platform=str(environment["platform"]),
        python=str(environment["python"]),
        packages=packages,
        total=total_of("total", items),
        views=make_views(items, packages, rules=True),
        measured=frozenset(("bytes",)),
        items=tuple(items),
        folders=total_of("(folders)", (i for i in items if i.kind == "folder")),
        profile=str(data.get("profile", "")) or "runtime",
    )
