"""The check `environment`: variables set by activation point to what they pointed to."""

from __future__ import annotations

import json

import pytest

from condaprune.live.verify.proof import compare
from condaprune.live.verify.results import Verification
from tests.live.verify.conftest import SITE, Environments, MakePair, remove, site

TREE = {
    "etc/conda/activate.d/proj.sh": b'export PROJ_DATA="$CONDA_PREFIX/share/proj"\n'
    b'export GDAL_PATHS="$CONDA_PREFIX/share/a:$CONDA_PREFIX/share/b"\nexport MODE=fast\n',
    "share/proj/proj.db": b"",
    "share/a/x": b"",
    "share/b/x": b"",
    "share/c": b"",
    "conda-meta/state": json.dumps({"env_vars": {"FROM_STATE": "1"}}).encode(),
}


def activation(pair: Environments) -> Verification:
    return compare(*pair, checks=["environment"])


@pytest.mark.parametrize(
    ("gone", "lost"),
    [
        pytest.param((), {}, id="an exact copy loses nothing"),
        pytest.param(("share/c",), {}, id="a file that no variable names may go"),
        pytest.param(("share/proj",), {"PROJ_DATA": "points to nothing"}, id="a folder named"),
        pytest.param(("share/b",), {"GDAL_PATHS": "points to nothing"}, id="one folder of a list"),
        pytest.param(
            ("etc/conda/activate.d/proj.sh",),
            {"PROJ_DATA": "not set", "GDAL_PATHS": "not set", "MODE": "not set"},
            id="the script",
        ),
        pytest.param(("conda-meta/state",), {"FROM_STATE": "not set"}, id="conda's own variables"),
    ],
)
def test_variables(make_pair: MakePair, gone: tuple[str, ...], lost: dict[str, str]) -> None:
    before, after = make_pair(TREE)
    remove(after, *gone)
    found = activation((before, after))
    assert {f.name: f.after for f in found.lost} == lost
    assert found.counts["environment"].compared == 4
    assert all([c.path for c in f.removed] == list(gone) for f in found.lost)


def test_a_script_that_fails_before_is_not_checked(make_pair: MakePair) -> None:
    found = activation(make_pair({**TREE, "etc/conda/activate.d/z.sh": b"exit 4\n"}))
    assert found.ok
    assert ["ended with 4" in u.why for u in found.unchecked] == [True]


def test_imports_see_the_variables(make_pair: MakePair) -> None:
    module = "import os\nassert os.path.isdir(os.environ['PROJ_DATA'])\n"
    before, after = make_pair({**TREE, **site({"p.py": module})})
    remove(after, "share/proj")
    assert [f.name for f in compare(before, after, checks=["imports"]).lost] == ["p"]
    assert (after / SITE / "p.py").exists()
