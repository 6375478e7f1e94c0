"""Which models are trained, and why: asked of DVC itself, with imports from a file and from S3."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

from slipway.errors import SlipwayError
from slipway.pipeline.retraining.due import DueModel, decide_due
from slipway.pipeline.retraining.sources import update_import
from tests.pipeline.history import NOBODY
from tests.pipeline.retraining import trainings
from tests.pipeline.retraining.trainings import FOLDER, NAME, Trainings

TRAINED = datetime(2026, 11, 30, 23, 40, 1, tzinfo=UTC)
ROWS = f"{FOLDER}/training/rows.csv"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trainings:
    for key in [key for key in os.environ if key.startswith(("CI_", "SLIPWAY_", "AWS_"))]:
        monkeypatch.delenv(key)
    for key, value in {**NOBODY, "DVC_NO_ANALYTICS": "1"}.items():
        monkeypatch.setenv(key, value)
    return trainings.begin(tmp_path)


def decide(project: Trainings, days: float = 1, **options: object) -> DueModel:
    """The decision about ``adder``, so many days after its training."""
    now = TRAINED + timedelta(days=days)
    (decision,) = decide_due(project.root, now=now, **options)  # type: ignore[arg-type]
    return decision


def dvc(project: Trainings, *words: str) -> None:
    command = [sys.executable, "-m", "dvc", *words]
    subprocess.run(command, cwd=project.root, check=True, capture_output=True)


def imports(project: Trainings, source: str) -> None:
    """Let the rows be an import from ``source``, and train on them."""
    project.history.git("rm", "--quiet", ROWS)
    dvc(project, "import-url", source, ROWS)
    project.train(10, commit=True)


def test_what_is_young_and_unchanged_is_left_alone_and_what_is_old_is_trained_by_force(
    project: Trainings,
) -> None:
    left = decide(project, 89)
    assert not left.train and left.why == "nothing changed; trained 89 days ago, at most 90 days"
    old = decide(project, 91)
    assert old.train and old.force and old.why == "trained 91 days ago, at most 90 days"
    # a push asks for neither
    pushed = decide(project, 91, only_changed=True)
    assert not pushed.train and pushed.why == "nothing changed since its last training"


def test_changed_code_parameters_and_data_are_named_and_missing_outputs_are_no_change(
    project: Trainings,
) -> None:
    (project.root / FOLDER / "training/model.onnx").unlink()
    assert not decide(project).train
    project.history.write(f"{FOLDER}/training/params.yaml", "train:\n  rounds: 12\n")
    assert decide(project).why == "train.rounds 10 → 12"
    project.history.write(ROWS, "other\n")
    made = decide(project)
    assert made.train and not made.force
    assert made.why == f"{ROWS} modified; train.rounds 10 → 12"
    assert decide(project, only_changed=True).train


def test_a_drift_trains_what_changed_and_says_what_it_cannot_help(project: Trainings) -> None:
    still = decide(project, 91, drifted=[NAME])
    assert not still.train and "bring in newer data first (dvc update" in still.why
    assert decide(project, drifted=[]).why == "it did not drift"
    project.history.write(ROWS, "newer\n")
    assert decide(project, drifted=[NAME]).why == f"drifted; {ROWS} modified"
    gone = decide_due(project.root, drifted=["gone"])
    assert gone[-1] == DueModel("gone", False, "no stage of dvc.yaml trains it")


def test_an_import_from_a_file_is_due_when_the_file_is_newer_and_the_pointer_says_when(
    project: Trainings, tmp_path: Path
) -> None:
    source = tmp_path / "source.csv"
    source.write_text("1,2\n")
    imports(project, str(source))
    assert not decide(project).train
    source.write_text("1,2\n3,4\n")
    due = decide(project)
    assert due.train and due.why == f"newer data: {source}"
    update_import(project.root, due.imports[0].pointer)
    assert (project.root / ROWS).read_text() == "1,2\n3,4\n"
    pointer = yaml.safe_load((project.root / f"{ROWS}.dvc").read_text())
    facts = pointer["meta"]["slipway"]
    assert datetime.fromisoformat(facts["modified"]).tzinfo is not None
    # now it is the data that differ from dvc.lock
    assert decide(project).why == f"{ROWS} modified"
    dvc(project, "status", f"{ROWS}.dvc")
    source.unlink()
    failed = decide(project)
    assert failed.failed and "its source is gone" in failed.why


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """A bucket of moto's S3, whose objects have versions."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for key, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(key, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="data")
    client.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    yield client
    server.stop()


def test_an_import_from_s3_is_due_when_the_object_has_a_newer_etag(
    project: Trainings, bucket: object
) -> None:
    put = bucket.put_object  # type: ignore[attr-defined]
    put(Bucket="data", Key="rows.csv", Body=b"1,2\n")
    imports(project, "s3://data/rows.csv")
    assert not decide(project).train
    version = put(Bucket="data", Key="rows.csv", Body=b"1,2\n3,4\n")
    due = decide(project)
    assert due.train and due.why == "newer data: s3://data/rows.csv"
    said = update_import(project.root, due.imports[0].pointer)
    pointer = yaml.safe_load((project.root / f"{ROWS}.dvc").read_text())
    facts = pointer["meta"]["slipway"]
    assert facts["version"] in (version["VersionId"], version["ETag"].strip('"')), facts
    assert facts["modified"].startswith("20") and facts["version"] in said
    # DVC's own word
    assert not decide(project).imports


def test_a_name_without_a_training_is_an_error_that_names_those_with_one(
    project: Trainings,
) -> None:
    with pytest.raises(SlipwayError, match="no stage of dvc.yaml trains one") as caught:
        decide_due(project.root, ["one"])
    assert NAME in str(caught.value.fix)
