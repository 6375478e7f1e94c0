"""The statement of a training: what it says, who signed it, and how a wrong one is noticed."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.catalog.keys import Kind
from slipway.catalog.weights_source import RunReference
from slipway.errors import SlipwayError
from slipway.release.evidence import envelope, evidence, merge, summary
from slipway.release.evidence import statement as statements
from slipway.release.evidence.trained import match_training
from slipway.release.evidence.training import (
    BUILD_TYPE,
    AttestedTraining,
    dump_training,
    parse_training,
)
from slipway.training.run import Compared, DataFile, Stage, TrainingRun, dump_run
from tests.lineage.trained_repository import (
    IMAGE,
    ROWS,
    TRAINING,
    VERSION_ID,
    WEIGHTS,
    TrainedRepository,
    md5,
    sample_run,
)
from tests.release.evidence.sample_model import ORIGIN, KeyFiles, SampleModel, create_key_files

PAYLOAD = "application/vnd.in-toto+json"
MODEL = "tiny_inferencer/1/model.onnx"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainedRepository:
    repository = TrainedRepository(tmp_path_factory.mktemp("trained") / "repository")
    repository.record(sample_run())
    return repository


@pytest.fixture(scope="module")
def sample(trained: TrainedRepository) -> SampleModel:
    return SampleModel(trained.packed(), trained.settings)


@pytest.fixture(scope="module")
def attested(trained: TrainedRepository, sample: SampleModel) -> AttestedTraining:
    match = match_training(trained.root, trained.folder, sample.artifact)
    assert match.training is not None and match.notes == ()
    return match.training


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> KeyFiles:
    return create_key_files(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def signed(sample: SampleModel, attested: AttestedTraining, key: KeyFiles) -> dict[Any, bytes]:
    return evidence.collect_evidence(sample.artifact, sample.signed(key), ORIGIN, [], attested)


def statement(document: bytes) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(base64.b64decode(json.loads(document)["payload"]))
    return payload


def sealed(payload: bytes) -> bytes:
    return envelope.seal_envelope(payload, PAYLOAD, None)


def problems(documents: Any, sample: SampleModel, *trusted: KeyFiles, **options: Any) -> list[str]:
    require = options.pop("require", ())
    return evidence.find_problems(
        documents, sample.artifact.sha256, sample.signed(None, trusted), require, **options
    )


def test_a_signed_training_is_sound_and_meets_what_production_requires(
    signed: dict[Any, bytes], sample: SampleModel, key: KeyFiles, attested: AttestedTraining
) -> None:
    require = ("provenance", "training", "signature")
    named = attested.reference
    assert problems(signed, sample, key, require=require, trained_by=named) == []
    without = {kind: data for kind, data in signed.items() if kind != "training"}
    assert problems(without, sample, key, require=("training",)) == ["no training"]
    [line] = [line for line in summary.summarize(signed) if line.startswith("training")]
    assert line.startswith("training: tiny-20261130t234000z-0a1b2c on sagemaker, commit 7777777;")


def test_the_statement_says_from_what_the_weights_were_trained(signed: dict[Any, bytes]) -> None:
    said = statement(signed["training"])
    assert said["predicateType"] == "https://slsa.dev/provenance/v1"
    assert said["subject"] == [{"name": MODEL, "digest": {"md5": md5(WEIGHTS)}}]
    definition, details = said["predicate"]["buildDefinition"], said["predicate"]["runDetails"]
    assert definition["buildType"] == BUILD_TYPE
    assert definition["externalParameters"] == {
        "model": "tiny",
        "parameters": {"train.rounds": 20, "train.rate": 0.1},
    }
    inputs = {entry["name"]: entry for entry in definition["resolvedDependencies"]}
    assert set(inputs) == {
        "git",
        "image",
        "training/requirements.lock",
        f"{TRAINING}/export.py",
        f"{TRAINING}/rows.csv",
        f"{TRAINING}/train.py",
    }
    assert inputs["git"]["digest"] == {"gitCommit": "7" * 40}
    assert inputs["image"]["uri"] == IMAGE.partition("@")[0]
    assert inputs["image"]["digest"] == {"sha256": "5" * 64}
    rows = inputs[f"{TRAINING}/rows.csv"]
    assert rows["digest"] == {"md5": md5(ROWS)}
    assert rows["annotations"] == {
        "size": len(ROWS),
        # neither the user nor the signature of the URL
        "source": {
            "from": "s3://bucket/rows.csv",
            "version": VERSION_ID,
            "kept": f"{TRAINING}/rows.csv.dvc",
        },
    }
    assert details["metadata"] == {
        "invocationId": "tiny-20261130t234000z-0a1b2c",
        "startedOn": "2026-11-30T23:40:00Z",
        "finishedOn": "2026-11-30T23:40:35Z",
    }
    byproducts = {entry["name"]: entry for entry in details["byproducts"]}
    content = base64.b64decode(byproducts["run.json"]["content"])
    assert content == dump_run(sample_run()).encode()
    metrics = base64.b64decode(byproducts["metrics.json"]["content"])
    assert json.loads(metrics) == {"test.auc": 0.9791, "test.frames": 400.0}
    assert json.loads(base64.b64decode(byproducts["comparison.json"]["content"]))["release"] == (
        "1.1.0"
    )


def test_in_totos_own_library_reads_it_and_the_signature_verifies_without_slipway(
    signed: dict[Any, bytes], key: KeyFiles
) -> None:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from google.protobuf.json_format import Parse, ParseDict
    from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
    from in_toto_attestation.v1 import statement_pb2
    from in_toto_attestation.v1.statement import Statement
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SSlibKey

    opened = Envelope.from_dict(json.loads(signed["training"]))
    public = SSlibKey.from_crypto(load_pem_public_key(key.public.read_bytes()))
    assert opened.verify([public], 1)
    message = Parse(opened.payload, statement_pb2.Statement())
    Statement.copy_from_pb(message).validate()
    predicate = ParseDict(
        json.loads(opened.payload)["predicate"], provenance_pb2.Provenance()
    )  # knows every field
    run = next(one for one in predicate.run_details.byproducts if one.name == "run.json")
    assert hashlib.sha256(run.content).hexdigest() == run.digest["sha256"]


def test_equal_runs_have_equal_statements(
    signed: dict[Any, bytes], sample: SampleModel, attested: AttestedTraining, key: KeyFiles
) -> None:
    again = evidence.collect_evidence(sample.artifact, sample.signed(key), ORIGIN, [], attested)
    assert again["training"] == signed["training"]


def _other_metrics(said: dict[str, Any]) -> None:
    run = json.loads(base64.b64decode(_byproduct(said)["content"]))
    run["metrics"]["test.auc"] = 0.99
    content = (json.dumps(run, indent=1, sort_keys=True) + "\n").encode()
    _byproduct(said)["content"] = base64.b64encode(content).decode()
    _byproduct(said)["digest"]["sha256"] = hashlib.sha256(content).hexdigest()


def _byproduct(said: dict[str, Any]) -> dict[str, Any]:
    byproducts = said["predicate"]["runDetails"]["byproducts"]
    found: dict[str, Any] = next(one for one in byproducts if one["name"] == "run.json")
    return found


def _definition(said: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = said["predicate"]["buildDefinition"]
    return found


MISTAKES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no record of the run": (
        lambda said: said["predicate"]["runDetails"].pop("byproducts"),
        "not the statement of a training",
    ),
    "another digest than the record's": (
        lambda said: _byproduct(said)["digest"].update(sha256="0" * 64),
        "another digest",
    ),
    "metrics that the fields contradict": (_other_metrics, "says something else than the record"),
    "a parameter that the run did not have": (
        lambda said: _definition(said)["externalParameters"]["parameters"].update(
            {"train.rounds": 21}
        ),
        "says something else than the record",
    ),
    "other data": (
        lambda said: _definition(said)["resolvedDependencies"][-2]["digest"].update(md5="0" * 32),
        "says something else than the record",
    ),
    "another build": (
        lambda said: _definition(said).update(buildType="urn:x-slipway:build:triton-model:v1"),
        "a statement of the type",
    ),
    "weights that the run did not make": (
        lambda said: said["subject"][0]["digest"].update(md5="0" * 32),
        "its run did not make",
    ),
    "no digest that DVC has": (
        lambda said: said["subject"][0].update(digest={"sha256": "0" * 64}),
        "its run did not make",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_statement_that_was_changed_is_a_problem(
    mistake: str, signed: dict[Any, bytes], sample: SampleModel
) -> None:
    change, message = MISTAKES[mistake]
    said = statement(signed["training"])
    change(said)
    found = problems({**signed, "training": sealed(json.dumps(said).encode())}, sample)
    assert len(found) == 1 and found[0].startswith("training: ") and message in found[0]


def test_any_bit_of_a_signed_statement_counts(
    signed: dict[Any, bytes], sample: SampleModel, key: KeyFiles
) -> None:
    document = signed["training"]
    for position in range(0, len(document), 211):
        changed = bytearray(document)
        changed[position] ^= 1
        assert problems({**signed, "training": bytes(changed)}, sample, key), position


def test_a_training_of_other_weights_is_refused_by_the_provenance(
    signed: dict[Any, bytes], sample: SampleModel
) -> None:
    run = sample_run(b"others")
    foreign = AttestedTraining(run, {MODEL: {"md5": md5(b"others")}})
    documents = {**signed, "training": sealed(dump_training(foreign))}
    assert problems(documents, sample) == [
        f"training: about another file than the artifact's {MODEL}"
    ]
    elsewhere = AttestedTraining(sample_run(), {"a/1/model.onnx": {"md5": md5(WEIGHTS)}})
    documents = {**signed, "training": sealed(dump_training(elsewhere))}
    assert problems(documents, sample) == [
        "training: about another file than the artifact's a/1/model.onnx"
    ]
    alone = {"training": signed["training"]}
    assert problems(alone, sample) == ["training: there is no provenance that names the weights"]


def test_another_run_than_the_record_names_is_a_problem(
    signed: dict[Any, bytes], sample: SampleModel
) -> None:
    other = RunReference("tiny-20260101t000000z-ffffff", "0" * 64, "local")
    assert problems(signed, sample, trained_by=other) == [
        f"training: it is of {sample_run().id}, the record names {other.id}"
    ]
    without = {kind: data for kind, data in signed.items() if kind != "training"}
    assert problems(without, sample, trained_by=other) == [
        f"training: it is missing, and the record names {other.id}"
    ]


def test_the_first_training_stays_unless_it_is_damaged_or_another_key_signs(
    signed: dict[Any, bytes], sample: SampleModel, attested: AttestedTraining, tmp_path: Path
) -> None:
    later = replace(attested, run=sample_run(id="tiny-20261201t000000z-ffffff"))
    again: dict[Kind, bytes] = {"training": sealed(dump_training(later))}
    assert "training" not in merge.merge_evidence(signed, again)
    assert merge.merge_evidence({**signed, "training": b"{}"}, again) == again
    other = create_key_files(tmp_path, "other")
    resigned = evidence.collect_evidence(
        sample.artifact, sample.signed(other), ORIGIN, [], attested
    )
    assert merge.merge_evidence(signed, resigned)["training"] == resigned["training"]


def test_the_record_of_an_earlier_version_keeps_its_bytes(attested: AttestedTraining) -> None:
    values = json.loads(dump_run(sample_run()))
    for added_later in [key for key in ("reason",) if key in values]:
        del values[added_later]
    earlier = replace(attested, record=json.dumps(values).encode())
    found = parse_training(statements.parse_statement(dump_training(earlier)), "training")
    assert found.content == earlier.record and found.run == attested.run
    assert found.reference.sha256 == hashlib.sha256(earlier.record).hexdigest()


names = st.text("abcdefgh_./", min_size=1, max_size=12)
values = st.one_of(
    st.integers(-(2**40), 2**40), st.floats(), st.text(max_size=8), st.booleans(), st.none()
)
files = st.builds(
    DataFile,
    names,
    st.binary(max_size=4).map(lambda data: f"md5:{md5(data)}"),
    st.one_of(st.none(), st.integers(0, 2**40)),
)
stages = st.builds(
    Stage,
    names,
    st.text(max_size=20),
    st.lists(files, max_size=3).map(tuple),
    st.dictionaries(names, values, max_size=3),
    st.lists(files, max_size=3).map(tuple),
    st.sampled_from(["ran", "run cache", "unchanged"]),
)
finite = st.floats(allow_nan=False, allow_infinity=False)
runs = st.builds(
    TrainingRun,
    id=st.just("m-20261130t234000z-0a1b2c"),
    model=names,
    place=st.sampled_from(["local", "sagemaker", "airflow"]),
    commit=st.sampled_from(["", "7" * 40]),
    dirty=st.booleans(),
    started=st.just("2026-11-30T23:40:00Z"),
    seconds=st.floats(0, 1e6),
    lock_sha256=st.sampled_from(["", "1" * 64]),
    stages=st.lists(stages, min_size=1, max_size=3).map(tuple),
    parameters=st.dictionaries(names, values, max_size=3),
    metrics=st.dictionaries(names, finite, max_size=3),
    image=st.sampled_from([None, IMAGE, f"sha256:{'5' * 64}"]),
    compared=st.one_of(
        st.none(), st.builds(Compared, st.none(), st.dictionaries(names, finite), st.just("none"))
    ),
)


@settings(max_examples=60, deadline=None)
@given(runs)
def test_what_is_written_of_a_run_is_read_back(run: TrainingRun) -> None:
    outs = [out for stage in run.stages for out in stage.outs]
    if not outs:
        return
    subjects = {"m/1/model": {"md5": outs[0].hash.removeprefix("md5:")}}
    payload = dump_training(AttestedTraining(run, subjects))
    found = parse_training(statements.parse_statement(payload), "training")
    assert found.subjects == subjects
    assert found.content == dump_run(run).encode() == dump_run(found.run).encode()
    assert dump_training(found) == payload


def test_a_damaged_record_beside_the_model_is_an_error_that_names_it(
    trained: TrainedRepository, sample: SampleModel
) -> None:
    record = trained.folder / "training/run.json"
    text = record.read_text(encoding="utf-8")
    try:
        record.write_text("{}", encoding="utf-8")
        with pytest.raises(SlipwayError, match="not the record of a training run") as caught:
            match_training(trained.root, trained.folder, sample.artifact)
        assert caught.value.where == str(record)
    finally:
        record.write_text(text, encoding="utf-8")
