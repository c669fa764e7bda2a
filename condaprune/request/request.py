"""The request: all that a user wants of a plan, as one frozen value.

It is merged once, from defaults, configuration and command line (or the caller's own values), and
`condaprune.planning.make_plan` makes the same plan of the same request whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from condaprune.request.config import Config
    from condaprune.request.format import Bytecode, CondaMeta, ProfileTable, SuppressTable

DEFAULT_PROFILE = "runtime"
NO_VERIFICATION = "none"
"""Switches the verifications of the configuration off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user wants; a value of None leaves the choice to the configuration or the default.

    `profile` is a built-in profile or one of `profiles`. `select` and `ignore` hold rule ids and
    categories, `settings` parameters as ``RULE.NAME=a,b``, `rule_files` paths of rule files whose
    rules apply whatever their risk. `keep` and `drop` are patterns in gitignore's syntax, relative
    to the prefix. `drop_packages` go as a whole, `with_orphans` with all that only they need; of
    `only_packages` just these stay, with what they need.

    `keep_conda_meta` is ``drop``, ``slim`` or ``full``; `bytecode` ``drop``, ``keep``, ``hash``
    (kept, and loaded unchecked) or ``profile``, which leaves it to the profile; `strip` takes
    symbols and debug data off programs and libraries. `traces` are paths of trace files, used even
    where the traced command failed if `accept_failed`; `only_traced` keeps nothing else, but for
    what `closure` adds. `no_guard` names guards to switch off, or ``all``. `verify` are commands
    that must succeed afterwards, for whoever carries the plan out. `suppress` and `profiles` come
    from the configuration in the file `origin`; of `verify`, the `unaccepted` are its commands
    where nobody named or accepted it: they must not be run.
    """

    profile: str | None = None
    rule_files: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    drop_packages: tuple[str, ...] = ()
    with_orphans: bool = False
    only_packages: tuple[str, ...] = ()
    keep_conda_meta: CondaMeta | None = None
    bytecode: Bytecode | None = None
    strip: bool | None = None
    traces: tuple[str, ...] = ()
    accept_failed: bool = False
    only_traced: bool = False
    closure: str = "imports"
    no_guard: tuple[str, ...] = ()
    verify: tuple[str, ...] = ()
    profiles: Mapping[str, ProfileTable] = field(default_factory=dict)
    suppress: tuple[SuppressTable, ...] = ()
    origin: str = ""
    unaccepted: tuple[str, ...] = ()

    def configured(self, config: Config | None) -> Request:
        """This request on top of a configuration: lists of both, single values of this one first.

        Paths in the configuration are relative to its file.
        """
        if config is None:
            return self
        values = config.values
        own = () if NO_VERIFICATION in self.verify else values.verify
        return replace(
            self,
            profile=self.profile or values.profile or None,
            rule_files=(*config.beside(values.rules), *self.rule_files),
            select=(*values.select, *self.select),
            ignore=(*values.ignore, *self.ignore),
            settings=(*values.set, *self.settings),
            keep=(*values.keep, *self.keep),
            drop=(*values.drop, *self.drop),
            drop_packages=(*values.drop_packages, *self.drop_packages),
            only_packages=(*values.only_packages, *self.only_packages),
            keep_conda_meta=self.keep_conda_meta or values.keep_conda_meta,
            bytecode=self.bytecode or values.bytecode,
            strip=values.strip if self.strip is None else self.strip,
            traces=(*config.beside(values.trace), *self.traces),
            no_guard=(*values.no_guard, *self.no_guard),
            verify=(*own, *self.verify),
            profiles=values.profiles,
            suppress=values.suppress,
            origin=config.origin,
            unaccepted=(*self.unaccepted, *(own if config.unaccepted else ())),
        )

    def kept_too(self, patterns: Iterable[str]) -> Request:
        """The same request with more that stays."""
        return replace(self, keep=(*self.keep, *patterns))
