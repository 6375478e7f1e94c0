"""Wheels built from sources: equal on every machine, isolated, and of pure Python."""

from __future__ import annotations

import os
import shutil
import socket
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from slipway.environment.wheels import builder
from slipway.environment.wheels.builder import Project, build_wheel, lock_build_requirements
from slipway.errors import SlipwayError
from slipway.settings import Settings
from tests.environment.wheelhouse import Wheelhouse
from tests.environment.wheels.projects import project_files, setuptools_files, write_folder

WHERE = Path("models/x/requirements.txt")


def test_two_builds_in_other_folders_at_other_times_are_equal(
    tmp_path: Path, wheelhouse: Wheelhouse, settings: Settings
) -> None:
    files = project_files("shapes")
    first = Project(write_folder(files, tmp_path / "first"), "shapes", WHERE)
    second = Project(write_folder(dict(reversed(files.items())), tmp_path / "two"), "shapes", WHERE)
    for path in second.folder.rglob("*"):
        os.utime(path, (10**9, 10**9))
        path.chmod(0o700 if path.is_dir() else 0o600)
    wheels = [
        build_wheel(project, settings, tmp_path / f"{project.folder.name}-wheel")
        for project in (first, second)
    ]
    assert wheels[0].name == "shapes-1.0-py3-none-any.whl"
    assert wheels[0].read_bytes() == wheels[1].read_bytes()


def test_another_byte_in_a_source_gives_another_wheel(
    tmp_path: Path, wheelhouse: Wheelhouse, settings: Settings
) -> None:
    project = Project(write_folder(project_files("shapes"), tmp_path / "p"), "shapes", WHERE)
    before = build_wheel(project, settings, tmp_path / "before").read_bytes()
    (project.folder / "shapes/shapes.py").write_text("SIDES = 5\n")
    assert build_wheel(project, settings, tmp_path / "after").read_bytes() != before


def test_a_setup_py_alone_is_built_by_setuptools_whose_version_is_pinned(
    tmp_path: Path, wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.installed("setuptools")
    folder = write_folder(setuptools_files("rough"), tmp_path / "rough")
    project = Project(folder, "rough", WHERE)
    pins = lock_build_requirements(project, settings)
    assert [pin.partition("==")[0] for pin in pins] == ["setuptools"]
    assert all("--hash=sha256:" in pin for pin in pins)
    wheel = build_wheel(replace(project, build_requirements=pins), settings, tmp_path / "wheel")
    names = zipfile.ZipFile(wheel).namelist()
    assert "rough/__init__.py" in names and names[-1] == "rough-1.0.dist-info/RECORD"
    assert sorted(path.name for path in folder.iterdir()) == ["rough", "setup.py"]


def test_what_an_older_build_left_in_the_folder_is_not_packed(
    tmp_path: Path, wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.installed("setuptools")
    files = setuptools_files("rough")
    clean = Project(write_folder(files, tmp_path / "clean"), "rough", WHERE)
    clean = replace(clean, build_requirements=lock_build_requirements(clean, settings))
    shutil.copytree(clean.folder, tmp_path / "used")
    used = replace(clean, folder=tmp_path / "used")
    write_folder(
        {"build/lib/rough/deleted.py": "", "rough/__pycache__/x.cpython-312.pyc": ""}, used.folder
    )
    wheels = [build_wheel(p, settings, tmp_path / f"{p.folder.name}-w") for p in (clean, used)]
    assert wheels[0].read_bytes() == wheels[1].read_bytes()


def test_a_project_with_machine_code_is_refused(
    tmp_path: Path, wheelhouse: Wheelhouse, settings: Settings
) -> None:
    files = project_files("fast", tag="cp312-cp312-linux_x86_64")
    project = Project(write_folder(files, tmp_path / "fast"), "fast", WHERE)
    with pytest.raises(SlipwayError, match="fast is not of pure Python") as refused:
        build_wheel(project, settings, tmp_path / "wheel")
    assert refused.value.fix and not (tmp_path / "wheel").exists()


def test_a_failing_build_shows_what_it_wrote(
    tmp_path: Path, wheelhouse: Wheelhouse, settings: Settings
) -> None:
    files = project_files("broken", before="raise RuntimeError('no compiler found')")
    project = Project(write_folder(files, tmp_path / "broken"), "broken", WHERE)
    with pytest.raises(SlipwayError, match="RuntimeError: no compiler found") as refused:
        build_wheel(project, settings, tmp_path / "wheel")
    assert "broken cannot be built" in refused.value.what
    assert refused.value.where == str(WHERE) and refused.value.fix


def test_a_build_reaches_no_server_and_sees_no_variable(
    tmp_path: Path,
    wheelhouse: Wheelhouse,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not builder._without_network():
        pytest.skip("this machine has no network namespaces for users")
    monkeypatch.setenv("SECRET_TOKEN", "x")
    with socket.create_server(("127.0.0.1", 0)) as server:
        before = (
            "import os, socket\n"
            "assert 'SECRET_TOKEN' not in os.environ\n"
            f"assert socket.socket().connect_ex(('127.0.0.1', {server.getsockname()[1]})) != 0"
        )
        folder = write_folder(project_files("curious", before=before), tmp_path / "curious")
        build_wheel(Project(folder, "curious", WHERE), settings, tmp_path / "wheel")
