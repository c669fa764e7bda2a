"""The table of base images: its date, and how needs are held against it."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from condaprune.report.audit.baseimages import Fit, base_images, fits, shown
from condaprune.report.audit.runtime import Needs, Outside

NEEDS = Needs(
    label="env",
    prefix="/env",
    platform="linux",
    machines=("x86_64",),
    binaries=3,
    outside=(),
    glibc=(2, 17, 0),
    glibc_user="lib/a.so",
    loaders=(),
    scripts=(),
    env_scripts=0,
    prefix_scripts=0,
    variables=(),
    activation=(),
    certificates=("ssl/cacert.pem",),
    zones=("share/zoneinfo",),
    python="bin/python",
)


def fit(name: str, needs: Needs) -> Fit:
    return next(fit for fit in fits(needs) if fit.name == name)


def test_the_table_is_no_older_than_a_year() -> None:
    age = datetime.date.today() - datetime.date.fromisoformat(base_images().as_of)
    if age.days > 365:
        pytest.fail(
            f"condaprune/report/data/base-images.toml is {age.days} days old. Compare each image "
            "with its current release (glibc: `ldd --version` in it; shell, certificates, zones: "
            "`ls`), add the successors, drop what is no longer supported, and set as_of to today."
        )


def test_every_image_has_a_name_and_an_order() -> None:
    names = [image.name for image in base_images().images]
    assert len(names) == len(set(names)) > 5
    assert names[0].startswith("gcr.io/distroless/")


def test_an_image_with_an_older_glibc_does_not_fit() -> None:
    needs = replace(NEEDS, glibc=(2, 38, 0))
    assert not fit("debian:12-slim", needs).fits
    assert fit("debian:12-slim", needs).reasons == ("it has glibc 2.36, and lib/a.so needs 2.38",)
    assert fit("debian:13-slim", needs).fits


def test_a_library_from_outside_is_installed_where_that_is_possible() -> None:
    library = Outside("libX11.so.6", ("lib/tk.so",), 1)
    needs = replace(NEEDS, outside=(library, Outside("libc.so.6", ("lib/tk.so",), 1)))
    assert fit("debian:12-slim", needs).installs == ("libx11-6",)
    notes = fit("gcr.io/distroless/base-debian12", needs).notes
    assert notes == ("it lacks libX11.so.6, which lib/tk.so asks for",)


def test_musl_fits_only_what_has_no_binaries() -> None:
    assert not fit("alpine", NEEDS).fits
    assert fit("alpine", replace(NEEDS, binaries=0, glibc=None)).fits


def test_what_the_environment_lacks_is_installed() -> None:
    bare = replace(NEEDS, certificates=(), zones=())
    assert fit("ubuntu:24.04", bare).installs == ("ca-certificates", "tzdata")
    assert fit("debian:12-slim", bare).installs == ("ca-certificates",)


def test_no_image_fits_another_platform() -> None:
    assert {f.fits for f in fits(replace(NEEDS, platform="osx"))} == {False}


def test_versions_are_shown_as_people_write_them() -> None:
    assert [shown(v) for v in ((2, 36, 0), (2, 2, 5), None)] == ["2.36", "2.2.5", "of any version"]
