"""Rules from TOML: the files that come with condaprune, and a user's."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from condaprune.errors import RuleError
from condaprune.files import read_named, unreadable
from condaprune.parse import parse_toml
from condaprune.paths import printable
from condaprune.rule import Parameter, Rule, When
from condaprune.ruleset.format import ParameterTable, RuleFile, RuleTable
from condaprune.ruleset.patterns import VALUE, check, parameters_of, substitute
from condaprune.ruleset.validate import Invalid, Key, line_of, read, schema_of, table_lines

_LIMIT = 4 << 20
Table = TypeVar("Table")
Result = TypeVar("Result")


def read_document(
    kind: type[Table], text: str, origin: str, use: Callable[[Table], Result]
) -> Result:
    """What *use* makes of a TOML file in a format; it may raise `Invalid` as well.

    Errors: `RuleError` with file, line, rule and remedy; *origin* names the file.
    """
    try:
        data = parse_toml(text)
    except ValueError as error:
        found = re.search(r"(.*) \(at (?:line (\d+)|end of document)", str(error))
        what, line = (found[1], found[2]) if found else (str(error), "1")
        raise RuleError(
            f"not valid TOML: {printable(what)}",
            where=f"{printable(origin)}:{line or len(text.splitlines())}",
            remedy="See https://toml.io for the syntax.",
        ) from error
    try:
        return use(read(kind, data))
    except Invalid as error:
        where = f"{printable(origin)}:{line_of(text, error.key)}"
        rule = _rule_id(data, error.key)
        where += f" (rule {rule})" if rule else ""
        raise RuleError(error.what, where=where, remedy=error.remedy) from error


def load_file(path: str | os.PathLike[str]) -> tuple[Rule, ...]:
    """The rules of one file. Errors: `RuleError` with file, line, rule and remedy."""
    name = os.fspath(path)
    try:
        text = read_named(name, _LIMIT).decode("utf-8")
    except OSError as error:
        where = printable(name)
        raise RuleError(unreadable(error), where=where, remedy="Check the path.") from error
    except UnicodeDecodeError as error:
        where = printable(name)
        raise RuleError("is not UTF-8", where=where, remedy="Save it as UTF-8.") from error
    return parse_rules(text, name)


def parse_rules(text: str, origin: str) -> tuple[Rule, ...]:
    """The rules in the text of a rule file; *origin* names it in messages."""
    lines = table_lines(text, "rule")

    def rules(file: RuleFile) -> tuple[Rule, ...]:
        numbers = lines if len(lines) == len(file.rule) else [1] * len(file.rule)
        return tuple(_rule(t, ("rule", i), origin, numbers[i]) for i, t in enumerate(file.rule))

    return unique(read_document(RuleFile, text, origin, rules), {})


def unique(rules: Iterable[Rule], retired: Mapping[str, str]) -> tuple[Rule, ...]:
    """These rules, with their ids checked; *retired* has the versions that retired ids.

    Errors: `RuleError` for an id that is used twice or was retired.
    """
    by_id: dict[str, Rule] = {}
    for rule in rules:
        where = f"{rule.origin}:{rule.line} (rule {rule.id})"
        if rule.id in retired:
            what = f"the id {rule.id!r} was retired in {retired[rule.id]}"
            raise RuleError(what, where=where, remedy="Ids are never used again: choose another.")
        if rule.id in by_id:
            other = by_id[rule.id]
            what = f"the id {rule.id!r} is taken by {other.origin}:{other.line}"
            raise RuleError(what, where=where, remedy="Give each rule its own id.")
        by_id[rule.id] = rule
    return tuple(by_id.values())


def rule_schema() -> dict[str, object]:
    """The JSON Schema of rule files, as docs/rules.schema.json publishes it."""
    description = "Declarative removals for conda environments; see docs/rule-format.md."
    return schema_of(RuleFile, "condaprune rules", description)


def _rule_id(data: Mapping[str, object], key: Key) -> str:
    """The id of the rule that a key lies in, or empty."""
    rules = data.get("rule")
    if len(key) < 2 or not isinstance(key[1], int) or not isinstance(rules, list):
        return ""
    table = rules[key[1]]
    rule_id = table.get("id") if isinstance(table, dict) else None
    return rule_id if isinstance(rule_id, str) else ""


def _rule(table: RuleTable, key: Key, origin: str, line: int) -> Rule:
    try:
        when, parameters = _when(table), _parameters(table)
    except Invalid as error:
        raise Invalid((*key, *error.key), error.what, error.remedy) from error
    return Rule(
        id=table.id,
        why=table.why,
        breaks=table.breaks,
        risk=table.risk,
        category=table.category,
        references=table.references,
        remove=table.remove,
        keep=table.keep,
        removed_examples=table.examples.removed,
        kept_examples=table.examples.kept,
        package=(table.package,) if isinstance(table.package, str) else table.package,
        owned=table.owned,
        whole=table.whole,
        when=when,
        origin=origin,
        line=line,
        parameters=parameters,
    )


def _when(table: RuleTable) -> When | None:
    when = table.when
    if when is None:
        return None
    for field, text in (("version", when.version), ("python", when.python)):
        if text and not _is_range(text):
            what = f"the range {text!r} is malformed"
            raise Invalid(("when", field), what, "Write clauses such as '>=1.22,<2'.")
    if when.version and not table.package:
        what = "'when.version' needs a package"
        raise Invalid(("when", "version"), what, "Add 'package', or use 'when.python'.")
    return When(when.version, when.python, when.platform)


def _is_range(text: str) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        return False
    return True


def _parameters(table: RuleTable) -> tuple[Parameter, ...]:
    """The parameters of a rule; all its patterns are checked with them. Errors: `Invalid`."""
    parameters = tuple(_parameter(name, given) for name, given in table.parameters.items())
    values = {p.name: p.value or ("x",) for p in parameters}
    used: set[str] = set()
    for field, texts in (("remove", table.remove), ("keep", table.keep)):
        for text in texts:
            names = parameters_of(text)
            used.update(names)
            unknown = next((name for name in names if name not in values), None)
            if unknown is not None:
                what = f"the pattern {text!r} uses the unknown parameter {unknown!r}"
                raise Invalid((field,), what, "Declare it under [rule.parameters].")
            try:
                for filled in substitute(text, values):
                    check(filled, keep=field == "keep")
            except RuleError as error:
                raise Invalid((field,), error.what, error.remedy) from error
    for name in values:
        if name not in used:
            what = f"no pattern uses the parameter {name!r}"
            raise Invalid(("parameters", name), what, f"Write {{param.{name}}}, or delete it.")
    return parameters


def _parameter(name: str, table: ParameterTable) -> Parameter:
    single = isinstance(table.default, str)
    value = (table.default,) if isinstance(table.default, str) else table.default
    for part in (*value, *table.example):
        if table.allowed and part not in table.allowed:
            what = f"the value {part!r} is not allowed"
            raise Invalid(("parameters", name), what, "Add it to 'allowed'.")
        if not VALUE.fullmatch(part):
            what = f"the value {part!r} is not part of a path"
            raise Invalid(("parameters", name), what, "Use a name or a glob.")
    return Parameter(name, table.description, value, single, table.allowed, table.example)
