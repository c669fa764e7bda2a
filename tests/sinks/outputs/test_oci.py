"""Image layouts: every digest is right, layers stay the same when other packages change."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from condaprune.errors import SourceError
from tests.trees import make_prefix

from .helpers import pack

PACKAGES = {"big": ["lib/big.so"], "small": ["lib/small.so"], "app": ["lib/app.py"]}


def environment(root: Path, app: bytes) -> Path:
    return make_prefix(
        root,
        {
            "lib/big.so": b"\0big" * 5000,
            "lib/small.so": b"\0s" * 900,
            "lib/app.py": app,
            "own/x": b"1",
        },
        packages=PACKAGES,
    )


def read(layout: Path) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, bytes]]]:
    """The manifest, the configuration, and the files of each layer; all digests are checked."""

    def blob(row: dict[str, Any]) -> bytes:
        data = (layout / "blobs/sha256" / row["digest"].partition(":")[2]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["digest"].partition(":")[2]
        assert len(data) == row["size"]
        return data

    index = json.loads((layout / "index.json").read_bytes())
    manifest = json.loads(blob(index["manifests"][0]))
    config = json.loads(blob(manifest["config"]))
    layers = []
    assert len(config["rootfs"]["diff_ids"]) == len(manifest["layers"])
    for row, diff in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
        data = gzip.decompress(blob(row))
        assert diff == "sha256:" + hashlib.sha256(data).hexdigest()
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            names = tar.getnames()
            assert len(names) == len(set(names))
            for name in names:
                assert "/" not in name or name.rpartition("/")[0] in names, "folders come along"
            layers.append(
                {m.name: f.read() for m in tar for f in (tar.extractfile(m),) if f is not None}
            )
    return manifest, config, layers


@pytest.mark.parametrize("through", ["prefix", "archive"])
def test_one_layer_at_the_usual_place(tmp_path: Path, through: str) -> None:
    source = environment(tmp_path / "env", b"x")
    if through == "archive":
        pack(source, tmp_path / "e.tar")
        source = tmp_path / "e.tar"
    pack(
        source,
        tmp_path / "i.oci",
        entrypoint=["python", "-m", "app"],
        env=["A=1"],
        user="1000",
        workdir="/srv",
    )
    _, config, layers = read(tmp_path / "i.oci")
    assert layers[0]["opt/env/lib/app.py"] == b"x"
    assert config["config"]["Env"][0].startswith("PATH=/opt/env/bin:")
    assert "A=1" in config["config"]["Env"]
    assert config["config"]["Entrypoint"] == ["python", "-m", "app"]
    assert (config["config"]["User"], config["config"]["WorkingDir"]) == ("1000", "/srv")


def test_big_packages_keep_their_layer_when_the_application_changes(tmp_path: Path) -> None:
    first = environment(tmp_path / "1", b"version 1")
    second = environment(tmp_path / "2", b"version 2")
    for env, name in ((first, "1.oci"), (second, "2.oci")):
        pack(env, tmp_path / name, layers=3)
    one, two = (
        [row["digest"] for row in read(tmp_path / name)[0]["layers"]] for name in ("1.oci", "2.oci")
    )
    assert one[:2] == two[:2]
    assert one[2] != two[2]
    assert "opt/env/lib/big.so" in read(tmp_path / "1.oci")[2][0]


def test_a_base_keeps_its_layers_and_variables(tmp_path: Path) -> None:
    env = environment(tmp_path / "env", b"x")
    pack(env, tmp_path / "base.oci", dest_prefix="/opt/base", env=["B=2"])
    pack(env, tmp_path / "base.oci.tar", dest_prefix="/opt/base", env=["B=2"])
    for base in ("base.oci", "base.oci.tar"):
        pack(env, tmp_path / "i.oci", base=str(tmp_path / base), force=True)
        _, config, layers = read(tmp_path / "i.oci")
        assert "opt/base/own/x" in layers[0]
        assert "opt/env/own/x" in layers[1]
        assert "B=2" in config["config"]["Env"]


def test_a_base_that_is_none_is_refused(tmp_path: Path) -> None:
    env = environment(tmp_path / "env", b"x")
    (tmp_path / "base").mkdir()
    with pytest.raises(SourceError, match="OCI"):
        pack(env, tmp_path / "i.oci", base=str(tmp_path / "base"))
    (tmp_path / "base" / "index.json").write_text(
        '{"manifests": [{"digest": "sha256:../../../etc/passwd", "size": 1}]}'
    )
    with pytest.raises(SourceError, match="passwd"):
        pack(env, tmp_path / "i.oci", base=str(tmp_path / "base"))
    assert not (tmp_path / "i.oci").exists()
