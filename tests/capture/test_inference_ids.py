"""What a request says in its InferenceId: that it is no traffic, or which answer it shadows."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.capture.inference_id import PROBE, shadow_of, shadowed_event
from slipway.capture.location import CaptureLocation
from slipway.capture.parse_line import parse_line
from slipway.capture.read import ReadCounts, read_captured
from slipway.capture.sampling import is_sampled
from tests.capture.exchanges import CSV_LINE, exchange


@pytest.mark.parametrize(("inference_id", "kept"), [(PROBE, 0), ("an-application", 1), ("", 1)])
def test_a_request_of_slipway_that_sagemaker_captured_is_not_read(
    tmp_path: Path, inference_id: str, kept: int
) -> None:
    now = datetime.now(UTC)
    line = json.loads(CSV_LINE)
    line["eventMetadata"]["inferenceTime"] = now.isoformat()
    if inference_id:
        line["eventMetadata"]["inferenceId"] = inference_id
    folder = tmp_path / "e" / "AllTraffic" / now.strftime("%Y/%m/%d/%H")
    folder.mkdir(parents=True)
    (folder / "file.jsonl").write_text(json.dumps(line) + "\n")
    counts = ReadCounts()
    read = read_captured(
        CaptureLocation(folder=tmp_path, foreign=True),
        since=now - timedelta(minutes=5),
        until=now + timedelta(minutes=5),
        target="m_1.0.0.tar.gz",
        counts=counts,
    )
    assert [request.inference_id for request in read] == [inference_id] * kept
    assert counts.probes == 1 - kept


def test_a_shadow_that_the_endpoint_captured_belongs_to_the_answer_that_was_returned() -> None:
    line = json.loads(CSV_LINE)
    answered = parse_line(json.dumps(line).encode())
    line["eventMetadata"] |= {"eventId": "its own", "inferenceId": shadow_of(answered.event_id)}
    shadow = parse_line(json.dumps(line).encode())
    assert (answered.role, shadow.role) == ("answer", "shadow")
    assert shadow.event_id == answered.event_id


def test_an_inference_id_has_room_for_a_request_id() -> None:
    assert len(shadow_of(str(uuid.uuid4()))) <= 64  # AWS, InvokeEndpoint


@given(st.text())
def test_the_event_of_a_shadow_is_read_back(event_id: str) -> None:
    assert (shadowed_event(shadow_of(event_id)) or "") == event_id
    assert shadowed_event("") is None


@given(st.uuids(), st.uuids(), st.floats(0, 1))
def test_a_shadow_is_kept_if_its_answer_is(answer: uuid.UUID, own: uuid.UUID, share: float) -> None:
    answered = exchange(event_id=str(answer))
    shadow = exchange(event_id=str(own), inference_id=shadow_of(answered.event_id))
    assert is_sampled(shadow.sampling_id, share) == is_sampled(answered.sampling_id, share)
