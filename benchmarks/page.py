"""docs/benchmarks.md from the figures of a run (`benchmarks.suite`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.figures import Section, Table, markdown

OURS = "condaprune runtime"
PASTED = (
    "tips of 2019",
    "guide of 2021",
    "cheat-sheet of 2021",
    "docker-library/python",
    "serverless slim",
)

HEAD = """# Benchmarks

```sh
make bench                                # all parts; half an hour of two idle cores
python -m benchmarks.suite --part peers   # one part; --env PREFIX adds an environment of yours
```

Both write `benchmarks/results.json` and, from it, this page. Everything compared ran in turn on the
same machine in the same run, each time on a fresh copy of the same environment. Ratios are between
runs made right after one another and carry over to other machines; seconds do not.

**What the figures are not.** `small` and `big` are made of wheels, a CPython and Debian's libraries
(`lab/envs`), not of conda-forge's packages: wheels bring their own libraries, and more static
libraries than conda-forge's have, and an unstripped libpython. Savings in an environment from
conda-forge differ and are mostly smaller; [what rules save](rule-savings.md) has lists of real
ones. `python -m benchmarks.peers --env PREFIX` measures yours.
"""

TAIL = """## Measured elsewhere

- [Archives](archives.md#measured) against conda-pack and GNU tar: `python -m benchmarks.archives`.
- [What each rule saves](rule-savings.md): `python -m benchmarks.rule_savings`.
- [Wheels at work](wheel-set.md) before and after: `python -m lab.wheelset`.
- Slower code is caught by counts, not by times: `python -m benchmarks.gate` counts the lines and
  calls that planning executes per entry, and a test fails if one grows by more than a quarter.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A section with where and when it was measured."""

    section: Section
    date: str
    machine: str
    busy: str
    seconds: int


def sections(results: Mapping[str, object]) -> list[Part]:
    """The parts that a run's JSON holds. Errors: `KeyError` where it is of another shape."""
    raw = results["sections"]
    assert isinstance(raw, dict)
    return [_part(row) for row in raw.values()]


def _part(row: Mapping[str, object]) -> Part:
    tables, figures, seconds = row["tables"], row["figures"], row["seconds"]
    assert isinstance(tables, list)
    assert isinstance(figures, dict)
    assert isinstance(seconds, int)
    made = tuple(
        Table(t["caption"], tuple(t["head"]), tuple(map(tuple, t["rows"])), tuple(t["notes"]))
        for t in tables
    )
    section = Section(str(row["title"]), str(row["intro"]), made, figures)
    return Part(section, str(row["date"]), str(row["machine"]), str(row["busy"]), seconds)


def page(parts: list[Part]) -> str:
    """The page, whole."""
    lines = HEAD.splitlines()
    for part in parts:
        if any(name.endswith("/untouched/bytes") for name in part.section.figures):
            lines += ["", *_in_short(part.section.figures)]
    for part in parts:
        beside = f"; {part.busy}, which slows both sides" if part.busy else ""
        lines += [
            "",
            f"## {part.section.title}",
            "",
            *part.section.intro.splitlines(),
            "",
            f"Measured {part.date} in {part.seconds / 60:.0f} min on {part.machine}{beside}.",
            "",
        ]
        for table in part.section.tables:
            if table.rows:
                lines += markdown(table)
        lines.pop()
    return "\n".join([*lines, "", *TAIL.splitlines()]) + "\n"


def _in_short(figures: Mapping[str, float]) -> list[str]:
    """What the contest came to, a line an environment."""
    lines = ["In short:", ""]
    names = [n.partition("/")[0] for n in figures if n.endswith("/untouched/bytes")]
    for env in names:
        whole = figures[f"{env}/untouched/bytes"]

        def share(name: str, env: str = env, whole: float = whole) -> float:
            return 1 - figures[f"{env}/{name}/bytes"] / whole

        lost = "nothing that worked is lost" if _sound(figures, env, OURS) else "**things break**"
        there = [name for name in PASTED if f"{env}/{name}/bytes" in figures]
        sound = [name for name in there if _sound(figures, env, name)]
        best = max(sound, key=share, default="")
        others = f"`verify` finds losses after each of {len(there)} pasted recipes"
        if best:
            others = (
                f"of {len(there)} pasted recipes {len(sound)} break nothing, "
                f"the best of which removes {share(best):.1%} (`{best}`)"
            )
        lines.append(
            f"- `{env}`, {whole / 1e6:.0f} MB: `runtime` removes {share(OURS):.1%} and {lost}, "
            f"`minimal` {share('condaprune minimal'):.1%}; {others}."
        )
    return lines


def _sound(figures: Mapping[str, float], env: str, name: str) -> bool:
    return figures.get(f"{env}/{name}/nothing lost") == 1.0
