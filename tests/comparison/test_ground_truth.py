"""Ground truth by event id: SageMaker's JSON lines, and tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from slipway.comparison.ground_truth import EXAMPLE, read_ground_truth
from slipway.errors import SlipwayError


def line(data: Any, encoding: str = "CSV", **metadata: str) -> str:
    return json.dumps(
        {
            "groundTruthData": {"data": data, "encoding": encoding},
            "eventMetadata": metadata or {"eventId": "e1"},
            "eventVersion": "0",
        }
    )


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (line("1"), ("1",)),
        (line("cat,dog"), ("cat", "dog")),
        (line('"a, b",c'), ("a, b", "c")),
        (line("[1, 0]", "JSON"), ("1", "0")),
        (line(["x"], "JSON"), ("x",)),
        (line("MQ==", "BASE64"), ("1",)),
        (line("1", inferenceId="e1"), ("1",)),
    ],
)
def test_sagemakers_lines_are_read(tmp_path: Path, text: str, labels: tuple[str, ...]) -> None:
    (tmp_path / "labels.jsonl").write_text(f"{text}\n\n")
    assert read_ground_truth(tmp_path / "labels.jsonl") == {"e1": labels}


def test_a_table_has_a_line_for_each_row_of_a_request(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("event_id,label\ne1,cat\ne1,dog\ne2,cat\n")
    assert read_ground_truth(tmp_path / "l.csv") == {"e1": ("cat", "dog"), "e2": ("cat",)}


def test_a_folder_is_read_as_sagemaker_lays_it_out(tmp_path: Path) -> None:
    for hour in ("09", "10"):
        folder = tmp_path / "2026/11/30" / hour
        folder.mkdir(parents=True)
        (folder / "f.jsonl").write_text(line("1", eventId=f"e{hour}"))
    assert set(read_ground_truth(tmp_path)) == {"e09", "e10"}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("l.jsonl", "{", r"l\.jsonl:1: not a line of ground truth"),
        ("l.jsonl", line("1") + "\n" + line({"a": 1}, "JSON"), r"l\.jsonl:2: not a line"),
        ("l.jsonl", line(""), "not a line of ground truth"),
        ("l.jsonl", line(None, "JSON"), "not a line of ground truth"),
        ("l.jsonl", "[]", "not a line of ground truth"),
        ("l.jsonl", "", "no label in it"),
        ("l.csv", "id,y\n1,2\n", r"l\.csv:1: its columns are id, y"),
        ("l.csv", "event_id,label\ne1,\n", r"l\.csv:2: a line without an event id or a label"),
        ("l.csv", "event_id,label\n", "no label in it"),
    ],
)
def test_a_malformed_file_is_refused_at_its_line(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SlipwayError, match=message):
        read_ground_truth(tmp_path / name)


def test_the_fix_of_a_malformed_line_is_a_line_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "l.jsonl").write_text(EXAMPLE)
    assert read_ground_truth(tmp_path / "l.jsonl") == {"…": ("1",)}
