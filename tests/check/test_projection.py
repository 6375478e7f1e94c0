"""Size and load time are estimated from pointers, files and the environment of the lock."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from slipway.check.model_under_check import ModelRepository, ModelUnderCheck
from slipway.check.projection import DOWNLOAD, EXTRACT, FILES, OPEN, START, Projection, project
from slipway.environment.environment import ExecutionEnvironment, Package, save_environment
from slipway.environment.lock import lock_content
from tests.check import fixture_repositories as repositories


@pytest.fixture
def folder(tmp_path: Path, slipway_cache: Path) -> Path:
    return repositories.make("good", tmp_path / "checkout")


def projected(folder: Path) -> Projection:
    root = folder.parents[1]
    return project(ModelUnderCheck(folder, ModelRepository(repositories.load_settings(root))))


def test_a_pointer_counts_with_its_size_and_the_file_next_to_it_does_not(folder: Path) -> None:
    before = projected(folder).size
    model = folder / "sound_inferencer/1/model.onnx"
    pointer = model.with_name("model.onnx.dvc")
    pointer.write_text(
        f"outs:\n- md5: {'a' * 32}\n  size: 1000000\n  hash: md5\n  path: model.onnx\n"
    )
    assert projected(folder).size == before - model.stat().st_size + 1_000_000


def test_a_directory_with_a_pointer_is_counted_once(folder: Path) -> None:
    saved = folder / "sound_inferencer/1/saved"
    before = projected(folder).size
    saved.mkdir()
    (saved / "weights.bin").write_bytes(bytes(5000))
    saved.with_name("saved.dvc").write_text(
        f"outs:\n- md5: {'a' * 32}.dir\n  size: 5000\n  nfiles: 1\n  hash: md5\n  path: saved\n"
    )
    assert projected(folder).size == before + 5000


def test_the_environment_counts_once_this_machine_has_built_it(
    folder: Path, slipway_cache: Path
) -> None:
    without = projected(folder)
    assert without.environment is None
    folder_built = slipway_cache / "environments" / "key"
    folder_built.mkdir(parents=True)
    lock = hashlib.sha256(lock_content(folder / "requirements.lock").encode()).hexdigest()
    packages = (Package("numpy", "1.26.4", "pip"),)
    environment = ExecutionEnvironment(
        folder_built,
        "0" * 64,
        "3.12.1",
        "linux-64",
        "here",
        packages,
        lock,
        10**9,
        3 * 10**9,
        20_000,
    )
    save_environment(environment)
    for name in ("environment.tar.gz", "environment.tar.gz.index.json"):
        (folder_built / name).write_bytes(b"")
    projection = projected(folder)
    assert projection.environment is not None
    assert projection.size == without.size + 10**9
    added = 10**9 / DOWNLOAD + 3 * 10**9 / EXTRACT + 20_000 / FILES
    assert projection.seconds == pytest.approx(without.seconds + added)


def test_seconds_add_up_download_extraction_and_opening() -> None:
    gigabyte = Projection({Path("model.onnx"): 10**9}, None)
    assert gigabyte.seconds == pytest.approx(
        START + 10**9 / DOWNLOAD + 10**9 / EXTRACT + 10**9 / OPEN
    )
