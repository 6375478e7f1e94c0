"""Why there is no lock: uv's own message is asked for, then its cause and fix are named."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from slipway.environment import lock_requirements
from slipway.environment.lock import pins
from slipway.errors import SlipwayError
from slipway.settings import Settings
from tests.environment.wheelhouse import Wheelhouse
from tests.environment.wheels.projects import project_files, write_sdist

Write = Callable[..., Path]


def refusal(path: Path, settings: Settings) -> SlipwayError:
    with pytest.raises(SlipwayError) as refused:
        lock_requirements(path, settings)
    assert "reach" not in str(refused.value.fix) or "not reached" in refused.value.what
    assert not path.with_name("requirements.lock").exists()
    return refused.value


def test_a_contradiction_names_the_requirements_and_their_reason(
    requirements: Write, wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    wheelhouse.numpy("2.1.0")
    wheelhouse.add("shapes", "2.0", requires=("numpy>=2",))
    path = requirements("# of the model", "numpy<2", "shapes>=2")
    error = refusal(path, settings)
    assert error.what.startswith("the requirements contradict each other: ")
    assert "on numpy>=2" in error.what and "you require numpy<2" in error.what
    assert "numpy<2" in str(error.fix) and "shapes>=2" in str(error.fix)
    assert error.where in (f"{path}:2", f"{path}:3")


def test_two_limits_of_one_package_are_named(
    requirements: Write, wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    error = refusal(requirements("numpy<2", "numpy>=2"), settings)
    assert "you require numpy<2 and numpy>=2" in error.what
    assert error.fix == "loosen numpy<2 or numpy>=2"


@pytest.mark.parametrize("line", ["shapes==9", "shapes>=9"])
def test_a_version_that_does_not_exist_is_answered_with_the_newest(
    line: str, requirements: Write, wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    wheelhouse.add("shapes", "1.5")
    path = requirements("numpy<2", line)
    error = refusal(path, settings)
    assert line in error.what and error.where == f"{path}:2"
    assert error.fix == "choose a version that exists: the newest is 1.5"


def test_an_unknown_package_is_named_with_its_line(
    requirements: Write,
    wheelhouse: Wheelhouse,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("UV_OFFLINE")  # UV_NO_INDEX remains
    wheelhouse.numpy()
    path = requirements("numpy<2", "nonesuch")
    error = refusal(path, settings)
    assert error.what == "no index has a package named nonesuch" and error.where == f"{path}:2"


@pytest.mark.parametrize("versions", [("1.0",), ("1.0", "1.1", "2.0")])
def test_a_source_only_package_is_named_however_many_versions_it_has(
    versions: tuple[str, ...],
    requirements: Write,
    wheelhouse: Wheelhouse,
    settings: Settings,
    slipway_cache: Path,
) -> None:
    wheelhouse.numpy()
    for version in versions:
        write_sdist(project_files("rough", version), wheelhouse.folder, "rough", version)
    path = requirements("numpy<2", "rough")
    error = refusal(path, settings)
    assert "rough has no wheel for Python 3.12 on linux-64" in error.what
    assert error.where == f"{path}:2"
    assert 'build-from-source = ["rough"]' in str(error.fix)
    followed = replace(settings, build_from_source=("rough",))
    assert dict(pins(lock_requirements(path, followed)))["rough"] == versions[-1]


def test_a_source_only_dependency_is_named_with_what_depends_on_it(
    requirements: Write, wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    wheelhouse.add("shapes", requires=("rough==1.0",))
    write_sdist(project_files("rough"), wheelhouse.folder, "rough", "1.0")
    error = refusal(requirements("numpy<2", "shapes"), settings)
    assert "rough has no wheel" in error.what and "shapes" in error.what


@pytest.mark.parametrize("tag", ["cp312-cp312-win_amd64", "cp38-cp38-manylinux_2_17_x86_64"])
def test_wheels_for_other_systems_are_listed_and_no_build_is_advised(
    tag: str, requirements: Write, wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    wheelhouse.add("shapes", tag=tag)
    error = refusal(requirements("numpy<2", "shapes"), settings)
    assert "shapes has no wheel for Python 3.12 on linux-64: its wheels are for" in error.what
    assert tag.split("-")[2 if "win" in tag else 0] in error.what
    assert "build-from-source" not in str(error.fix)


def test_an_index_that_is_not_reached_is_not_called_a_mistake_of_the_requirements(
    requirements: Write,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://user:secret@127.0.0.1:{port}/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:secret@packages.example.com/simple")
    error = refusal(requirements("numpy<2"), settings)
    assert "the package index is not reached" in error.what
    assert f"127.0.0.1:{port}" in error.what
    assert "index-url of PIP_INDEX_URL (https://packages.example.com/simple)" in str(error.fix)
    assert "secret" not in str(error)


def test_a_missing_package_offline_is_not_called_unknown(
    requirements: Write,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    with pytest.raises(SlipwayError, match="the network is disabled") as refused:
        lock_requirements(requirements("numpy<2"), settings)
    assert "UV_OFFLINE" in str(refused.value.fix)


def test_a_malformed_uv_toml_is_named(
    requirements: Write, wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    (settings.root / "uv.toml").write_text("indexes = 1\n")
    error = refusal(requirements("numpy<2"), settings)
    assert error.where == str(settings.root / "uv.toml")
    assert "unknown field `indexes`" in error.what
