"""Read a line of a capture file: Slipway's own, or SageMaker's."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import numpy as np

from slipway.capture.inference_id import shadowed_event
from slipway.capture.record import CapturedRequest
from slipway.triton.bodies import Side, UndecodableError, parse_body
from slipway.triton.datatypes import Array

# where a program other than Slipway may name the model of a line
TARGET_FIELDS = ("targetModel", "target_model", "TargetModel")
WHOLE_BODY = "body"  # the one tensor of a body that has none


class ForeignLineError(ValueError):
    """A line is not one of a capture file; the message says why."""


def parse_line(
    line: bytes, *, endpoint: str = "", variant: str = "", target: str = ""
) -> CapturedRequest:
    """Return the captured request of a line; the values for SageMaker's lines, which do not name
    their endpoint, variant or target model, are given.

    A body of KServe gives its tensors. Other bodies give one tensor called ``body``: rows and
    columns of numbers or strings for CSV, else one string.

    Raises:
        ForeignLineError: it is not a line of a capture file.
    """
    try:
        values = json.loads(line)
        data, metadata = values["captureData"], values["eventMetadata"]
        ours = values.get("slipway", {})
        when = datetime.fromisoformat(
            str(ours.get("time") or metadata["inferenceTime"]).replace("Z", "+00:00")
        )
        inference_id = str(metadata.get("inferenceId") or "")
        shadowed = shadowed_event(inference_id)
        is_shadow = shadowed is not None or ours.get("role") == "shadow"
        inputs, parameters = _tensors(data.get("endpointInput"), "inputs")
        outputs, _ = _tensors(data.get("endpointOutput"), "outputs")
        return CapturedRequest(
            event_id=shadowed or str(metadata["eventId"]),
            when=when.replace(tzinfo=when.tzinfo or timezone.utc).astimezone(timezone.utc),
            endpoint=str(ours.get("endpoint", endpoint)),
            target=str(ours.get("targetModel") or _foreign_target(metadata) or target),
            variant=str(ours.get("variant", variant)),
            role="shadow" if is_shadow else "answer",
            inputs=inputs,
            outputs=outputs,
            redacted=dict(ours.get("redacted", {})),
            shapes={
                name: (str(kind), tuple(shape))
                for name, (kind, shape) in ours.get("shapes", {}).items()
            },
            parameters=parameters,
            notes=dict(ours.get("notes", {})),
            inference_id=inference_id,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ForeignLineError(f"not a captured request ({type(error).__name__})") from None


def _foreign_target(metadata: Mapping[str, Any]) -> str:
    """Return the target model that a line of another program names; empty if it names none.

    SageMaker keeps the caller's custom attributes, where an application may have put it.
    """
    for name in TARGET_FIELDS:
        if isinstance(metadata.get(name), str):
            return str(metadata[name])
    attributes = metadata.get("customAttributes", ())
    for attribute in [attributes] if isinstance(attributes, str) else attributes:
        for part in str(attribute).split(","):
            name, equals, value = part.partition("=")
            if equals and name.strip() in TARGET_FIELDS:
                return value.strip()
    return ""


def _tensors(body: Any, side: Side) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return a body's tensors and its parameters. Inputs or outputs alone may be captured."""
    if body is None:
        return {}, {}
    encoding, text = body["encoding"], body["data"]
    if not isinstance(text, str):
        raise ValueError("data is not a text")
    data = base64.b64decode(text, validate=True) if encoding == "BASE64" else text.encode()
    content_type = str(body.get("observedContentType") or "")
    try:
        parsed = parse_body(data, content_type, side)
        arrays = {name: tensor.array() for name, tensor in parsed.tensors.items()}
        return arrays, dict(parsed.parameters)
    except UndecodableError:
        is_csv = encoding == "CSV" or content_type.partition(";")[0].strip() == "text/csv"
        return {WHOLE_BODY: _csv(data) if is_csv else _one(data)}, {}


def _csv(data: bytes) -> Array:
    """Return rows of numbers; of strings where one is not a number; the whole as one string where
    rows differ in length."""
    try:
        rows = [row for row in csv.reader(io.StringIO(data.decode())) if row]
    except (UnicodeDecodeError, csv.Error):
        return _one(data)
    if len({len(row) for row in rows}) != 1:
        return _one(data)
    try:
        return np.array(rows, dtype=np.float64)
    except ValueError:
        return np.array([[cell.encode() for cell in row] for row in rows], dtype=np.object_)


def _one(data: bytes) -> Array:
    return np.array([data], dtype=np.object_)
