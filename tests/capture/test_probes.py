"""Requests of Slipway's own are no traffic."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from slipway.capture.location import CaptureLocation
from slipway.capture.probe import PROBE
from slipway.capture.read import ReadCounts, read_captured
from tests.capture.exchanges import CSV_LINE


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
