"""Lists name only what is left: RECORD, conda-unpack's list, conda-meta/history."""

from pathlib import Path

from condaprune.edit import Edit
from condaprune.planning.edits import list_edits
from condaprune.sources.prefix import PrefixSource
from tests.trees import SITE, Content, distribution, make_prefix, record


def edits(root: Path, files: dict[str, Content], *removed: str) -> dict[str, Edit]:
    make_prefix(root, files)
    source = PrefixSource(str(root))
    return {
        edit.path: edit
        for edit in list_edits(source.inventory(), source, set(removed), {}, slim=False)
    }


def test_a_RECORD_loses_the_rows_of_what_goes_and_nothing_else(tmp_path: Path) -> None:
    files = distribution("demo", {"demo/a.py": b"", "demo/tests/b.py": b""})
    made = edits(tmp_path, files, f"{SITE}/demo/tests/b.py")
    rewritten = made[f"{SITE}/demo-1.0.dist-info/RECORD"].data
    assert rewritten == (
        b"demo/a.py,sha256=x,1\ndemo-1.0.dist-info/METADATA,,\ndemo-1.0.dist-info/RECORD,,\n"
    )


def test_a_RECORD_whose_files_all_stay_is_left_alone(tmp_path: Path) -> None:
    assert edits(tmp_path, distribution("demo", {"demo/a.py": b""})) == {}


def test_a_RECORD_that_goes_is_not_rewritten(tmp_path: Path) -> None:
    files = distribution("demo", {"a.py": b""})
    assert edits(tmp_path, files, f"{SITE}/a.py", f"{SITE}/demo-1.0.dist-info/RECORD") == {}


def test_conda_unpack_lists_only_what_stays(tmp_path: Path) -> None:
    script = (
        b"#!/usr/bin/env python\nimport x\n_prefix_records = [\n"
        b"('lib/a.pc', '/old', 'text'),\n('bin/tool', '/old', 'binary'),\n]\nmain()\n"
    )
    files: dict[str, Content] = {"bin/conda-unpack": script, "lib/a.pc": b"", "bin/tool": b""}
    made = edits(tmp_path, files, "lib/a.pc")["bin/conda-unpack"]
    assert b"lib/a.pc" not in made.data
    assert b"('bin/tool', '/old', 'binary')" in made.data
    assert made.data.startswith(b"#!/usr/bin/env python\nimport x\n")


def test_history_is_emptied_once_no_record_is_left(tmp_path: Path) -> None:
    meta = "conda-meta/a-1.0-0.json"
    made = edits(tmp_path, {meta: record("a", [])}, meta)
    assert made["conda-meta/history"].data == b""
    assert made["conda-meta/history"].replaces


def test_history_stays_as_it_is_while_a_record_stays(tmp_path: Path) -> None:
    files: dict[str, Content] = {
        "conda-meta/a-1.0-0.json": record("a", []),
        "conda-meta/b-1.0-0.json": record("b", []),
    }
    assert edits(tmp_path, files, "conda-meta/a-1.0-0.json") == {}


def test_a_missing_history_is_made_so_that_the_prefix_stays_one(tmp_path: Path) -> None:
    meta = "conda-meta/a-1.0-0.json"
    make_prefix(tmp_path, {meta: record("a", [])})
    (tmp_path / "conda-meta/history").unlink()
    source = PrefixSource(str(tmp_path))
    made, _ = list_edits(source.inventory(), source, {meta}, {}, slim=False)
    assert (made.path, made.data, made.replaces) == ("conda-meta/history", b"", False)


def test_a_bill_of_materials_takes_the_place_of_the_records(tmp_path: Path) -> None:
    meta = "conda-meta/a-1.0-0.json"
    made = edits(tmp_path, {meta: record("a", [])}, meta)["share/condaprune/environment.cdx.json"]
    assert b"pkg:conda/a@1.0" in made.data
    assert not made.replaces


def test_what_is_no_JSON_in_a_list_of_paths_goes_with_it(tmp_path: Path) -> None:
    """A record is read without these rows where its list of files says the same."""
    meta = "conda-meta/a-1.0-0.json"
    raw = b'{"name": "a", "version": "1.0", "build": "0", "files": ["bin/x"], "paths_data": '
    raw += b'{"paths": [{"_path": "\xff", NaN}], "paths_version": 1}}'
    make_prefix(tmp_path, {meta: raw, "bin/x": b""})
    source = PrefixSource(str(tmp_path))
    (made,) = list_edits(source.inventory(), source, set(), {}, slim=True)
    assert b'"name": "a"' in made.data


def test_slim_records_lose_what_grows_with_the_files(tmp_path: Path) -> None:
    meta = "conda-meta/a-1.0-0.json"
    raw = record("a", ["bin/x"], depends=["b"], link={"source": "/build/pkgs/a"})
    make_prefix(tmp_path, {meta: raw, "bin/x": b""})
    source = PrefixSource(str(tmp_path))
    (made,) = list_edits(source.inventory(), source, set(), {}, slim=True)
    assert b"/build" not in made.data
    assert b"bin/x" not in made.data
    assert b'"depends"' in made.data
