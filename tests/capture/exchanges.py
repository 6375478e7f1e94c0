"""Exchanges and rules for the tests of captures."""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from slipway.capture.exchange import Exchange
from slipway.capture.location import CaptureLocation
from slipway.capture.read import read_captured
from slipway.capture.record import CapturedRequest
from slipway.model.capture_rules import CaptureRules, parse_capture_rules
from slipway.triton.datatypes import Array
from slipway.triton.kserve import BINARY, encode

TARGET = "m_1.0.0.tar.gz"
KEEP_ALL = CaptureRules()
# lines that SageMaker wrote: its developer guide, and a book's chapter on Model Monitor
CSV_LINE = b"""{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT",\
"data":"0.00632,18.00,2.310,0,0.5380,6.5750,65.20,4.0900,1,296.0,15.30,4.98","encoding":"CSV"},\
"endpointOutput":{"observedContentType":"text/csv; charset=utf-8","mode":"OUTPUT",\
"data":"30.4133586884","encoding":"CSV"}},"eventMetadata":{"eventId":\
"8f45e35c-fa44-40d2-8ed3-1bcab3a596f3","inferenceTime":"2020-07-30T13:36:30Z"},"eventVersion":"0"}
"""
BASE64_LINE = b"""{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT",\
"data":"MSwyLDMK","encoding":"BASE64"}},"eventMetadata":{"customAttributes":\
["trace=7,targetModel=a_1.2.0.tar.gz"],"eventId":"1","inferenceTime":"2020-07-30T13:36:30.5Z"},\
"eventVersion":"0"}
"""


def rules(tensor: Mapping[str, Any] | None = None, **values: Any) -> CaptureRules:
    """The rules that a capture.toml with these tables gives."""
    return parse_capture_rules({"tensor": dict(tensor or {}), **values}, where="capture.toml")


def response(outputs: Mapping[str, Array]) -> tuple[bytes, str]:
    """The bytes and content type of a response, as Triton makes it of binary tensors."""
    body, content_type = encode(outputs)
    size = int(content_type[len(BINARY) :])
    header = body[:size].replace(b'{"inputs"', b'{"outputs"', 1)
    return header + body[size:], f"{BINARY}{len(header)}"


def exchange(
    inputs: Mapping[str, Array] | None = None,
    outputs: Mapping[str, Array] | None = None,
    **values: Any,
) -> Exchange:
    """A request of binary tensors, and its answer, just now."""
    sent = {"X": np.ones((1, 2), np.float32)} if inputs is None else inputs
    request, request_type = encode(sent)
    answered = {"Y": np.zeros((1, 1), np.int64)} if outputs is None else outputs
    answer, answer_type = response(answered)
    fields: dict[str, Any] = {
        "event_id": str(uuid.uuid4()), "when": time.time(), "endpoint": "local",
        "variant": "AllTraffic", "target": TARGET, "request": request,
        "request_type": request_type, "response": answer, "response_type": answer_type,
    }  # fmt: skip
    return Exchange(**{**fields, **values})


def picture(width: int = 640, height: int = 480, kind: str = "JPEG") -> bytes:
    """An encoded picture, with an EXIF tag where its kind has them."""
    from PIL import Image

    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "taken at home"  # ImageDescription
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    image.save(out, kind, **({"exif": exif} if kind == "JPEG" else {}))
    return out.getvalue()


def read_all(location: CaptureLocation, **wanted: Any) -> list[CapturedRequest]:
    """What the last hours captured."""
    since = datetime.now(UTC) - timedelta(hours=3)
    return list(read_captured(location, **{"since": since, **wanted}))
