"""Whether an environment lies in a lower layer: a real overlay, as a container sees it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from condaprune.sinks.inplace.notes import in_lower_layer

ASKED = {"one two three": True, "one two new": True, "new": False, "one new": False}
ASK = (
    "import sys; from condaprune.sinks.inplace.notes import in_lower_layer; "
    "print([in_lower_layer(sys.argv[1], names.split()) for names in sys.argv[2:]])"
)
# Process 1 of a container: its upper layer is out of sight, and `new` is of its own making.
CONTAINER = (
    "root=$1 && mount -t overlay overlay -o "
    '"lowerdir=$root/lower,upperdir=$root/upper,workdir=$root/work" "$root/merged" && '
    'mv "$root/upper" "$root/hidden" && echo new > "$root/merged/env/new" && '
    'shift && python=$1 && ask=$2 && shift 2 && exec "$python" -c "$ask" "$root/merged/env" "$@"'
)


def test_in_a_container_what_was_there_before_its_first_process_is_below(tmp_path: Path) -> None:
    for name in ("lower/env", "upper", "work", "merged"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("one", "two", "three"):
        (tmp_path / "lower/env" / name).write_text(name)
    time.sleep(2.5)  # the start of a process is known to the second only
    done = subprocess.run(
        ["unshare", "-m", "-p", "-f", "--mount-proc", "sh", "-c", CONTAINER, "sh",
         str(tmp_path), sys.executable, ASK, *ASKED],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip(f"nothing may be mounted here: {done.stderr}")
    assert done.stdout.strip() == str([*ASKED.values()]), done.stderr


def test_elsewhere_there_are_no_layers(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("one")
    assert not in_lower_layer(str(tmp_path), ["one"])
    assert not in_lower_layer(str(tmp_path), [])
