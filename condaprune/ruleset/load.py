"""Rules from TOML: the built-in ones, and a user's own files."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from condaprune.errors import RuleError
from condaprune.model import Parameter, Rule, When
from condaprune.ruleset import patterns
from condaprune.ruleset.builtin import load_retired
from condaprune.ruleset.format import ParameterTable, RuleFile, RuleTable
from condaprune.ruleset.locate import line_of, table_lines
from condaprune.ruleset.retired import Retired
from condaprune.ruleset.validate import Invalid, Key, read
from condaprune.ruleset.versions import Range

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Document:
    """A rule file as text, to say where in it something stands."""

    origin: str
    text: str

    def error(self, key: Key, what: str, remedy: str, rule: str = "") -> RuleError:
        """A `RuleError` with file, line and rule."""
        where = f"{self.origin}:{line_of(self.text, key)}"
        if rule:
            where += f" (rule {rule})"
        return RuleError(what, where=where, remedy=remedy)

    def read(self, kind: type[T]) -> T:
        """The file as a format type. Errors: `RuleError`."""
        try:
            data = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"(.*) \(at (?:line (\d+)|end of document)", str(error))
            what, line = (found[1], found[2]) if found else (str(error), "1")
            raise RuleError(
                f"not valid TOML: {what}",
                where=f"{self.origin}:{line or len(self.text.splitlines())}",
                remedy="See https://toml.io for the syntax.",
            ) from error
        try:
            return read(kind, data)
        except Invalid as error:
            rule = _rule_id(data, error.key)
            raise self.error(error.key, error.what, error.remedy, rule) from error


def load_file(path: str | os.PathLike[str]) -> tuple[Rule, ...]:
    """The rules of one file. Errors: `RuleError` with file, line, rule and remedy."""
    name = os.fspath(path)
    try:
        with open(name, encoding="utf-8") as stream:
            text = stream.read()
    except OSError as error:
        raise RuleError(
            f"cannot be read: {error.strerror}", where=name, remedy="Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise RuleError("is not UTF-8", where=name, remedy="Save it as UTF-8.") from error
    return parse_rules(text, name)


def parse_rules(text: str, origin: str) -> tuple[Rule, ...]:
    """The rules in the text of a rule file; *origin* names it in messages."""
    rules = parse_text(text, origin)
    combine(rules)
    return rules


def parse_text(text: str, origin: str) -> tuple[Rule, ...]:
    document = Document(origin, text)
    tables = document.read(RuleFile).rule
    lines = table_lines(text, "rule")
    if len(lines) != len(tables):
        lines = [1] * len(tables)
    return tuple(_rule(document, i, table, lines[i]) for i, table in enumerate(tables))


def combine(*groups: Sequence[Rule]) -> tuple[Rule, ...]:
    """Several groups of rules as one, in order. Errors: `RuleError` for an id used twice, or one
    that was retired."""
    return combine_with(groups, load_retired())


def combine_with(groups: Iterable[Sequence[Rule]], gone: Mapping[str, Retired]) -> tuple[Rule, ...]:
    seen: dict[str, Rule] = {}
    for rule in (rule for group in groups for rule in group):
        where = f"{rule.origin}:{rule.line} (rule {rule.id})"
        if rule.id in gone:
            what = f"the id {rule.id!r} was retired in {gone[rule.id].since}"
            raise RuleError(what, where=where, remedy="Ids are never used again: take another.")
        if rule.id in seen:
            other = seen[rule.id]
            what = f"the id {rule.id!r} is taken by {other.origin}:{other.line}"
            raise RuleError(what, where=where, remedy="Give each rule an id of its own.")
        seen[rule.id] = rule
    return tuple(seen.values())


def _rule_id(data: Mapping[str, object], key: Key) -> str:
    """The id of the rule a key lies in, as far as it can be told."""
    rules = data.get("rule")
    if len(key) < 2 or not isinstance(key[1], int) or not isinstance(rules, list):
        return ""
    table = rules[key[1]]
    found = table.get("id") if isinstance(table, dict) else None
    return found if isinstance(found, str) else ""


def _rule(document: Document, index: int, table: RuleTable, line: int) -> Rule:
    key: Key = ("rule", index)

    def error(at: Key, what: str, remedy: str) -> RuleError:
        return document.error((*key, *at), what, remedy, table.id)

    package = (table.package,) if isinstance(table.package, str) else table.package
    parameters = []
    for name, given in table.parameters.items():
        problem = _parameter_problem(given)
        if problem:
            raise error(("parameters", name), *problem)
        parameters.append(_parameter(name, given))
    values = {p.name: p.value or ("x",) for p in parameters}
    used: set[str] = set()
    for field, texts in (("remove", table.remove), ("keep", table.keep)):
        for text in texts:
            names = patterns.parameters_of(text)
            used.update(names)
            unknown = next((name for name in names if name not in values), None)
            if unknown is not None:
                what = f"the pattern {text!r} uses the unknown parameter {unknown!r}"
                raise error((field,), what, "Declare it under [rule.parameters].")
            try:
                for filled in patterns.substitute(text, values):
                    patterns.check(filled, keep=field == "keep")
            except RuleError as found:
                raise error((field,), found.what, found.remedy) from found
    for name in values:
        if name not in used:
            what = f"the parameter {name!r} is used by no pattern"
            raise error(("parameters", name), what, f"Write {{param.{name}}} in one, or drop it.")
    when = None
    if table.when is not None:
        when = When(table.when.version, table.when.python, table.when.platform)
        for field, text in (("version", when.version), ("python", when.python)):
            if text and Range.parse(text) is None:
                what = f"the range {text!r} is malformed"
                raise error(("when", field), what, "Write clauses such as '>=1.22,<2'.")
        if when.version and not package:
            what = "'when.version' needs a package"
            raise error(("when", "version"), what, "Add 'package', or use 'when.python'.")
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
        package=package,
        owned=table.owned,
        when=when,
        origin=document.origin,
        line=line,
        parameters=tuple(parameters),
    )


def _parameter(name: str, table: ParameterTable) -> Parameter:
    single = isinstance(table.default, str)
    value = (table.default,) if isinstance(table.default, str) else table.default
    return Parameter(name, table.description, value, single, table.allowed, table.example)


def _parameter_problem(table: ParameterTable) -> tuple[str, str] | None:
    values = (table.default,) if isinstance(table.default, str) else table.default
    for value in (*values, *table.example):
        if table.allowed and value not in table.allowed:
            return (f"the value {value!r} is not allowed", "Add it to 'allowed'.")
        if not patterns.VALUE.fullmatch(value):
            return (f"the value {value!r} is no part of a path", "Use a name or a glob.")
    return None
