"""The layout that an image is built on is input: odd, damaged and hostile ones are refused."""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from condaprune.errors import SourceError
from condaprune.sinks.outputs.ocibase import OciBase
from condaprune.targets import open_folder
from tests.trees import make_prefix

from .helpers import pack

Change = Callable[[dict[str, Any]], object]
ODD: list[object] = [
    None,
    True,
    0,
    -1,
    1.5,
    10**400,
    "",
    "text",
    "\ud800\x1b[2J",
    [],
    [1],
    [None],
    {},
    {"a": []},
]


class Layout:
    """A layout with one layer; each document can be changed before its digest is taken."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.blobs = root / "blobs" / "sha256"
        self.blobs.mkdir(parents=True)
        self.layer = self.blob(b"a layer")

    def blob(self, data: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(data).hexdigest()
        (self.blobs / digest).write_bytes(data)
        return {"mediaType": "m", "digest": f"sha256:{digest}", "size": len(data)}

    def write(self, where: str = "", change: Change = lambda _: None) -> Path:
        """Write it, with a change of the document called *where*."""
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Env": ["A=1"], "Cmd": ["sh"], "User": "1", "Labels": {"a": "b"}},
            "rootfs": {"type": "layers", "diff_ids": [self.layer["digest"]]},
            "history": [{"created_by": "test"}],
        }
        self._change("config", where, change, config)
        layers = [dict(self.layer)]
        self._change("layer", where, change, layers[0])
        manifest = {"schemaVersion": 2, "config": self.document(config), "layers": layers}
        self._change("manifest", where, change, manifest)
        row = {**self.document(manifest), "platform": {"architecture": "amd64", "os": "linux"}}
        self._change("row", where, change, row)
        index = {"schemaVersion": 2, "manifests": [row]}
        self._change("index", where, change, index)
        (self.root / "index.json").write_bytes(json.dumps(index).encode())
        return self.root

    def document(self, value: object) -> dict[str, Any]:
        return self.blob(json.dumps(value).encode())

    def _change(self, name: str, where: str, change: Change, value: dict[str, Any]) -> None:
        if name == where:
            change(value)


def as_tar(folder: Path, path: Path) -> Path:
    """A tar of a layout."""
    with tarfile.open(path, "w") as tar:
        for name in sorted(p for p in folder.rglob("*") if p.is_file()):
            tar.add(name, str(name.relative_to(folder)))
    return path


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "base")


def use(path: Path, blobs: Path) -> OciBase:
    """All that a run does with a base."""
    base = OciBase(str(path), "amd64")
    blobs.mkdir()
    with open_folder(os.fsencode(blobs)) as folder:
        base.copy_layers(folder)
    return base


@pytest.mark.parametrize("kind", ["folder", "tar", "link to a folder", "link to a tar"])
def test_a_sound_base_is_read(layout: Layout, tmp_path: Path, kind: str) -> None:
    path = layout.write()
    if kind.endswith("tar"):
        path = as_tar(path, tmp_path / "base.tar")
    if kind.startswith("link"):
        (tmp_path / "link").symlink_to(path)
        path = tmp_path / "link"
    base = use(path, tmp_path / "blobs")
    assert base.env == ["A=1"]
    assert base.run == {"Cmd": ["sh"], "User": "1", "Labels": {"a": "b"}}
    assert base.diffs == [layout.layer["digest"]]
    assert os.listdir(tmp_path / "blobs") == [layout.layer["digest"].partition(":")[2]]


@pytest.mark.parametrize("layout_form", ["./ before each name", "pax headers"])
def test_a_tar_of_another_writer_is_read(layout: Layout, tmp_path: Path, layout_form: str) -> None:
    folder, path = layout.write(), tmp_path / "base.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for name in (p for p in folder.rglob("*") if p.is_file()):
            info = tar.gettarinfo(name, ("./" if "./" in layout_form else "") + str(
                name.relative_to(folder)))  # fmt: skip
            if "pax" in layout_form:
                info.mtime = 1.25
            with open(name, "rb") as file:
                tar.addfile(info, file)
    assert use(path, tmp_path / "blobs").os == "linux"


def test_blobs_may_be_links_as_build_systems_lay_them_out(layout: Layout, tmp_path: Path) -> None:
    path = layout.write()
    for blob in list(layout.blobs.iterdir()):
        elsewhere = blob.rename(tmp_path / blob.name)
        blob.symlink_to(elsewhere)
    use(path, tmp_path / "blobs")


def places() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each field of each document."""
    yield "index", ("manifests",)
    yield "index", ("manifests", "0")
    for name in ("digest", "size", "mediaType", "platform"):
        yield "row", (name,)
    yield "row", ("platform", "architecture")
    for name in ("config", "layers", "mediaType", "manifests"):
        yield "manifest", (name,)
    for name in ("digest", "size", "mediaType", "annotations"):
        yield "layer", (name,)
    for name in ("architecture", "os", "config", "rootfs", "history"):
        yield "config", (name,)
    for name in ("Env", "Cmd", "Entrypoint", "User", "WorkingDir", "Labels", "Volumes"):
        yield "config", ("config", name)
    yield "config", ("rootfs", "diff_ids")
    yield "config", ("history", "0")


@pytest.mark.parametrize(
    ("where", "path"), [pytest.param(*p, id=f"{p[0]} {'.'.join(p[1])}") for p in places()]
)
def test_any_value_in_any_field_is_taken_or_refused_by_name(
    tmp_path: Path, where: str, path: tuple[str, ...]
) -> None:
    env = make_prefix(tmp_path / "env", {}, python=False)
    for number, odd in enumerate(ODD):
        layout = Layout(tmp_path / f"base{number}")

        def change(document: dict[str, Any], odd: object = odd) -> None:
            inner: Any = document
            for step in path[:-1]:
                inner = inner[step]
            if isinstance(inner, list):
                inner[int(path[-1])] = odd
            else:
                inner[path[-1]] = odd

        layout.write(where, change)
        output = tmp_path / f"image{number}.oci"
        refused = refusal(env, output, layout.root)
        if refused is None:
            json.loads((output / "index.json").read_bytes())
            continue
        assert refused.startswith("not a usable OCI image layout"), odd
        assert refused.isprintable()
        assert len(refused) < 300
        assert not output.exists()


def refusal(env: Path, output: Path, base: Path) -> str | None:
    try:
        pack(env, output, base=str(base))
    except SourceError as error:
        return error.what
    return None


def put(value: object, *path: str) -> Change:
    """A change of one field."""

    def change(document: dict[str, Any]) -> None:
        inner: Any = document
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value

    return change


def deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("where", "change", "match"),
    [
        pytest.param("layer", put("sha256:../../../etc/passwd", "digest"), "names the blob",
                     id="a digest that leads out"),
        pytest.param("layer", put("sha256:" + "0" * 64 + "\n", "digest"), "names the blob",
                     id="a digest with a line feed"),
        pytest.param("layer", put("sha256:" + "A" * 64, "digest"), "names the blob",
                     id="a digest in capitals"),
        pytest.param("row", put("sha256:" + "0" * 64, "digest"), "cannot be read",
                     id="a blob that is missing"),
        pytest.param("layer", put(6, "size"), "has 7 bytes", id="a size that is too small"),
        pytest.param("layer", put(8, "size"), "has 7 bytes", id="a size that is too large"),
        pytest.param("layer", put(True, "size"), "of true bytes", id="a size that is true"),
        pytest.param("manifest", put([], "layers"), "do not match", id="no layers"),
        pytest.param("config", put(["x"], "rootfs", "diff_ids"), "names the blob",
                     id="a diff id that is no digest"),
        pytest.param("row", put("arm64", "platform", "architecture"), "no image for amd64",
                     id="an image for another machine"),
        pytest.param("config", put(deep(40), "config", "Labels"), "nested more than",
                     id="deep but readable"),
    ],
)  # fmt: skip
def test_what_is_refused_and_why(
    layout: Layout, tmp_path: Path, where: str, change: Change, match: str
) -> None:
    layout.write(where, change)
    with pytest.raises(SourceError, match=match):
        use(layout.root, tmp_path / "blobs")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"[" * 200_000, id="200,000 brackets"),
        pytest.param(b'{"manifests":' * 100_000, id="100,000 objects"),
        pytest.param(b'{"manifests": [{"size": NaN}]}', id="not a number"),
        pytest.param(b'{"manifests": [{"size": ' + b"9" * 9999 + b"}]}", id="9,999 digits"),
        pytest.param(b" " * (5 << 20), id="5 MiB"),
        pytest.param(b"\xff\xfe{}", id="not UTF-8"),
        pytest.param(b"", id="empty"),
        *(pytest.param(json.dumps(odd).encode(), id=f"{odd!r:.20}") for odd in ODD),
    ],
)
@pytest.mark.parametrize("place", ["index", "manifest"])
def test_a_document_that_is_none_is_refused(layout: Layout, text: bytes, place: str) -> None:
    layout.write("row", lambda row: row.update(layout.blob(text)))
    if place == "index":
        (layout.root / "index.json").write_bytes(text)
    with pytest.raises(SourceError, match="OCI"):
        OciBase(str(layout.root), "amd64")


def test_an_index_of_itself_ends(layout: Layout) -> None:
    row = layout.document({"manifests": []})
    for _ in range(5):
        row = layout.document({"manifests": [row]})
    layout.write("index", put([row], "manifests"))
    with pytest.raises(SourceError, match="no image for amd64"):
        OciBase(str(layout.root), "amd64")


def zero(path: Path) -> None:
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))


def linked(make: Callable[[Path], object]) -> Callable[[Path], object]:
    """A link to what *make* makes."""

    def change(path: Path) -> None:
        make(path.with_name("other"))
        path.symlink_to("other")

    return change


SHAPES: Mapping[str, Callable[[Path], object]] = {
    "a FIFO": os.mkfifo,
    "a folder": os.mkdir,
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to a FIFO": linked(os.mkfifo),
    "a device": zero,
    "a link to a device": linked(zero),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("place", ["the layout", "index", "manifest", "layer"])
def test_what_is_no_file_is_refused_at_once(
    layout: Layout, tmp_path: Path, shape: str, place: str
) -> None:
    if "device" in shape and os.geteuid() != 0:
        pytest.skip("only root makes devices")
    path = layout.write()
    if place == "the layout":
        victim = path = tmp_path / "odd"
    elif place == "index":
        victim = path / "index.json"
        victim.unlink()
    else:
        row = json.loads((path / "index.json").read_bytes())["manifests"][0]
        row = layout.layer if place == "layer" else row
        victim = layout.blobs / row["digest"].partition(":")[2]
        victim.unlink()
    SHAPES[shape](victim)
    with pytest.raises(SourceError, match="OCI"):
        use(path, tmp_path / "copies")


def test_a_large_sparse_layer_is_not_copied_beyond_its_size(layout: Layout, tmp_path: Path) -> None:
    path = layout.write()
    os.truncate(layout.blobs / layout.layer["digest"].partition(":")[2], 1 << 40)
    with pytest.raises(SourceError, match="bytes"):
        use(path, tmp_path / "blobs")
    assert sum(p.stat().st_size for p in (tmp_path / "blobs").iterdir()) == 0


class TestTar:
    def refused(self, path: Path, match: str = "OCI") -> None:
        with pytest.raises(SourceError, match=match):
            OciBase(str(path), "amd64")

    def written(self, path: Path, *members: tarfile.TarInfo) -> Path:
        with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
            for member in members:
                tar.addfile(member, io.BytesIO(bytes(member.size)))
        return path

    @pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE,
                                      tarfile.DIRTYPE, tarfile.CHRTYPE])  # fmt: skip
    def test_a_member_that_is_no_file_is_none(self, tmp_path: Path, kind: bytes) -> None:
        member = tarfile.TarInfo("index.json")
        member.type, member.linkname = kind, "index.json"
        self.refused(self.written(tmp_path / "base.tar", member), "has no index.json")

    def test_an_empty_one_and_one_of_zeros(self, tmp_path: Path) -> None:
        (tmp_path / "empty").touch()
        self.refused(tmp_path / "empty", "has no index.json")
        (tmp_path / "zeros").write_bytes(bytes(5000))
        self.refused(tmp_path / "zeros", "has no index.json")

    def test_a_sparse_one_of_a_terabyte(self, tmp_path: Path) -> None:
        (tmp_path / "sparse").touch()
        os.truncate(tmp_path / "sparse", 1 << 40)
        self.refused(tmp_path / "sparse", "has no index.json")

    @pytest.mark.parametrize("cut", [1, 511, 513, 1023, 1500])
    def test_one_that_is_cut_off(self, layout: Layout, tmp_path: Path, cut: int) -> None:
        data = as_tar(layout.write(), tmp_path / "whole").read_bytes()
        (tmp_path / "cut").write_bytes(data[:cut])
        self.refused(tmp_path / "cut")

    @pytest.mark.parametrize("size", [b"\xff" * 12, b"\x80" + b"\xff" * 11, b"77777777777\0"])
    @pytest.mark.parametrize("kind", [b"0", b"x", b"L", b"g"])
    def test_a_member_of_a_size_that_cannot_be(
        self, tmp_path: Path, size: bytes, kind: bytes
    ) -> None:
        block = bytearray(tarfile.TarInfo("index.json").tobuf()[:512])
        block[124:136], block[156:157], block[148:156] = size, kind, b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
        (tmp_path / "base.tar").write_bytes(bytes(block) + bytes(2048))
        self.refused(tmp_path / "base.tar", "neither a folder nor a tar")

    def test_random_bytes(self, tmp_path: Path) -> None:
        for number in range(50):
            (tmp_path / "base.tar").write_bytes(hashlib.sha512(b"%d" % number).digest() * 20)
            self.refused(tmp_path / "base.tar", "neither a folder nor a tar")

    def test_more_members_than_a_layout_has(self, tmp_path: Path) -> None:
        block = tarfile.TarInfo("x").tobuf()[:512]
        (tmp_path / "base.tar").write_bytes(block * 100_001)
        self.refused(tmp_path / "base.tar", "more than 100,000 members")
