"""Saved audits and manifests are read back; what is newer or damaged is refused clearly."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from condaprune.app.audit import audit
from condaprune.errors import SourceError, UsageProblem
from condaprune.report.audit.make import Wanted
from condaprune.report.audit.saved import fingerprint, known_paths, to_data, to_json
from tests.trees import distribution, make_prefix

SCHEMA = Path(__file__).parents[2] / "docs" / "audit.schema.json"


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    files = distribution("spam", {"spam.py": b"x" * 100})
    files["share/\udcff.txt"] = b"12345"
    return os.fspath(make_prefix(tmp_path / "env", files))


def saved(tmp_path: Path, prefix: str, **options: Any) -> str:
    path = tmp_path / "saved.json"
    path.write_text(to_json(audit(prefix), **options), encoding="utf-8")
    return str(path)


def test_an_audit_with_files_comes_back_the_same(tmp_path: Path, prefix: str) -> None:
    made = audit(prefix, Wanted(compressed="exact", strippable=True, duplicates=True))
    path = tmp_path / "saved.json"
    path.write_text(to_json(made, files=True), encoding="utf-8")
    assert audit(str(path)) == made


def test_an_audit_with_a_plan_comes_back_the_same_at_any_depth(tmp_path: Path, prefix: str) -> None:
    from condaprune.request.request import Request

    made = audit(prefix, Wanted(depth=3), Request(drop=("spam.py",)))
    assert any(item.freed and not item.removed for item in made.items)
    path = tmp_path / "planned.json"
    path.write_text(to_json(audit(prefix, None, Request(drop=("spam.py",))), files=True))
    back = audit(str(path), Wanted(depth=3))
    assert back.items == made.items
    assert back.views == made.views


def test_a_baseline_has_rows_and_hashes_and_no_paths(tmp_path: Path, prefix: str) -> None:
    path = saved(tmp_path, prefix, baseline=True)
    back = audit(path)
    assert back.items == ()
    assert back.views == audit(prefix).views
    known = known_paths(back.fingerprints["python"])
    assert fingerprint("lib/python3.11/site-packages/spam.py") in known
    assert "spam.py" not in Path(path).read_text()


def test_text_is_json_of_the_data(prefix: str) -> None:
    made = audit(prefix)
    for files, baseline in ((True, False), (False, True), (False, False)):
        text = to_json(made, files=files, baseline=baseline)
        assert json.loads(text) == to_data(made, files=files, baseline=baseline)


def test_the_document_fits_its_published_schema(prefix: str) -> None:
    from condaprune.request.request import Request

    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    wanted = Wanted(compressed="exact", strippable=True, duplicates=True, exclusive=True)
    made = audit(prefix, wanted, Request(drop=("spam.py",)))
    for files, baseline in ((True, False), (False, True), (False, False)):
        data = to_data(made, files=files, baseline=baseline)
        jsonschema.validate(json.loads(json.dumps(data)), schema)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"schema": 99}, "schema 99, and this condaprune reads up to", id="newer"),
        pytest.param({"schema": "x"}, "damaged", id="a schema that is no number"),
        pytest.param({"total": None}, "damaged", id="no total"),
        pytest.param({"views": {"package": [{}]}}, "damaged", id="an empty row"),
        pytest.param(
            {"files": [{"path": "a", "kind": "socket", "bytes": 1, "category": "other"}]},
            "'socket' is not one of file, link, folder, other",
            id="an unknown kind of entry",
        ),
        pytest.param({"packages": []}, "damaged", id="packages that are a list"),
        pytest.param({"fingerprints": {"python": "?"}}, "damaged", id="a bad fingerprint"),
        pytest.param({"format": "other"}, "neither a saved audit nor a manifest", id="other JSON"),
    ],
)
def test_a_bad_document_has_one_clear_message(
    tmp_path: Path, prefix: str, change: dict[str, Any], message: str
) -> None:
    path = saved(tmp_path, prefix)
    data = {**json.loads(Path(path).read_text()), **change}
    Path(path).write_text(json.dumps(data))
    with pytest.raises(SourceError, match=message) as caught:
        audit(path)
    assert caught.value.where == path
    assert caught.value.remedy


def test_a_document_with_more_keys_and_in_gzip_is_read(tmp_path: Path, prefix: str) -> None:
    data = json.loads(Path(saved(tmp_path, prefix)).read_text())
    data["later"] = data["total"]["later"] = 1
    path = tmp_path / "saved.json.gz"
    path.write_bytes(gzip.compress(json.dumps(data).encode()))
    assert audit(str(path)).total == audit(prefix).total


def test_a_manifest_without_a_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text('{"removed": [], "environment": {}}')
    with pytest.raises(SourceError, match="this manifest is damaged"):
        audit(str(path))


def test_text_that_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("{")
    with pytest.raises(SourceError, match="is not valid JSON"):
        audit(str(path))


def test_what_a_document_does_not_hold_cannot_be_asked_for(tmp_path: Path, prefix: str) -> None:
    path = saved(tmp_path, prefix)
    with pytest.raises(UsageProblem, match="does not hold"):
        audit(path, Wanted(duplicates=True))


def test_a_manifest_is_audited_as_what_was_removed(tmp_path: Path, prefix: str) -> None:
    from condaprune import api
    from condaprune.planning.account import make_account
    from condaprune.report.prune import make_manifest
    from condaprune.request.request import Request

    plan = api.plan(prefix, Request(drop=("spam.py",)))
    account = make_account(plan)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(make_manifest(plan, account, None)))
    made = audit(str(path))
    assert made.source == "manifest"
    files = [e for e in plan.removed() if e.kind != "folder"]
    assert (made.total.files, made.total.bytes) == (len(files), sum(e.size for e in files))
