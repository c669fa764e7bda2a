"""The JSON Schema of rule files, made from the types that validate them."""

from __future__ import annotations

from dataclasses import MISSING, Field, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from condaprune.ruleset.format import RuleFile
from condaprune.ruleset.validate import fields_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, object]


def rule_schema() -> Schema:
    """The schema of a rule file, as docs/rules.schema.json publishes it."""
    return {
        "$schema": DIALECT,
        "title": "condaprune rules",
        "description": "Declarative removals for conda environments; see docs/rule-format.md.",
        **_table(RuleFile),
    }


def _table(kind: Any) -> Schema:
    properties: Schema = {}
    required = []
    for name, (declared, hint) in fields_of(kind).items():
        schema = _of(hint, declared)
        schema["description"] = declared.metadata["doc"]
        if declared.default is MISSING and declared.default_factory is MISSING:
            required.append(name)
        properties[name] = schema
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _of(hint: Any, declared: Field[Any]) -> Schema:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        options = [_of(o, declared) for o in get_args(hint) if o is not NoneType]
        return options[0] if len(options) == 1 else {"anyOf": options}
    if hint is str:
        pattern = declared.metadata["pattern"]
        return {"type": "string", "pattern": f"^(?:{pattern})$"} if pattern else {"type": "string"}
    if hint is bool:
        return {"type": "boolean"}
    if origin is Literal:
        return {"enum": list(get_args(hint))}
    if origin is tuple:
        item = get_args(hint)[0]
        schema: Schema = {"type": "array", "items": _of(item, declared)}
        if declared.metadata["least"]:
            schema["minItems"] = declared.metadata["least"]
        if item is str:
            schema["uniqueItems"] = True
        return schema
    if is_dataclass(hint):
        return _table(hint)
    return {
        "type": "object",
        "propertyNames": {"pattern": f"^(?:{declared.metadata['pattern']})$"},
        "additionalProperties": _table(get_args(hint)[1]),
    }
