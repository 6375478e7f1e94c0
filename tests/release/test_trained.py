"""A release names the training that made its weights, or says plainly that none did."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from slipway.catalog import keys
from slipway.catalog.catalog import Catalog
from slipway.catalog.record import Record, parse_record
from slipway.catalog.weights_source import WeightsSource
from slipway.cli import main
from slipway.errors import SlipwayError
from slipway.model.folded import FoldRecord
from slipway.release.compare import compare
from slipway.release.evidence import evidence
from slipway.release.evidence.training import AttestedTraining
from slipway.release.verify import select_releases, verify
from slipway.settings.release import StageName
from slipway.store.open import open_stage
from slipway.training.run import write_run
from tests.lineage.trained_repository import (
    TOML,
    TRAINING,
    WEIGHTS,
    TrainedRepository,
    sample_run,
)
from tests.release.sample_releases import create_repository, publish_sample

MODEL = "tiny_inferencer/1/model.onnx"
CLEAN = TOML.replace("[endpoint", '[release.production]\nrequire = ["training"]\n[endpoint')


@pytest.fixture
def repository(tmp_path: Path) -> TrainedRepository:
    return TrainedRepository(tmp_path / "repository", CLEAN)


def record_of(repository: TrainedRepository, stage: StageName = "staging") -> Record:
    catalog = Catalog(open_stage(repository.settings, stage))
    return catalog.record("tiny", catalog.alias("tiny").target)


def training_of(
    repository: TrainedRepository, stage: StageName = "staging"
) -> AttestedTraining | None:
    record = record_of(repository, stage)
    return evidence.load_training(open_stage(repository.settings, stage), "tiny", record.sha256)


def problems(repository: TrainedRepository) -> list[str]:
    settings = repository.settings
    selected = select_releases(settings, None, None, all_=True).releases
    return [problem for one in selected for problem in verify(settings, one).problems]


def test_the_record_of_both_stages_names_the_run(repository: TrainedRepository) -> None:
    before = repository.packed().sha256
    repository.record(sample_run())
    release, notes = repository.publish()
    assert notes == [] and release.sha256 == before  # the run is not in the artifact
    repository.promote()
    for stage in ("staging", "production"):
        record = record_of(repository, stage)
        attested = training_of(repository, stage)
        assert attested is not None and attested.run == sample_run()
        assert record.training == attested.reference
        assert record.commit == repository.git("rev-parse", "HEAD")  # a clean one
        assert record.weights_from == {
            MODEL: WeightsSource("training", path=f"{TRAINING}/model.onnx")
        }
    assert problems(repository) == []


def test_weights_that_were_folded_from_what_the_run_made_are_its(
    repository: TrainedRepository,
) -> None:
    trained, served = b"before the fold", WEIGHTS
    source = repository.folder / "folded" / f"{MODEL}.dvc"
    source.parent.mkdir(parents=True)
    source.write_text(f"outs:\n- md5: {md5(trained)}\n  size: 15\n  path: model.onnx\n")
    names = ("tiny_postprocessing", "tiny_inferencer", "tiny_pipeline")
    record = FoldRecord(*names, MODEL, md5(served), {MODEL: md5(trained)})
    (repository.folder / "folded" / "fold.json").write_text(record.dump())
    repository.record(sample_run(trained))
    _, notes = repository.publish()
    assert notes == []
    attested = training_of(repository)
    assert attested is not None and attested.run == sample_run(trained)
    assert attested.subjects[f"folded/{MODEL}"] == {"md5": md5(trained)}
    assert problems(repository) == []
    # a graph that is another one than was folded is not packed
    changed = replace(record, md5=md5(b"another"))
    (repository.folder / "folded" / "fold.json").write_text(changed.dump())
    with pytest.raises(SlipwayError, match=f"not what was folded: {MODEL}"):
        repository.packed()


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def test_weights_of_another_training_are_said_to_be_that(repository: TrainedRepository) -> None:
    repository.record(sample_run(b"other weights"))
    _, notes = repository.publish()
    [note] = notes
    assert note.startswith("these weights are not from the recorded training tiny-20261130t234000z")
    assert note.endswith("; the release names no training")
    record = record_of(repository)
    assert record.training is None and training_of(repository) is None
    assert record.weights_from is not None
    source = record.weights_from[MODEL]
    # the pointer's commit, and not that of the training
    assert (source.kind, source.subject, source.by) == ("commit", "A model", "dev")
    assert source.commit == repository.git("rev-parse", "HEAD~1")
    with pytest.raises(SlipwayError, match="production requires training: no training") as caught:
        repository.promote()
    assert caught.value.fix is not None and "slipway train" in caught.value.fix


def test_a_run_of_another_model_is_not_the_releases(repository: TrainedRepository) -> None:
    repository.record(sample_run(model="other"))
    _, notes = repository.publish()
    assert notes == [
        "the recorded training tiny-20261130t234000z-0a1b2c is of other: the release names no"
        " training"
    ]
    assert record_of(repository).training is None


def test_a_packed_file_that_the_run_wrote_otherwise_is_said(repository: TrainedRepository) -> None:
    run = sample_run()
    code = "models/tiny/tiny_preprocessing/1/model.py"
    [out] = run.stages[0].outs
    stage = replace(run.stages[0], outs=(out, replace(out, path=code)))
    repository.record(replace(run, stages=(stage, run.stages[1])))
    _, notes = repository.publish()
    assert notes == [
        f"tiny_preprocessing/1/model.py is packed with other bytes than the recorded training"
        f" {run.id} wrote"
    ]
    attested = training_of(repository)
    assert attested is not None and set(attested.subjects) == {MODEL}


def test_an_uncommitted_record_marks_the_release(
    repository: TrainedRepository,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    artifact = repository.packed()
    monkeypatch.chdir(repository.root)
    words = ["publish", "models/tiny", "--artifact", str(artifact.path)]
    write_run(repository.folder, sample_run())
    assert main(words) == 0
    assert "models/tiny/training/run.json (untracked)" in capsys.readouterr().err
    repository.commit("A training")
    assert main(words) == 0
    assert "uncommitted" not in capsys.readouterr().err


def test_a_later_publication_adds_the_training_to_the_same_bytes(
    repository: TrainedRepository,
) -> None:
    repository.publish()
    first = record_of(repository)
    assert first.training is None and first.weights_from is not None
    repository.record(sample_run())
    repository.publish()
    second = record_of(repository)
    assert second.sha256 == first.sha256 and second.training is not None
    assert second.weights_from is not None and second.weights_from[MODEL].kind == "training"
    # another run that made the same bytes replaces nothing
    repository.record(sample_run(id="tiny-20261201t000000z-ffffff"))
    repository.publish()
    assert record_of(repository) == second
    assert problems(repository) == []


def test_verify_finds_a_training_that_is_gone_or_of_another_run(
    repository: TrainedRepository,
) -> None:
    repository.record(sample_run())
    release, _ = repository.publish()
    key = keys.evidence("staging", "tiny", release.sha256, "training")
    path = repository.root / "store" / key
    data = path.read_bytes()
    path.unlink()
    assert problems(repository) == [
        "training: it is missing, and the record names tiny-20261130t234000z-0a1b2c"
    ]
    path.write_bytes(data.replace(b'"payload": "', b'"payload": "A'))
    assert len(problems(repository)) == 1


def test_releases_from_before_are_read_and_keep_the_bytes_of_their_records(
    tmp_path: Path,
) -> None:
    settings = create_repository(tmp_path)
    publish_sample(settings)
    store = open_stage(settings, "staging")
    [key] = store.store.keys(keys.records("staging", "m"))
    data = store.store.read(key)
    assert data is not None and not {"training", "weights_from"} & set(json.loads(data))
    record = parse_record(data, key)
    assert (record.training, record.weights_from) == (None, None) and record.dump() == data


def test_history_status_and_diff_name_the_run(
    repository: TrainedRepository,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = sample_run()
    repository.record(run)
    repository.publish()
    repository.promote()
    monkeypatch.chdir(repository.root)
    capsys.readouterr()
    assert main(["history", "tiny"]) == 0
    assert capsys.readouterr().out.count(f"trained by {run.id} on sagemaker") == 2
    assert main(["history", "tiny", "--json"]) == 0
    assert {entry["training"] for entry in json.loads(capsys.readouterr().out)} == {run.id}
    assert main(["status", "--json"]) == 0
    assert f'"training": "{run.id}"' in capsys.readouterr().out

    repository.write("models/tiny/model_version.txt", "1.3.0\n")
    stage = replace(run.stages[0], params={"train.rounds": 40})
    later = sample_run(
        id="tiny-20261201t000000z-ffffff",
        stages=(stage, run.stages[1]),
        parameters={"train.rounds": 40, "train.rate": 0.1},
    )
    repository.record(later)
    repository.publish()
    found = compare(repository.settings, "tiny", "staging", "production")
    trained = [(c.name, c.before, c.after) for c in found.changes if c.part == "training"]
    assert trained == [("run", run.id, later.id), ("parameter train.rounds", "20", "40")]
