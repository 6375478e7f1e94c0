"""Which Triton is chosen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.server import source, triton
from slipway.settings import Settings


def program(folder: Path, name: str, script: str) -> Path:
    """An executable on PATH."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with a folder of this test only."""
    folder = tmp_path / "tritonserver" / "bin"
    folder.mkdir(parents=True)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("NVIDIA_TRITON_SERVER_VERSION", raising=False)
    return folder


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("2.42.0", "24.01"),
        ("2.51.0", "24.10"),
        ("2.53.0", "24.12"),
        ("2.54.0", "25.01"),
        ("2.59.0", "25.06"),
        ("2.59.1", "25.07"),
        ("2.60.0", "25.08"),
        ("2.65.0", "26.01"),
        ("2.71.0", "26.07"),
        ("unknown", "unknown"),
    ],
)
def test_a_server_version_names_its_release(version: str, release: str) -> None:
    assert source.release_of(version) == release


def test_the_wheel_serves_where_there_is_nothing_else(bare: Path, tmp_path: Path) -> None:
    found = source.find_server(Settings(root=tmp_path))
    assert (found.kind, found.version, found.release) == ("wheel", "2.51.0", "24.10")
    assert os.access(found.program, os.X_OK)


def test_a_server_on_path_comes_first(bare: Path, tmp_path: Path) -> None:
    program(bare, "tritonserver", "exit 0")
    (bare.parent / "TRITON_VERSION").write_text("2.57.0\n", encoding="utf-8")
    kinds = [found.kind for found in source.candidates(Settings(root=tmp_path))]
    assert kinds == ["path", "wheel"]
    assert source.find_server(Settings(root=tmp_path)).release == "25.04"


def test_an_image_that_is_present_comes_before_the_wheel(bare: Path, tmp_path: Path) -> None:
    answer = '["NVIDIA_TRITON_SERVER_VERSION=24.10","TRITON_SERVER_VERSION=2.51.0"]'
    program(bare, "docker", f"case \"$*\" in *:24.10-py3) echo '{answer}';; *) exit 1;; esac")
    found = source.find_server(Settings(root=tmp_path))
    assert (found.kind, found.release) == ("docker", "24.10")
    assert found.image == "nvcr.io/nvidia/tritonserver:24.10-py3"


def test_an_image_asked_for_is_used_only_where_an_engine_answers(
    bare: Path, tmp_path: Path
) -> None:
    settings = Settings(root=tmp_path, docker_image="registry.example/triton:1")
    program(bare, "docker", '[ "$1" = version ] && echo 27.0')
    assert source.find_server(settings).image == "registry.example/triton:1"
    program(bare, "docker", "echo cannot connect to the Docker daemon >&2; exit 1")
    assert source.find_server(settings).kind == "wheel"


def test_without_any_source_the_error_says_how_to_get_one(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "WHEEL", "nvidia-pytriton-that-nobody-has")
    with pytest.raises(SlipwayError) as caught:
        source.find_server(Settings(root=tmp_path))
    assert caught.value.fix is not None and "pip install" in caught.value.fix


def test_an_image_that_cannot_be_pulled_is_reported(bare: Path, tmp_path: Path) -> None:
    program(bare, "docker", '[ "$1" = version ] && echo 27.0 && exit; echo no access >&2; exit 1')
    settings = Settings(root=tmp_path, docker_image="registry.example/triton:1")
    with (
        pytest.raises(SlipwayError, match="pulling registry.example/triton:1.*\n.*no access"),
        triton.start(settings),
    ):
        pass
