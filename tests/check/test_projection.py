"""Size and load time are estimated from pointers, files and the environment of the lock."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from slipway.check.model_repository import ModelRepository
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.projection import (
    DOWNLOAD,
    EXTRACT,
    FILES,
    INTERPRETER,
    OPEN,
    START,
    Projection,
    project,
)
from slipway.check.rules.safety_7xx.size import slow_load
from slipway.environment.environment import ExecutionEnvironment, Package, save_environment
from slipway.environment.lock import lock_content
from slipway.environment.locking.sizes import WheelSize, comments
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


def test_an_environment_that_was_not_built_counts_by_the_sizes_in_its_lock(
    folder: Path, slipway_cache: Path
) -> None:
    without = projected(folder)
    torch = {"torch": WheelSize(540_000_000, 1_150_000_000, 13_000), "numpy": WheelSize(18_000_000)}
    with (folder / "requirements.lock").open("a") as lock:
        lock.write(comments(torch))
    projection = projected(folder)
    assert projection.size == without.size + 558_000_000 + INTERPRETER.wheel
    assert projection.environment is not None
    assert projection.environment.unpacked == 1_168_000_000 + (INTERPRETER.unpacked or 0)
    added = 558_000_000 + INTERPRETER.wheel
    assert projection.seconds == pytest.approx(
        without.seconds
        + added / DOWNLOAD
        + projection.environment.unpacked / EXTRACT
        + projection.environment.files / FILES
    )


def test_an_environment_that_is_too_large_is_named_by_its_lock(
    folder: Path, slipway_cache: Path
) -> None:
    lock = folder / "requirements.lock"
    with lock.open("a") as file:
        file.write(comments({"torch": WheelSize(3_000_000_000, 5_500_000_000, 20_000)}))
    root = folder.parents[1]
    model = ModelUnderCheck(folder, ModelRepository(repositories.load_settings(root)))
    (hit,) = slow_load(model)
    assert hit.location.file == lock
    assert "3.0 GB of it packages" in hit.what and "CPU" in hit.fix


def test_the_estimate_is_near_a_real_environment() -> None:
    """numpy 1.26.4 and opencv-python 4.11.0.86, as they were locked and built."""
    wheels = [WheelSize(17_950_613, 63_766_121), WheelSize(62_986_597, 176_757_869), INTERPRETER]
    size, unpacked = sum(w.wheel for w in wheels), sum(w.unpacked or 0 for w in wheels)
    assert size == pytest.approx(90_702_627, rel=0.05)
    assert unpacked == pytest.approx(258_924_557, rel=0.05)


def test_seconds_add_up_download_extraction_and_opening() -> None:
    gigabyte = Projection({Path("model.onnx"): 10**9}, None)
    assert gigabyte.seconds == pytest.approx(
        START + 10**9 / DOWNLOAD + 10**9 / EXTRACT + 10**9 / OPEN
    )
