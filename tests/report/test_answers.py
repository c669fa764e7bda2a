"""A verification as text: groups of findings, the losses first."""

from __future__ import annotations

from dataclasses import replace

from condaprune.live.verify.results import Count, Culprit, Finding, Unchecked, Verification
from condaprune.report.forms import VERIFICATION, render
from condaprune.report.layout import Show

BROKEN = Finding(
    "imports", "module", "", "imported", "cannot be imported", "No module named 'x'",
    (Culprit("lib/x.py", "mine"), Culprit("lib/y.py")),
)  # fmt: skip


REPORT = Verification(
    before="old",
    after="new",
    checks=("imports", "commands"),
    lost=tuple(replace(BROKEN, name=f"m{number}") for number in range(6)),
    announced=(
        Finding("commands", "command", "bin/idle", "ended with 0", "removed",
                rule="idle", announcement="`idle` goes"),
    ),
    removed=(
        Finding("imports", "module", "a", "imported", "removed", rule="tests"),
        Finding("imports", "module", "b", "imported", "removed", rule="tests"),
        Finding("commands", "command", "bin/c", "ended with 0", "removed"),
    ),
    unchecked=(
        Unchecked("imports", "", "has no Python"),
        Unchecked("commands", "bin/sh", "a shell"),
    ),
    counts={"imports": Count(1200, 6, 0, 2, 1, 2.04), "commands": Count(9, 0, 1, 1, 1, 0.5)},
    seconds=3.0,
    notes=("isolation: no network",),
)  # fmt: skip

TEXT = """\
6 lost: new no longer does all that old did

lost
  imports: 6 modules m0, m1, m2, m3 and 2 more
    before: imported; after: cannot be imported
    No module named 'x'
    lib/x.py removed by mine
      --keep /lib/x.py or --ignore mine keeps it
    lib/y.py is gone
      --keep /lib/y.py keeps it

announced by a rule
  commands: command bin/idle
    before: ended with 0; after: removed
    idle says: `idle` goes
      --ignore idle keeps it

removed on purpose
  commands: 1 command by an unknown rule
  imports: 2 modules by tests

not checked
  imports: has no Python
  commands: a shell: bin/sh

  check     compared    lost  announced  removed  seconds
  imports      1,200       6          0        2      2.0
  commands         9       0          1        1      0.5
note: isolation: no network
"""


def test_the_text_of_a_verification() -> None:
    assert render("text", VERIFICATION, REPORT, Show()) == TEXT


def test_a_verification_without_a_loss_says_so() -> None:
    nothing = Verification("old", "new", ("links",), (), (), (), (), {}, 0.1)
    text = render("text", VERIFICATION, nothing, Show())
    assert text.startswith("nothing lost: new does what old did")
