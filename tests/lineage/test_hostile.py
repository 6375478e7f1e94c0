"""A statement from a store is untrusted: whatever is in it, there is an error or a lineage."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from slipway.artifact.manifest import Manifest
from slipway.catalog.origin import Origin
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.lineage.build import build_lineage
from slipway.lineage.facts import ReleaseFacts, StoredRelease
from slipway.lineage.mermaid import render_mermaid
from slipway.lineage.text import render_text
from slipway.lineage.values import lineage_values
from slipway.release.evidence import statement as statements
from slipway.release.evidence.training import AttestedTraining, dump_training, parse_training
from slipway.training.run import dump_run, parse_run
from tests.lineage.trained_repository import WEIGHTS, md5, sample_run

MODEL = "tiny_inferencer/1/model.onnx"
OTHERS: tuple[Any, ...] = (None, 0, -1, True, "", "\0", "x", [], ["x"], {}, {"x": []}, float("inf"))


def places(value: Any, *above: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each value in JSON, those that hold others too."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in inner:
        yield (*above, key)
        if isinstance(part, dict | list):
            yield from places(part, *above, key)


def changed(values: Any, place: tuple[Any, ...], other: Any) -> Any:
    copy = json.loads(json.dumps(values))
    holder = copy
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = other
    return copy


RECORD = json.loads(dump_run(sample_run()))
STATEMENT = json.loads(
    dump_training(AttestedTraining(sample_run(), {MODEL: {"md5": md5(WEIGHTS)}}))
)


def lineage_of(training: AttestedTraining) -> None:
    """Build and render everything."""
    weights = {MODEL: {"md5": md5(WEIGHTS), "size": 9}}
    record = Record(
        Manifest("tiny", "1.0.0", "tiny", {}, weights, None, "s"),
        "tiny_1.0.0.tar.gz",
        "5" * 64,
        "2026-11-30T23:50:00Z",
        Origin("7" * 40),
        training=training.reference,
        weights_from={},
    )
    facts = ReleaseFacts((StoredRelease("production", record, None, ()),), training)
    found = build_lineage(facts)
    assert render_text(found) and render_mermaid(found)
    json.dumps(lineage_values(found), allow_nan=False)


@pytest.mark.parametrize("other", OTHERS, ids=repr)
def test_any_value_of_the_record_may_be_another(other: Any) -> None:
    for place in places(RECORD):
        record = json.dumps(changed(RECORD, place, other)).encode()
        try:
            run = parse_run(record.decode(), where="run.json")
            payload = dump_training(
                AttestedTraining(run, {MODEL: {"md5": md5(WEIGHTS)}}, {}, record)
            )
        except Exception:  # no honest writer gets this far: the statement is written by hand
            said = json.loads(json.dumps(STATEMENT))
            [embedded] = (
                byproduct
                for byproduct in said["predicate"]["runDetails"]["byproducts"]
                if byproduct["name"] == "run.json"
            )
            embedded["content"] = base64.b64encode(record).decode()
            embedded["digest"]["sha256"] = hashlib.sha256(record).hexdigest()
            payload = json.dumps(said).encode()
        try:
            training = parse_training(statements.parse_statement(payload), "training")
        except SlipwayError:
            continue
        lineage_of(training)


@pytest.mark.parametrize("other", OTHERS, ids=repr)
def test_any_value_of_the_statement_may_be_another(other: Any) -> None:
    for place in places(STATEMENT):
        said = changed(STATEMENT, place, other)
        try:
            training = parse_training(
                statements.parse_statement(json.dumps(said).encode()), "training"
            )
        except (SlipwayError, ValueError):
            continue
        lineage_of(training)
