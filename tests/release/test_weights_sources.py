"""Where weights are from: a training, a conversion of its output, a package, or a commit."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import Manifest
from slipway.catalog.weights_source import WeightsSource
from slipway.release.evidence.trained import TrainingMatch, match_training
from slipway.release.weights_sources import find_weights_sources
from slipway.training.run import DataFile
from tests.lineage.trained_repository import (
    TRAINING,
    WEIGHTS,
    TrainedRepository,
    md5,
    sample_run,
)

MODEL = "tiny_inferencer/1/model.onnx"
TREES = b"trees"


@dataclass(frozen=True)
class Packed:
    """What the search needs of an artifact."""

    manifest: Manifest


@pytest.fixture
def repository(tmp_path: Path) -> TrainedRepository:
    return TrainedRepository(tmp_path / "repository")


def converted(repository: TrainedRepository) -> Artifact:
    """An artifact whose weights were converted from ``original/trees.ubj``."""
    pointer = f"outs:\n- md5: {md5(TREES)}\n  size: 5\n  hash: md5\n  path: trees.ubj\n"
    repository.write("models/tiny/original/trees.ubj.dvc", pointer)
    repository.commit("A forest")
    conversion: dict[str, Any] = {
        "source": {"name": "trees.ubj", "md5": md5(TREES), "sha256": "e" * 64, "size": 5},
        "files": {"model.onnx": {"md5": md5(WEIGHTS)}},
    }
    manifest = replace(repository.packed().manifest, conversion=conversion)
    return cast(Artifact, Packed(manifest))


def sources(
    repository: TrainedRepository, artifact: Artifact, match: TrainingMatch | None = None
) -> dict[str, WeightsSource]:
    return find_weights_sources(
        repository.root, repository.folder, artifact, match or TrainingMatch()
    )


def test_the_output_that_was_converted_is_what_the_training_made(
    repository: TrainedRepository,
) -> None:
    artifact = converted(repository)
    repository.record(sample_run(TREES))
    match = match_training(repository.root, repository.folder, artifact)
    assert match.notes == () and match.training is not None
    assert match.training.subjects == {
        "original/trees.ubj": {"md5": md5(TREES), "sha256": "e" * 64}
    }
    assert sources(repository, artifact, match) == {
        MODEL: WeightsSource(
            "training", path=f"{TRAINING}/model.onnx", original="original/trees.ubj"
        )
    }


def test_of_converted_weights_the_commit_of_the_original_counts(
    repository: TrainedRepository,
) -> None:
    found = sources(repository, converted(repository))[MODEL]
    assert (found.kind, found.subject) == ("commit", "A forest")
    assert (found.path, found.original) == (
        "models/tiny/original/trees.ubj.dvc",
        "original/trees.ubj",
    )


def test_a_packed_file_that_the_run_wrote_is_a_subject_too(repository: TrainedRepository) -> None:
    code = repository.folder / "tiny_preprocessing/1/model.py"
    run = sample_run()
    out = DataFile("models/tiny/tiny_preprocessing/1/model.py", f"md5:{md5(code.read_bytes())}")
    stage = replace(run.stages[0], outs=(*run.stages[0].outs, out))
    repository.record(replace(run, stages=(stage, run.stages[1])))
    match = match_training(repository.root, repository.folder, repository.packed())
    assert match.notes == () and match.training is not None
    assert set(match.training.subjects) == {MODEL, "tiny_preprocessing/1/model.py"}


def test_weights_out_of_a_package_name_it_and_the_licence_in_the_artifact(
    repository: TrainedRepository,
) -> None:
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    weights = {"inferencer/1/model.onnx": {"sha256": digest, "size": len(WEIGHTS)}}
    packages = {"rapidocr": "3.10.0"}
    values = {"prebuilt": "ocr", "packages": packages, "weights": weights}
    repository.write("models/tiny/source.json", json.dumps(values))
    repository.write("models/tiny/tiny_inferencer/1/LICENSE", "Apache License 2.0")
    assert sources(repository, repository.packed())[MODEL] == WeightsSource(
        "prebuilt",
        prebuilt="ocr",
        packages=packages,
        licences=("tiny_inferencer/1/LICENSE",),
    )
    weights["inferencer/1/model.onnx"]["sha256"] = "0" * 64  # trained further since
    repository.write("models/tiny/source.json", json.dumps(values))
    assert sources(repository, repository.packed())[MODEL].kind == "commit"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"packages": 1, "weights": {}}'])
def test_a_damaged_source_file_names_no_package(repository: TrainedRepository, text: str) -> None:
    repository.write("models/tiny/source.json", text)
    assert sources(repository, repository.packed())[MODEL].kind == "commit"


def test_a_pointer_that_no_commit_has_is_of_unknown_origin(tmp_path: Path) -> None:
    repository = TrainedRepository(tmp_path / "repository")
    artifact = repository.packed()
    repository.git("rm", "-q", "--cached", f"models/tiny/{MODEL}.dvc")
    repository.git("commit", "-q", "--amend", "-m", "A model")
    assert sources(repository, artifact)[MODEL] == WeightsSource(
        "unknown", path=f"models/tiny/{MODEL}.dvc"
    )


def test_the_oldest_commit_of_a_shallow_clone_is_not_taken_for_the_one_that_added_it(
    repository: TrainedRepository, tmp_path: Path
) -> None:
    repository.commit("Something else")
    artifact = repository.packed()
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "-q", "--depth", "1", f"file://{repository.root}", str(clone)], check=True
    )
    found = find_weights_sources(clone, clone / "models/tiny", artifact, TrainingMatch())
    assert found[MODEL].kind == "unknown"
