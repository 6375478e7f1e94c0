"""Read ground truth: SageMaker's files for merging it, or a table of event ids and labels."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError

Truth = dict[str, tuple[str, ...]]
JSON_LINES = (".jsonl", ".json")
COLUMNS = ("event_id", "label")
EXAMPLE = (
    '{"groundTruthData": {"data": "1", "encoding": "CSV"},'
    ' "eventMetadata": {"eventId": "…"}, "eventVersion": "0"}'
)


def read_ground_truth(path: Path) -> Truth:
    """Return the labels by event id, one for each row of the request.

    ``path`` is a file, or a folder whose files are read, as SageMaker lays them out by the hour. A
    ``.csv`` has the columns ``event_id`` and ``label``, and a line for each row of a request. Any
    other file has SageMaker's JSON lines. Of an id in several files or lines of JSON, the last
    counts.

    Raises:
        SlipwayError: there is no file, or a line is malformed; names the line.
    """
    files = sorted(f for f in path.rglob("*") if f.suffix in (*JSON_LINES, ".csv"))
    truth: Truth = {}
    for file in files if path.is_dir() else [path]:
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise SlipwayError(
                f"cannot be read: {error}", where=str(file), fix="name a file of labels"
            ) from error
        reader = _read_table if file.suffix == ".csv" else _read_lines
        truth |= reader(text, str(file))
    if not truth:
        raise SlipwayError("no label in it", where=str(path), fix=f"lines such as {EXAMPLE}")
    return truth


def _read_table(text: str, where: str) -> Truth:
    reader = csv.DictReader(io.StringIO(text))
    if not set(COLUMNS) <= set(reader.fieldnames or ()):
        raise SlipwayError(
            f"its columns are {', '.join(reader.fieldnames or ['none'])}",
            where=f"{where}:1",
            fix=f"the first line is {','.join(COLUMNS)}",
        )
    truth: Truth = {}
    for row in reader:
        event_id, label = row["event_id"], row["label"]
        if not event_id or label is None or not label.strip():
            raise SlipwayError(
                "a line without an event id or a label",
                where=f"{where}:{reader.line_num}",
                fix="leave out what has no label",
            )
        truth[event_id] = (*truth.get(event_id, ()), label.strip())
    return truth


def _read_lines(text: str, where: str) -> Truth:
    truth: Truth = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
            metadata = document["eventMetadata"]
            event_id = metadata.get("eventId") or metadata["inferenceId"]
            labels = tuple(_labels(document["groundTruthData"]))
            if not isinstance(event_id, str) or not labels:
                raise ValueError("no event id, or no label")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise SlipwayError(
                f"not a line of ground truth: {error!r:.100}",
                where=f"{where}:{number}",
                fix=f"lines such as {EXAMPLE}",
            ) from error
        truth[event_id] = labels
    return truth


def _labels(data: dict[str, Any]) -> Iterator[str]:
    value, encoding = data["data"], data.get("encoding", "CSV")
    if encoding == "BASE64":
        value = base64.b64decode(value, validate=True).decode("utf-8")
    if encoding == "JSON" and isinstance(value, str):
        value = json.loads(value)
    if isinstance(value, dict):
        raise ValueError("data is an object, not a label or a list of labels")
    if isinstance(value, str):
        value = [text for row in csv.reader(value.splitlines()) for text in row]
    for label in value if isinstance(value, list) else [value]:
        if isinstance(label, dict | list) or label is None or not str(label).strip():
            raise ValueError("a label is not a text or a number")
        yield str(label).strip()
