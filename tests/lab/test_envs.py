"""The built environments are what conda would have made, and the variants what they claim."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.envs import (
    FORMATS,
    PLACEHOLDER,
    BuildError,
    BuiltEnvironment,
    Snapshot,
    SyntheticPackage,
    build_environment,
    c_compiler,
    compile_c,
    pack_prefix,
    probe,
    run_conda_unpack,
    run_in_prefix,
    shared_environment,
)
from lab.envs.fixtures import MakeEnvironment, Packer, Unpack

needs_compiler = pytest.mark.skipif(c_compiler() is None, reason="needs a C compiler")


def regular_files(prefix: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(prefix):
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                yield path


def recorded(environment: BuiltEnvironment) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, record in environment.records().items():
        for entry in record["paths_data"]["paths"]:
            yield name, entry


# --- records ---------------------------------------------------------------------------------


def test_every_recorded_file_is_there_with_the_hash_it_is_recorded_with(
    tiny_env: BuiltEnvironment,
) -> None:
    checked = 0
    for name, entry in recorded(tiny_env):
        path = tiny_env.prefix / entry["_path"]
        assert os.path.lexists(path), f"{name} records {entry['_path']}"
        if entry["path_type"] == "hardlink":
            expected = entry.get("sha256_in_prefix") or entry["sha256"]
            assert expected == hashlib.sha256(path.read_bytes()).hexdigest(), entry["_path"]
            checked += 1
    assert checked > 3000


def test_nearly_every_file_has_an_owner(tiny_env: BuiltEnvironment) -> None:
    owned = {file for record in tiny_env.records().values() for file in record["files"]}
    unowned = {
        str(path.relative_to(tiny_env.prefix))
        for path in regular_files(tiny_env.prefix)
        if path.parent.name != "conda-meta"
    } - owned
    # py-rattler's mark for backup programs
    assert unowned == {"CACHEDIR.TAG"}


def test_no_package_overwrites_another(tiny_env: BuiltEnvironment) -> None:
    assert not (tiny_env.prefix / "__clobbers__").exists()


def test_records_tell_where_packages_came_from(tiny_env: BuiltEnvironment) -> None:
    records = tiny_env.records()
    assert {"python", "click", "prefixdemo", "tzdata", "python_abi"} <= records.keys()
    click = records["click"]
    assert click["noarch"] == "python"
    assert click["url"].startswith(tiny_env.channel.as_uri())
    assert click["fn"].endswith(".conda")
    assert records["prefixdemo"]["fn"].endswith(".tar.bz2")
    source = Path(click["link"]["source"])
    assert source.is_absolute()
    assert source.parent == tiny_env.package_cache
    assert click["requested_specs"] == ["click"]
    assert not records["tzdata"].get("requested_specs")


def test_history_is_there_for_conda_to_find(tiny_env: BuiltEnvironment) -> None:
    assert (tiny_env.prefix / "conda-meta" / "history").is_file()


def test_a_package_may_have_no_files(tiny_env: BuiltEnvironment) -> None:
    assert tiny_env.records()["python_abi"]["files"] == []


# --- placeholders, links ---------------------------------------------------------------------


def test_text_placeholders_became_the_prefix(tiny_env: BuiltEnvironment) -> None:
    texts = [entry for _, entry in recorded(tiny_env) if entry.get("file_mode") == "text"]
    assert len(texts) > 10
    for entry in texts:
        assert entry["prefix_placeholder"] == PLACEHOLDER
        assert entry["sha256"] != entry["sha256_in_prefix"]
        content = (tiny_env.prefix / entry["_path"]).read_bytes()
        assert PLACEHOLDER.encode() not in content
        assert str(tiny_env.prefix).encode() in content


@needs_compiler
def test_binary_placeholders_became_the_prefix(tiny_env: BuiltEnvironment) -> None:
    found = {e["_path"] for _, e in recorded(tiny_env) if e.get("file_mode") == "binary"}
    assert {
        "bin/prefixdemo",
        "lib/libprefixdemo.a",
        "lib/libprefixdemo.so.1.0.0",
        "share/prefixdemo/compiled.dat",
    } == found
    assert tiny_env.run("prefixdemo").stdout == f"{tiny_env.prefix}/share/prefixdemo\n"


def test_files_are_hard_links_into_the_package_cache(tiny_env: BuiltEnvironment) -> None:
    linked = [path for path in regular_files(tiny_env.prefix) if path.stat().st_nlink > 1]
    assert len(linked) > 3000
    record = tiny_env.records()["click"]
    assert record["link"]["type"] == 1
    in_cache = Path(record["link"]["source"]) / "site-packages" / "click" / "core.py"
    assert in_cache.samefile(tiny_env.site_packages / "click" / "core.py")


def test_links_of_every_kind_are_there(tiny_env: BuiltEnvironment) -> None:
    short = tiny_env.interpreter.short
    assert os.readlink(tiny_env.prefix / "bin/python") == f"python{short}"
    assert (tiny_env.prefix / "lib/python3.1").samefile(tiny_env.stdlib)
    dangling = tiny_env.prefix / "compiler_compat/ld"
    assert dangling.is_symlink()
    assert not dangling.exists()


# --- python ----------------------------------------------------------------------------------


def test_python_runs_with_its_own_libraries(tiny_env: BuiltEnvironment) -> None:
    code = "import click, ssl, sqlite3, ctypes, lzma, sys; print(sys.prefix, click.__file__)"
    prefix, module = tiny_env.run("python", "-c", code).stdout.split()
    assert prefix == str(tiny_env.prefix)
    assert Path(module) == tiny_env.site_packages / "click" / "__init__.py"


def test_noarch_bytecode_is_recorded_and_up_to_date(tiny_env: BuiltEnvironment) -> None:
    click = tiny_env.records()["click"]
    compiled = [e for e in click["paths_data"]["paths"] if e["path_type"] == "pyc_file"]
    assert len(compiled) > 10
    for entry in compiled:
        assert entry.keys() == {"_path", "path_type"}
        assert entry["_path"] in click["files"]
    script = (
        "import importlib._bootstrap_external as b, importlib.util, marshal, os, click\n"
        "pyc = importlib.util.cache_from_source(click.__file__)\n"
        "data, state = open(pyc, 'rb').read(), os.stat(click.__file__)\n"
        "b._classify_pyc(data, 'click', {})\n"
        "b._validate_timestamp_pyc(data, int(state.st_mtime), state.st_size, 'click', {})\n"
        "print(marshal.loads(data[16:]).co_filename == click.__file__)\n"
    )
    assert tiny_env.run("python", "-c", script).stdout == "True\n"


def test_entry_point_scripts_run(tiny_env: BuiltEnvironment) -> None:
    script = tiny_env.prefix / "bin" / "wheel"
    wheel = tiny_env.records()["wheel"]
    kinds = {e["_path"]: e["path_type"] for e in wheel["paths_data"]["paths"]}
    assert kinds["bin/wheel"] == "unix_python_entry_point"
    assert script.read_text().startswith("#!")
    assert tiny_env.run("wheel", "version").stdout.startswith("wheel ")


def test_pip_sees_all_distributions(tiny_env: BuiltEnvironment) -> None:
    listed = json.loads(tiny_env.run("python", "-m", "pip", "list", "--format=json").stdout)
    assert {"click", "pip", "setuptools", "wheel"} <= {item["name"] for item in listed}
    setuptools = next(item for item in listed if item["name"] == "setuptools")
    assert int(setuptools["version"].split(".")[0]) < 81


def test_distribution_records_hold(tiny_env: BuiltEnvironment) -> None:
    code = (
        "import importlib.metadata as m\n"
        "files = m.files('click')\n"
        "gone = [str(f) for f in files if not f.locate().exists()]\n"
        "print(len(files), gone)\n"
    )
    count, gone = tiny_env.run("python", "-c", code).stdout.split(maxsplit=1)
    assert int(count) > 20
    assert gone == "[]\n"


# --- sharing ---------------------------------------------------------------------------------


def test_asking_twice_builds_once(tiny_env: BuiltEnvironment) -> None:
    inode = tiny_env.python.stat().st_ino
    again = shared_environment("tiny")
    assert again == tiny_env
    assert again.python.stat().st_ino == inode


def test_a_fresh_environment_is_quick_and_a_new_install(
    tiny_env: BuiltEnvironment, make_environment: MakeEnvironment
) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    fresh = make_environment()
    spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    assert spent < 5, "processor time: half a second, as nothing is unpacked or compiled"
    assert fresh.prefix != tiny_env.prefix
    assert fresh.run("prefixdemo" if c_compiler() else "python", "--version").returncode == 0
    core = Path("click", "core.py")
    assert (fresh.site_packages / core).samefile(tiny_env.site_packages / core)
    config = Path("etc", "prefixdemo.conf")
    assert str(fresh.prefix) in (fresh.prefix / config).read_text()


def test_destroying_a_fresh_environment_leaves_the_shared_one(
    tiny_env: BuiltEnvironment, fresh_tiny: BuiltEnvironment
) -> None:
    before = Snapshot.take(tiny_env.prefix)
    shutil.rmtree(fresh_tiny.prefix)
    assert before.changes(Snapshot.take(tiny_env.prefix)) == []


def test_a_snapshot_notices_every_kind_of_change(tmp_path: Path) -> None:
    for name in ("same", "gone", "grown", "swapped"):
        (tmp_path / name).write_text("text")
    (tmp_path / "link").symlink_to("same")
    before = Snapshot.take(tmp_path)
    (tmp_path / "gone").unlink()
    (tmp_path / "grown").write_text("longer text")
    (tmp_path / "swapped").unlink()
    (tmp_path / "swapped").symlink_to("same")
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("grown")
    (tmp_path / "added").write_text("")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.pyc").write_bytes(b"")
    before.save(tmp_path.with_suffix(".json"))
    changes = Snapshot.load(tmp_path.with_suffix(".json")).changes(Snapshot.take(tmp_path))
    assert changes == [
        "changed: grown",
        "changed: link",
        "changed: swapped",
        "gone: gone",
        "new: added",
    ]


# --- additions -------------------------------------------------------------------------------


def test_a_synthetic_noarch_package_is_installed_like_any_other(
    make_environment: MakeEnvironment,
) -> None:
    package = SyntheticPackage(
        "demo",
        "2.1",
        files={
            "{site}/demo/__init__.py": "def main():\n    print('demo runs')\n",
            "{site}/demo/where.txt": f"{PLACEHOLDER}/share\n",
        },
        noarch="python",
        entry_points=["demo = demo:main"],
        depends=["python", "click"],
        dist_info=True,
    )
    environment = make_environment(packages=[package])
    record = environment.records()["demo"]
    kinds = {entry["_path"]: entry["path_type"] for entry in record["paths_data"]["paths"]}
    site = environment.site_packages.relative_to(environment.prefix)
    assert kinds["bin/demo"] == "unix_python_entry_point"
    assert kinds[f"{site}/demo/__init__.py"] == "hardlink"
    assert "pyc_file" in kinds.values()
    assert environment.run("demo").stdout == "demo runs\n"
    where = environment.site_packages / "demo" / "where.txt"
    assert where.read_text() == f"{environment.prefix}/share\n"
    code = "import importlib.metadata as m; print(m.version('demo'), len(m.files('demo')))"
    assert environment.run("python", "-c", code).stdout.startswith("2.1 ")
    assert environment.prefix.parent in Path(record["link"]["source"]).parents


@needs_compiler
def test_a_synthetic_native_package_brings_libraries_and_bytecode(
    make_environment: MakeEnvironment,
) -> None:
    inner = compile_c("int inner(void) { return 7; }", "libinner.so.1")
    outer = compile_c(
        "int inner(void); int outer(void) { return inner(); }",
        "libouter.so",
        libraries={"libinner.so.1": inner},
        flags=["-Wl,-rpath,$ORIGIN"],
    )
    package = SyntheticPackage(
        "native",
        files={
            "lib/libinner.so.1": inner,
            "lib/libouter.so": outer,
            "{site}/native.py": "import ctypes, sys\n"
            "value = ctypes.CDLL(sys.prefix + '/lib/libouter.so').outer()\n"
            "def main():\n    print(value)\n",
        },
        links={"lib/libinner.so": "libinner.so.1"},
        entry_points=["native = native:main"],
        bytecode=True,
    )
    environment = make_environment(packages=[package])
    assert environment.run("native").stdout == "7\n"
    tag = environment.interpreter.cache_tag
    assert (environment.site_packages / "__pycache__" / f"native.{tag}.pyc").is_file()
    assert (environment.prefix / "lib/libinner.so").is_symlink()


def test_a_bare_environment_has_no_python(make_environment: MakeEnvironment) -> None:
    package = SyntheticPackage("notes", files={"share/notes.txt": "notes\n"}, noarch="generic")
    environment = make_environment("bare", packages=[package])
    assert environment.records().keys() == {"notes", "prefixdemo"}
    assert not environment.python.exists()


def test_requirements_become_conda_packages(make_environment: MakeEnvironment) -> None:
    environment = make_environment(requirements=["six"])
    assert environment.records()["six"]["noarch"] == "python"
    assert environment.run("python", "-c", "import six").returncode == 0


def test_pip_requirements_belong_to_no_record(make_environment: MakeEnvironment) -> None:
    environment = make_environment(pip=["six"])
    assert "six" not in environment.records()
    installer = next(environment.site_packages.glob("six-*.dist-info/INSTALLER"))
    assert installer.read_text().strip() == "pip"


# --- variants --------------------------------------------------------------------------------


def test_no_bytecode_leaves_noarch_packages_uncompiled(make_environment: MakeEnvironment) -> None:
    environment = make_environment(variant="no-bytecode")
    assert not (environment.site_packages / "click" / "__pycache__").exists()
    assert (environment.stdlib / "__pycache__").is_dir()


def test_no_cache_leaves_files_without_a_second_name(make_environment: MakeEnvironment) -> None:
    environment = make_environment(variant="no-cache")
    assert not environment.package_cache.exists()
    assert {path.stat().st_nlink for path in regular_files(environment.prefix)} == {1}
    source = Path(environment.records()["click"]["link"]["source"])
    assert source.parent == environment.package_cache


def test_copied_shares_nothing_with_the_cache(make_environment: MakeEnvironment) -> None:
    environment = make_environment(variant="copied")
    assert {path.stat().st_nlink for path in regular_files(environment.prefix)} == {1}
    record = environment.records()["click"]
    assert record["link"]["type"] == 3
    assert Path(record["link"]["source"]).is_dir()


@pytest.mark.slow
def test_tar_bz2_uses_the_legacy_format_throughout(make_environment: MakeEnvironment) -> None:
    environment = make_environment(variant="tar-bz2")
    names = {record["fn"] for record in environment.records().values()}
    assert {name for name in names if not name.endswith(".tar.bz2")} == set()


def test_conda_records_name_noarch_files_as_the_package_does(
    make_environment: MakeEnvironment,
) -> None:
    click = make_environment(variant="conda-records").records()["click"]
    sources = [e["_path"] for e in click["paths_data"]["paths"] if e["path_type"] == "hardlink"]
    assert sources
    assert all(path.startswith("site-packages/") for path in sources)
    assert not any(path.startswith("site-packages/") for path in click["files"])


def test_bare_records_have_only_the_list_of_files(make_environment: MakeEnvironment) -> None:
    click = make_environment(variant="bare-records").records()["click"]
    assert click["paths_data"]["paths"] == []
    assert click["files"]


def test_pip_on_top_adds_and_overwrites(make_environment: MakeEnvironment) -> None:
    environment = make_environment(variant="pip")
    assert environment.run("pipdemo").stdout == "pipdemo runs\n"
    assert "pipdemo" not in environment.records()
    core = environment.site_packages / "click" / "core.py"
    assert core.stat().st_nlink == 1
    installer = next(environment.site_packages.glob("click-*.dist-info/INSTALLER"))
    assert installer.read_text().strip() == "pip"
    assert f"{core.relative_to(environment.prefix)}" in environment.records()["click"]["files"]


def test_editable_refers_to_a_project_outside(make_environment: MakeEnvironment) -> None:
    environment = make_environment(variant="editable")
    code = "import editdemo; print(editdemo.__file__)"
    module = Path(environment.run("python", "-c", code).stdout.strip())
    assert not module.is_relative_to(environment.prefix)
    origin = next(environment.site_packages.glob("editdemo-*.dist-info/direct_url.json"))
    assert json.loads(origin.read_text())["dir_info"] == {"editable": True}


def test_variants_combine(make_environment: MakeEnvironment) -> None:
    environment = make_environment(variant=["no-bytecode", "copied"])
    assert not (environment.site_packages / "click" / "__pycache__").exists()
    assert environment.records()["click"]["link"]["type"] == 3


# --- conda-pack ------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_packed_archives_unpack_and_relocate(
    form: str, packed_tiny: Packer, unpack: Unpack
) -> None:
    packed = packed_tiny(form)
    assert packed.archive.name.endswith(form)
    raw = unpack(packed)
    config = Path("etc", "prefixdemo.conf")
    assert PLACEHOLDER in (raw / config).read_text()
    assert (raw / "compiler_compat/ld").is_symlink()
    run_conda_unpack(raw)
    assert str(raw) in (raw / config).read_text()
    assert run_in_prefix(raw, "python", "-c", "import click, ssl").returncode == 0
    if c_compiler():
        assert run_in_prefix(raw, "prefixdemo").stdout == f"{raw}/share/prefixdemo\n"


def test_archives_are_packed_once(packed_tiny: Packer) -> None:
    first = packed_tiny("tar.gz").archive.stat()
    assert packed_tiny("tar.gz").archive.stat().st_ino == first.st_ino


def test_archives_hold_what_conda_pack_adds(packed_tiny: Packer) -> None:
    with tarfile.open(packed_tiny("tar.gz").archive) as tar:
        names = set(tar.getnames())
    with zipfile.ZipFile(packed_tiny("zip").archive) as members:
        assert names == set(members.namelist())
    assert {"bin/conda-unpack", "bin/activate", "conda-meta/history"} <= names


def test_conda_pack_refuses_an_editable_install(
    make_environment: MakeEnvironment, tmp_path: Path
) -> None:
    environment = make_environment(variant="editable")
    with pytest.raises(BuildError, match=r"[Ee]ditable"):
        pack_prefix(environment.prefix, tmp_path / "env.tar")
    assert list(tmp_path.iterdir()) == []


# --- refusals --------------------------------------------------------------------------------


def test_a_prefix_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BuildError, match="not empty"):
        build_environment(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"size": "huge"}, "choose from: bare, tiny", id="unknown size"),
        pytest.param(
            {"variant": "plane"}, "choose from: plain, bare-records", id="unknown variant"
        ),
        pytest.param({"python": "/nowhere/python"}, "name an existing python", id="no interpreter"),
        pytest.param({"size": "bare", "pip": ["six"]}, "has no python", id="pip without python"),
    ],
)
def test_errors_say_what_to_do(arguments: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=message):
        build_environment(tmp_path / "env", **arguments)


@pytest.mark.parametrize("path", ["/etc/passwd", "../outside", "a/../../b"])
def test_a_package_cannot_write_outside_of_its_folder(
    path: str, make_environment: MakeEnvironment
) -> None:
    with pytest.raises(BuildError, match="inside the prefix"):
        make_environment("bare", packages=[SyntheticPackage("bad", files={path: ""})])


def test_the_interpreter_is_probed_through_a_virtual_environment() -> None:
    interpreter = probe(sys.executable)
    assert interpreter.base_prefix == Path(sys.base_prefix)
    assert interpreter.version == ".".join(map(str, sys.version_info[:3]))
    assert (interpreter.stdlib / "os.py").is_file()
