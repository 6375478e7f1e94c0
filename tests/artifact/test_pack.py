"""What packing promises: the endpoint's layout, and equal bytes of equal inputs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from slipway import build
from slipway.artifact.artifact import Artifact
from slipway.artifact.extract import extract
from slipway.environment import ExecutionEnvironment
from slipway.errors import SlipwayError
from slipway.model.folder import read_model_folder
from slipway.triton import config
from tests.artifact.samples import packed, write_environment, write_model


def names(artifact: Path) -> list[str]:
    with tarfile.open(artifact) as tar:
        return tar.getnames()


def test_every_top_level_entry_is_a_model_directory(
    tiny: Path, environment: ExecutionEnvironment
) -> None:
    made = packed(tiny, environment)
    found = names(made.path)
    assert {name.split("/")[0] for name in found} == set(read_model_folder(tiny).models)
    assert "tiny_pipeline/1/manifest.json" in found
    assert "tiny_inferencer/1/model.onnx" in found
    assert made.path.name == "tiny_1.2.0.tar.gz"


def test_what_is_for_git_dvc_and_tests_stays_at_home(
    tiny: Path, environment: ExecutionEnvironment
) -> None:
    found = names(packed(tiny, environment).path)
    assert not [n for n in found if n.endswith((".dvc", ".gitignore", "BUILD", "test_tiny.py"))]


def test_one_environment_serves_both_python_models(
    tiny: Path, environment: ExecutionEnvironment
) -> None:
    made = packed(tiny, environment)
    assert [n for n in names(made.path) if n.endswith("bin/activate")] == [
        "tiny_preprocessing/python_env/bin/activate"
    ]
    extract(made.path, tiny.parent / "out")
    values = {
        model: config.load_config(tiny.parent / "out" / model / "config.pbtxt")
        .parameters["EXECUTION_ENV_PATH"]
        .string_value
        for model in ("tiny_preprocessing", "tiny_postprocessing")
    }
    assert values == {
        "tiny_preprocessing": "$$TRITON_MODEL_DIRECTORY/python_env",
        "tiny_postprocessing": "$$TRITON_MODEL_DIRECTORY/../tiny_preprocessing/python_env",
    }
    text = (tiny.parent / "out/tiny_preprocessing/config.pbtxt").read_text()
    assert "# a comment of the author's" in text


def test_the_archive_layout_names_the_environment_by_its_content(
    tiny: Path, environment: ExecutionEnvironment
) -> None:
    made = packed(tiny, environment, "archive")
    name = f"tiny_preprocessing/python_env_{environment.sha256[:12]}.tar.gz"
    assert [n for n in names(made.path) if "python_env" in n] == [name]
    with tarfile.open(made.path) as tar:
        member = tar.extractfile(name)
        assert member is not None and member.read() == environment.archive.read_bytes()


def test_bytecode_is_fresh_and_never_checked_against_its_source(
    tiny: Path, environment: ExecutionEnvironment
) -> None:
    made = packed(tiny, environment)
    extract(made.path, tiny.parent / "out")
    compiled = tiny.parent / "out/tiny_preprocessing/1/__pycache__/model.cpython-312.pyc"
    unchecked_hash = (1).to_bytes(4, "little")  # PEP 552: flags at byte 4
    assert compiled.read_bytes()[4:8] == unchecked_hash


def test_equal_inputs_give_equal_bytes_in_another_clone_under_another_umask(
    tmp_path: Path, environment: ExecutionEnvironment
) -> None:
    first = packed(write_model(tmp_path / "one"), environment)
    before = os.umask(0o077)
    try:
        folder = write_model(tmp_path / "elsewhere" / "two")
        for file in folder.rglob("*"):
            os.utime(file, (1, 10**9))
        second = packed(folder, write_environment(tmp_path / "again"))
    finally:
        os.umask(before)
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == second.sha256


def test_the_recorded_digest_and_size_are_those_of_the_file(
    tiny: Path, environment: ExecutionEnvironment
) -> None:
    import hashlib

    made = packed(tiny, environment)
    data = made.path.read_bytes()
    assert (made.sha256, made.size) == (hashlib.sha256(data).hexdigest(), len(data))


def test_the_manifest_says_what_went_in(tiny: Path, environment: ExecutionEnvironment) -> None:
    made = Artifact(packed(tiny, environment).path).manifest
    assert (made.name, made.version, made.serves) == ("tiny", "1.2.0", "tiny_pipeline")
    assert made.weights["tiny_inferencer/1/model.onnx"]["size"] == 63000
    assert made.environment is not None
    assert made.environment["interpreter"] == "local CPython 3.12.1"
    assert "tiny_preprocessing/1/model.py" in made.sources
    assert str(tiny) not in made.dump().decode()


def test_a_hand_written_environment_path_is_refused(
    tiny: Path, environment: ExecutionEnvironment
) -> None:
    file = tiny / "tiny_preprocessing/config.pbtxt"
    file.write_text(
        file.read_text()
        + 'parameters { key: "EXECUTION_ENV_PATH" value { string_value: "/opt/env" } }\n'
    )
    with pytest.raises(SlipwayError, match="/opt/env.*packing writes") as caught:
        packed(tiny, environment)
    assert str(file) in str(caught.value) and caught.value.fix


def test_a_model_without_a_version_directory_is_refused(
    tiny: Path, environment: ExecutionEnvironment
) -> None:
    for file in (tiny / "tiny_inferencer/1").iterdir():
        file.unlink()
    with pytest.raises(SlipwayError, match="no model version"):
        packed(tiny, environment)


def test_a_link_out_of_the_folder_is_refused(tiny: Path, environment: ExecutionEnvironment) -> None:
    (tiny / "tiny_preprocessing/1/data.json").symlink_to("/etc/hostname")
    with pytest.raises(SlipwayError, match="leads out"):
        packed(tiny, environment)


def test_weights_that_are_not_here_are_named_with_the_way_to_get_them(tiny: Path) -> None:
    (tiny / "tiny_inferencer/1/model.onnx").unlink()
    with pytest.raises(SlipwayError, match="weights are missing") as caught:
        build.local_weights(read_model_folder(tiny), tiny.parents[1])
    assert caught.value.fix and "slipway weights pull" in caught.value.fix


def test_a_killed_packing_leaves_nothing_half_written_and_the_next_succeeds(
    tmp_path: Path, environment: ExecutionEnvironment
) -> None:
    folder = write_model(tmp_path / "checkout", weights=os.urandom(1 << 20) * 60)
    dist = tmp_path / "dist"
    command = [sys.executable, "-m", "slipway", "pack", str(folder)]
    command += ["--environment", str(environment.folder), "--output", str(dist / "a.tar.gz")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, env=env)
    while process.poll() is None and not list(dist.glob(".aside-*/a.tar.gz")):
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (dist / "a.tar.gz").exists()
    subprocess.run(command, env=env, check=True)
    assert sorted(file.name for file in dist.iterdir()) == ["a.tar.gz", "a.tar.gz.sha256"]
    subprocess.run(["sha256sum", "--check", "a.tar.gz.sha256"], cwd=dist, check=True)
