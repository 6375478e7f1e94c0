"""Packages that are published as source only: built, locked by their wheels, and installed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from slipway.environment import lock_requirements, packages
from slipway.environment.lock import find_unhashed, pins
from slipway.environment.wheels.sources import build_locked, read_source_builds
from slipway.errors import SlipwayError
from slipway.files import cache_dir, sha256_of
from slipway.settings import Settings
from tests.environment.wheelhouse import Wheelhouse
from tests.environment.wheels.projects import project_files, setuptools_files, write_sdist

Write = Callable[..., Path]


@pytest.fixture
def listed(settings: Settings, slipway_cache: Path) -> Settings:
    return replace(settings, build_from_source=("Rough", "corners"))


def test_a_listed_package_is_locked_by_the_hash_of_its_wheel(
    requirements: Write, wheelhouse: Wheelhouse, listed: Settings
) -> None:
    wheelhouse.numpy()
    wheelhouse.installed("setuptools")
    source = write_sdist(setuptools_files("rough"), wheelhouse.folder, "rough", "1.0")
    lock = lock_requirements(requirements("numpy<2", "rough"), listed)
    assert dict(pins(lock)) == {"numpy": "1.26.4", "rough": "1.0"}
    assert not list(find_unhashed(lock))
    (build,) = read_source_builds(lock)
    assert (build.file, build.sha256) == ("rough-1.0.tar.gz", sha256_of(source))
    assert [pin.partition("==")[0] for pin in build.requirements] == ["setuptools"]
    (wheel,) = build_locked(lock, listed)
    assert re.findall(r"rough==1.0 \\\n    --hash=sha256:(\w+)", lock.read_text()) == [
        sha256_of(wheel.path)
    ]


def test_two_machines_write_equal_locks_and_build_equal_wheels(
    requirements: Write,
    wheelhouse: Wheelhouse,
    listed: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wheelhouse.numpy()
    write_sdist(project_files("rough"), wheelhouse.folder, "rough", "1.0")
    path = requirements("numpy<2", "rough")
    first = lock_requirements(path, listed)
    content, wheel = first.read_bytes(), build_locked(first, listed)[0].path.read_bytes()
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "another"))
    assert build_locked(first, listed)[0].path.read_bytes() == wheel
    first.unlink()
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "a-third"))
    assert lock_requirements(path, listed).read_bytes() == content


def test_a_built_wheel_is_installed_and_its_own_requirements_are_locked(
    requirements: Write, wheelhouse: Wheelhouse, listed: Settings, tmp_path: Path
) -> None:
    wheelhouse.numpy()
    files = project_files("rough", requires=("corners", "edges"))
    write_sdist(files, wheelhouse.folder, "rough", "1.0")
    write_sdist(project_files("corners", "2.0"), wheelhouse.folder, "corners", "2.0")
    wheelhouse.add("edges", "3.0")
    lock = lock_requirements(requirements("numpy<2", "rough"), listed)
    assert set(pins(lock)) == {
        ("numpy", "1.26.4"), ("rough", "1.0"), ("corners", "2.0"), ("edges", "3.0")
    }  # fmt: skip
    wheels = [wheel.path for wheel in build_locked(lock, listed)]
    installed = packages.install(
        lock, listed, "linux-64", tmp_path / "prefix", lock=lock, wheels=wheels
    )
    assert {package.name for package in installed} == {"numpy", "rough", "corners", "edges"}


def test_a_lock_keeps_a_built_version_until_an_upgrade_and_forgets_what_is_not_needed(
    requirements: Write, wheelhouse: Wheelhouse, listed: Settings
) -> None:
    wheelhouse.numpy()
    write_sdist(project_files("rough"), wheelhouse.folder, "rough", "1.0")
    path = requirements("numpy<2", "rough")
    before = lock_requirements(path, listed).read_bytes()
    write_sdist(project_files("rough", "1.1"), wheelhouse.folder, "rough", "1.1")
    assert lock_requirements(path, listed).read_bytes() == before
    assert dict(pins(lock_requirements(path, listed, upgrade=True)))["rough"] == "1.1"
    assert "rough" not in lock_requirements(requirements("numpy<2"), listed).read_text()


def test_a_source_that_changed_on_the_index_is_refused(
    requirements: Write,
    wheelhouse: Wheelhouse,
    listed: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wheelhouse.numpy()
    write_sdist(project_files("rough"), wheelhouse.folder, "rough", "1.0")
    lock = lock_requirements(requirements("numpy<2", "rough"), listed)
    write_sdist(project_files("rough", before="x = 1"), wheelhouse.folder, "rough", "1.0")
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "another"))
    with pytest.raises(SlipwayError, match="on the index is not the locked file"):
        build_locked(lock, listed)


def test_a_wheel_that_differs_from_the_locked_one_is_refused(
    requirements: Write, wheelhouse: Wheelhouse, listed: Settings
) -> None:
    wheelhouse.numpy()
    write_sdist(project_files("rough"), wheelhouse.folder, "rough", "1.0")
    lock = lock_requirements(requirements("numpy<2", "rough"), listed)
    (wheel,) = build_locked(lock, listed)
    lock.write_text(lock.read_text().replace(sha256_of(wheel.path), "0" * 64))
    with pytest.raises(SlipwayError, match="is not the locked one") as refused:
        build_locked(lock, listed)
    assert refused.value.where == str(lock) and "slipway lock" in (refused.value.fix or "")


def test_a_package_whose_builds_differ_is_not_locked(
    requirements: Write, wheelhouse: Wheelhouse, listed: Settings
) -> None:
    wheelhouse.numpy()
    before = "import time; open('rough/__init__.py', 'a').write(f'# {time.time_ns()}')"
    write_sdist(project_files("rough", before=before), wheelhouse.folder, "rough", "1.0")
    path = requirements("numpy<2", "rough")
    with pytest.raises(SlipwayError, match="rough 1.0 is not reproducible"):
        lock_requirements(path, listed)
    assert not path.with_name("requirements.lock").exists()
    assert not list(cache_dir("wheels").rglob("*.whl"))


def test_a_package_with_machine_code_is_refused_by_its_name(
    requirements: Write, wheelhouse: Wheelhouse, listed: Settings
) -> None:
    wheelhouse.numpy()
    files = project_files("rough", tag="cp312-cp312-linux_x86_64")
    write_sdist(files, wheelhouse.folder, "rough", "1.0")
    with pytest.raises(SlipwayError, match="rough 1.0 is not of pure Python"):
        lock_requirements(requirements("numpy<2", "rough"), listed)
