"""A model's metrics, read through a real DVC repository."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.repo import Repo

from slipway.artifact.artifact import Artifact
from slipway.errors import SlipwayError
from slipway.release.evaluation import dvc_metrics, evaluation
from tests.artifact.samples import packed, write_environment, write_model

METRICS = {"test": {"auc": 0.97, "frames": 400, "name": "best"}, "loss": 0.1}
FLAT = {"test.auc": 0.97, "test.frames": 400.0, "loss": 0.1}
WEIGHTS = b"weights" * 9000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model whose training, by DVC's files, made its metrics and its weights."""
    root = tmp_path / "checkout"
    folder = write_model(root, WEIGHTS)
    Repo.init(str(root), no_scm=True).close()
    training = folder / "training"
    training.mkdir()
    (training / "metrics.json").write_text(json.dumps(METRICS))
    (training / "model.onnx").write_bytes(WEIGHTS)
    stage(root, ["models/tiny/training/metrics.json"], ["models/tiny/training/model.onnx"])
    return folder


def stage(root: Path, metrics: list[str], outs: list[str]) -> None:
    """``dvc.yaml`` with one stage, and the lock of its having run just now."""
    made: dict[str, Any] = {
        "cmd": "python train.py",
        "outs": [{out: {"cache": False}} for out in outs],
        "metrics": [{file: {"cache": False}} for file in metrics],
    }
    locked = [
        {"path": path, "hash": "md5", "md5": md5(root / path), "size": (root / path).stat().st_size}
        for path in sorted([*metrics, *outs])
    ]
    lock = {"schema": "2.0", "stages": {"train": {"cmd": "python train.py", "outs": locked}}}
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"train": made}}))
    (root / "dvc.lock").write_text(yaml.safe_dump(lock))


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def artifact(folder: Path, tmp_path: Path) -> Artifact:
    return packed(folder, write_environment(tmp_path / "environment"))


def test_the_metrics_of_the_training_are_found_and_flattened_as_dvc_does(
    folder: Path, tmp_path: Path
) -> None:
    found, notes = dvc_metrics.read_dvc_metrics(folder, artifact(folder, tmp_path), None)
    assert found == {"training/metrics.json": FLAT}
    assert notes == []


def test_yaml_and_toml_are_read_as_well_where_they_are_named(folder: Path) -> None:
    (folder / "scores.yaml").write_text("f1: 0.5\nnested: {recall: 1}\n")
    (folder / "more.toml").write_text("[a]\nb = 2\n")
    found, notes = dvc_metrics.read_dvc_metrics(folder, None, ["scores.yaml", "more.toml"])
    assert found == {"scores.yaml": {"f1": 0.5, "nested.recall": 1.0}, "more.toml": {"a.b": 2.0}}
    assert notes == []


def test_metrics_that_are_not_as_the_lock_has_them_are_left_out(folder: Path) -> None:
    (folder / "training" / "metrics.json").write_text(json.dumps({"test": {"auc": 0.999}}))
    found, notes = dvc_metrics.read_dvc_metrics(folder, None, ["training/metrics.json"])
    assert found == {}
    assert notes == [
        "training/metrics.json is left out: dvc.lock has it with another md5: dvc repro"
    ]


def test_metrics_of_a_stage_that_are_not_here_are_left_out(folder: Path) -> None:
    (folder / "training" / "metrics.json").unlink()
    found, notes = dvc_metrics.read_dvc_metrics(folder, None, None)
    assert found == {}
    assert notes == [
        "training/metrics.json is left out: the file is missing: dvc repro, or dvc pull"
    ]


def test_metrics_of_other_weights_than_the_artifact_holds_are_left_out(
    folder: Path, tmp_path: Path
) -> None:
    """The training ran again, and nobody added the new weights."""
    made = artifact(folder, tmp_path)
    (folder / "training" / "model.onnx").write_bytes(b"better")
    root = folder.parent.parent
    stage(root, ["models/tiny/training/metrics.json"], ["models/tiny/training/model.onnx"])
    found, (note,) = dvc_metrics.read_dvc_metrics(folder, made, None)
    assert found == {}
    assert f"wrote another model.onnx (md5 {hashlib.md5(b'better').hexdigest()})" in note
    assert f"the artifact holds (md5 {hashlib.md5(WEIGHTS).hexdigest()})" in note


def test_weights_that_no_stage_makes_are_taken_for_the_measured_ones(
    folder: Path, tmp_path: Path
) -> None:
    root = folder.parent.parent
    stage(root, ["models/tiny/training/metrics.json"], [])
    found, notes = dvc_metrics.read_dvc_metrics(folder, artifact(folder, tmp_path), None)
    assert (list(found), notes) == (["training/metrics.json"], [])


def test_a_missing_named_file_is_an_error(folder: Path) -> None:
    with pytest.raises(SlipwayError, match="No such file") as caught:
        dvc_metrics.read_dvc_metrics(folder, None, ["scores.json"])
    assert caught.value.where == str(folder / "scores.json")


def test_a_named_file_that_is_not_json_is_an_error(folder: Path) -> None:
    (folder / "scores.json").write_text("{")
    with pytest.raises(SlipwayError, match="no metrics") as caught:
        dvc_metrics.read_dvc_metrics(folder, None, ["scores.json"])
    assert caught.value.where == str(folder / "scores.json")


def test_another_models_metrics_are_not_its_own(folder: Path) -> None:
    other = folder.parent / "tiny_too"
    other.mkdir()
    assert dvc_metrics.read_dvc_metrics(other, None, None) == ({}, [])


def test_a_repository_without_dvc_has_none_unless_a_file_is_named(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "checkout")
    assert dvc_metrics.read_dvc_metrics(folder, None, None) == ({}, [])
    (folder / "scores.json").write_text('{"f1": 0.5}')
    assert dvc_metrics.read_dvc_metrics(folder, None, ["scores.json"])[0] == {
        "scores.json": {"f1": 0.5}
    }


def test_a_malformed_dvc_file_is_an_error(folder: Path) -> None:
    (folder.parent.parent / "dvc.yaml").write_text("stages: [")
    with pytest.raises(SlipwayError, match="DVC cannot read the metrics"):
        dvc_metrics.read_dvc_metrics(folder, None, None)


def test_a_name_in_two_files_is_preceded_by_the_file(folder: Path) -> None:
    (folder / "evaluation.toml").write_text('files = ["training/metrics.json", "more.json"]\n')
    (folder / "more.json").write_text('{"loss": 0.2, "f1": 0.5}')
    found = evaluation.read_evaluation(folder, None)
    assert found is not None
    assert found.metrics == {
        "test.auc": 0.97,
        "test.frames": 400.0,
        "training/metrics.json:loss": 0.1,
        "more.json:loss": 0.2,
        "f1": 0.5,
    }


def test_metrics_belong_to_the_artifact_whose_graph_was_folded_from_what_was_trained(
    folder: Path, tmp_path: Path
) -> None:
    made = artifact(folder, tmp_path)
    ((graph, served),) = made.manifest.weights.items()
    (folder / "training" / "model.onnx").write_bytes(b"trained")
    root = folder.parent.parent
    stage(root, ["models/tiny/training/metrics.json"], ["models/tiny/training/model.onnx"])
    source = hashlib.md5(b"trained").hexdigest()
    manifest = replace(made.manifest, fold={"graph": graph, "sources": {graph: source}})
    folded = Artifact(made.path, manifest=manifest)
    found, notes = dvc_metrics.read_dvc_metrics(folder, folded, None)
    assert found and not notes
    assert served["md5"] != source
