"""What an endpoint captures: what boto3 sent and was answered, and nothing else."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from slipway.capture.location import CaptureLocation
from slipway.capture.read import read_captured
from slipway.capture.record import CapturedRequest
from slipway.endpoint import console, serving
from slipway.settings import EndpointSettings, Settings
from slipway.triton import kserve
from tests.endpoint.shelf import Shelf, Up

TARGET, UNRECORDED = "scripted_1.0.0.tar.gz", "scripted_2.0.0.tar.gz"


def captured(folder: Path) -> list[CapturedRequest]:
    """Everything below ``folder``, in the order of time."""
    since = datetime.now(UTC) - timedelta(days=1)
    records = read_captured(CaptureLocation(folder=folder), since=since)
    return sorted(records, key=lambda record: record.when)


def ask(up: Up, target: str, value: float, **more: Any) -> str:
    """Invoke a target model, and return the request's id."""
    body, content_type = kserve.encode({"X": np.full(1, value, np.float32)})
    answer = up.caller.boto3.invoke_endpoint(
        **{"EndpointName": "local", "TargetModel": target, "Body": body} | more,
        ContentType=content_type,
    )
    answer["Body"].read()
    return str(answer["ResponseMetadata"]["RequestId"])


@pytest.fixture
def stored(shelf: Shelf) -> Shelf:
    """Two releases, of which one has a record."""
    for release, target in enumerate((TARGET, UNRECORDED), start=1):
        artifact = shelf.packed(release)
        shelf.write(target, artifact)
        if target == TARGET:
            shelf.record(target, artifact)
    return shelf


@pytest.fixture
def capturing(stored: Shelf, tmp_path: Path) -> Iterator[Up]:
    """An endpoint that captures in its release store."""
    configured = EndpointSettings("local", store=str(stored.folder), capture=True)
    with serving.serve_in_thread(Settings(root=tmp_path), [configured]) as served:
        yield Up(served)
    lines = console.describe_captures(served)
    assert lines == ["local: 4 answers captured; 1 not: unknown_rules"]


def test_answers_to_boto3_are_captured_by_the_ids_of_their_requests(
    capturing: Up, stored: Shelf
) -> None:
    ids = [ask(capturing, TARGET, value, InferenceId=f"id {value}") for value in range(4)]
    with pytest.raises(ClientError):  # of the model
        ask(capturing, TARGET, 7, Body=b"{}")
    with pytest.raises(ClientError):  # of the platform
        ask(capturing, "scripted_9.0.0.tar.gz", 7)
    ask(capturing, UNRECORDED, 7)  # what of it may be kept is not known

    endpoint = capturing.inside
    assert endpoint.capture is not None
    endpoint.capture.flush()
    assert f"captured: {endpoint.capture.location}" in console.greeting(capturing.served)
    with urllib.request.urlopen(f"{capturing.url}/state") as response:
        state = json.load(response)["endpoints"]["local"]["capture"]
    assert state == {
        "location": str(stored.folder / "captured"),
        "share": 1.0,
        "written": 4,
        "dropped": {"unknown_rules": 1},
    }
    with urllib.request.urlopen(f"{capturing.url}/metrics") as response:
        metrics = response.read().decode()
    for target, outcome, count in (
        (TARGET, "written", 4),
        (TARGET, "offered", 4),
        (UNRECORDED, "dropped.unknown_rules", 1),
    ):
        labels = f'EndpointName="local",Outcome="{outcome}",TargetModel="{target}"'
        assert f"Captures_total{{{labels}}} {count}.0" in metrics

    capturing.inside.capture.close()  # type: ignore[union-attr]
    records = captured(stored.folder / "captured")
    assert [record.event_id for record in records] == ids
    for value, record in enumerate(records):
        assert (record.target, record.endpoint, record.variant) == (TARGET, "local", "AllTraffic")
        assert record.inputs["X"].tolist() == [value]
        assert record.outputs["Y"].tolist() == [2 * value + 1]
    lines = [
        json.loads(line)
        for path in (stored.folder / "captured").rglob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    inference_ids = {line["eventMetadata"]["inferenceId"] for line in lines}
    assert inference_ids == {f"id {value}" for value in range(4)}
