"""Weights that lie next to their pointer, in a real repository of git and DVC."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from onnx import TensorProto, helper

from slipway.cli import main
from tests import fixture_models

WEIGHTS = Path("models/adder/adder/1/model.onnx")
POINTER = WEIGHTS.with_name("model.onnx.dvc")


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "repository"
    fixture_models.copy("adder", root / "models")
    (root / "models/adder/model_version.txt").write_text("1.0.0\n")
    (root / "slipway.toml").write_text("[release.production]\nclean_commit = false\n")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    dvc(root, "init", "-q")
    dvc(root, "remote", "add", "-q", "-d", "store", "../remote")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        assert main(["weights", "add", str(WEIGHTS)]) == 0
    return root


@pytest.fixture
def root(
    made_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slipway_cache: Path
) -> Path:
    """A repository whose model's weights are tracked, and lie there."""
    root = tmp_path / "repository"
    shutil.copytree(made_once, root)
    monkeypatch.chdir(root)
    return root


def dvc(root: Path, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *words], cwd=root, check=True)


def train(path: Path) -> bytes:
    """Write a graph A - B of as many bytes as the tracked A + B; return it."""
    path.parent.mkdir(exist_ok=True)
    size = path.stat().st_size if path.exists() else None
    tensors = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", 4]) for n in ("A", "B", "SUM")
    ]
    node = helper.make_node("Sub", ["A", "B"], ["SUM"])
    fixture_models.save(helper.make_graph([node], "adder", tensors[:2], tensors[2:]), path)
    assert size in (None, path.stat().st_size)
    return path.read_bytes()


@pytest.mark.parametrize("command", ["build", "test", "publish", "evaluate", "bump"])
def test_retrained_weights_stop_every_command_that_builds(
    command: str, root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if command == "bump":
        assert main(["publish", "adder", "--stage", "production"]) == 0
    trained = train(WEIGHTS)
    assert main([command, "adder"]) == 1
    error = capfd.readouterr().err
    assert f"{WEIGHTS}: SW304 weights-differ-from-pointer: " in error
    assert f"fix: slipway weights add {WEIGHTS} releases them; " in error
    assert WEIGHTS.read_bytes() == trained


def test_the_first_fix_releases_the_retrained_weights(root: Path) -> None:
    trained = train(WEIGHTS)
    assert main(["weights", "add", str(WEIGHTS)]) == 0
    assert main(["build", "adder"]) == 0
    with tarfile.open("dist/adder_1.0.0.tar.gz") as artifact:
        packed = artifact.extractfile("adder/1/model.onnx")
        assert packed is not None and packed.read() == trained


def test_the_second_fix_returns_to_the_tracked_weights(root: Path) -> None:
    tracked = WEIGHTS.read_bytes()
    train(WEIGHTS)
    assert main(["weights", "pull", "--force", str(POINTER)]) == 0
    assert WEIGHTS.read_bytes() == tracked
    assert main(["build", "adder"]) == 0


def test_a_pull_does_not_replace_retrained_weights(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = train(WEIGHTS)
    assert main(["weights", "pull", str(POINTER)]) == 1
    assert "fix: slipway weights add" in capsys.readouterr().err
    assert WEIGHTS.read_bytes() == trained


def test_a_build_system_that_pulls_into_a_sandbox_is_stopped_as_well(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    train(WEIGHTS)
    sandbox = tmp_path / "sandbox"
    (sandbox / POINTER).parent.mkdir(parents=True)
    (sandbox / POINTER).write_bytes(POINTER.read_bytes())
    monkeypatch.chdir(sandbox)
    pull = ["weights", "pull", str(POINTER), "--dvc-root", str(root), "--output", str(WEIGHTS)]
    assert main(pull) == 1
    assert f"fix: slipway weights add {WEIGHTS} releases them" in capsys.readouterr().err
    assert not WEIGHTS.exists()


def test_an_artifact_of_other_weights_is_not_published(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "adder"]) == 0
    train(WEIGHTS)
    assert main(["publish", "adder", "--artifact", "dist/adder_1.0.0.tar.gz"]) == 1
    assert f"fix: slipway weights add {WEIGHTS} releases them" in capsys.readouterr().err
    assert main(["weights", "pull", "--force", str(POINTER)]) == 0
    assert main(["publish", "adder", "--artifact", "dist/adder_1.0.0.tar.gz"]) == 0


def test_a_changed_file_of_a_folder_of_weights_stops_the_build(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    WEIGHTS.unlink()
    POINTER.unlink()
    train(WEIGHTS / "model.onnx")
    table = WEIGHTS / "table.bin"
    table.write_bytes(b"1")
    assert main(["weights", "add", str(WEIGHTS)]) == 0
    assert main(["build", "adder"]) == 0
    table.write_bytes(b"2")
    capsys.readouterr()
    assert main(["build", "adder"]) == 1
    assert f"error: {WEIGHTS}: SW304 " in capsys.readouterr().err
    table.unlink()
    assert main(["build", "adder"]) == 1


def test_weights_that_dvc_links_into_its_cache_are_those_of_their_pointer(root: Path) -> None:
    dvc(root, "config", "cache.type", "symlink")
    dvc(root, "checkout", "-q", "--relink")
    assert WEIGHTS.is_symlink()
    assert main(["build", "adder"]) == 0


def test_newer_weights_of_a_training_are_named_by_a_build(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = train(Path("models/adder/training/model.onnx"))
    os.utime(POINTER, (0, 0))
    assert main(["build", "adder"]) == 0
    error = capsys.readouterr().err
    assert "models/adder/training/model.onnx: newer than " in error
    copied = f"cp models/adder/training/model.onnx {WEIGHTS} && slipway weights add {WEIGHTS}"
    assert copied in error
    WEIGHTS.write_bytes(trained)
    assert main(["weights", "add", str(WEIGHTS)]) == 0
    os.utime(POINTER, (0, 0))
    capsys.readouterr()
    assert main(["build", "adder"]) == 0
    assert capsys.readouterr().err == ""


def test_a_file_that_git_ignores_stops_the_build_until_git_tracks_it(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = Path("models/adder/adder/1/labels.json")
    labels.write_text("[]")
    Path(".gitignore").write_text("labels.*\n")
    assert main(["build", "adder"]) == 1
    assert f"fix: git add --force {labels}\n" in capsys.readouterr().err
    subprocess.run(["git", "add", "--force", str(labels)], check=True)
    assert main(["build", "adder"]) == 0


def test_a_module_without_its_source_is_named_by_a_build(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("models/adder/adder/1/helpers.pyc").write_bytes(b"")
    assert main(["build", "adder"]) == 0
    assert "helpers.pyc: compiled Python without its source" in capsys.readouterr().err


def test_a_push_says_what_was_sent_and_another_checkout_can_build(
    root: Path, capsys: pytest.CaptureFixture[str], slipway_cache: Path
) -> None:
    trained = train(WEIGHTS)
    assert main(["weights", "add", str(WEIGHTS)]) == 0
    capsys.readouterr()
    assert main(["weights", "push", "adder"]) == 0
    remote = root.parent / "remote"
    assert capsys.readouterr().out == (
        f"{WEIGHTS} → store ({remote}): sent 1 object, {len(trained)} bytes\n"
    )
    shutil.rmtree(root / ".dvc" / "cache")
    WEIGHTS.unlink()
    assert main(["build", "adder"]) == 0
    capsys.readouterr()
    assert main(["weights", "push"]) == 0
    assert capsys.readouterr().out == f"{WEIGHTS} → store ({remote}): already there\n"


def test_retrained_weights_are_added_before_a_push(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(WEIGHTS)
    assert main(["weights", "push", "adder"]) == 1
    assert "fix: slipway weights add" in capsys.readouterr().err


def test_a_build_without_the_weights_names_the_push_and_a_push_without_them_says_so(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(root / ".dvc" / "cache")
    WEIGHTS.unlink()
    (root.parent / "remote").mkdir()
    assert main(["build", "adder"]) == 1
    assert "fix: slipway weights push from where the weights were" in capsys.readouterr().err
    assert main(["weights", "push", "adder"]) == 1
    assert "neither the cache nor remote 'store' holds these weights" in capsys.readouterr().err


def test_a_folder_of_weights_is_sent_as_a_whole(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    WEIGHTS.unlink()
    POINTER.unlink()
    train(WEIGHTS / "model.onnx")
    (WEIGHTS / "table.bin").write_bytes(b"1")
    assert main(["weights", "add", str(WEIGHTS)]) == 0
    capsys.readouterr()
    assert main(["weights", "push", "adder"]) == 0
    assert "sent 3 objects, " in capsys.readouterr().out  # the list of the two files is one
    shutil.rmtree(root / ".dvc" / "cache")
    shutil.rmtree(WEIGHTS)
    assert main(["build", "adder"]) == 0
