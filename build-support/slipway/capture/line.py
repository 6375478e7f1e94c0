"""Write an exchange as one line of a capture file, in SageMaker's form.

Source of the form: SageMaker's developer guide, "Capture data from real-time endpoint". What
SageMaker does not have is in the object ``slipway`` at the end, which its readers pass over.
"""

from __future__ import annotations

import binascii
import json
from datetime import datetime, timezone
from typing import Any

from slipway.capture.exchange import Exchange
from slipway.capture.hash_key import HashKey
from slipway.capture.redact import Redactions, redact
from slipway.model.capture_rules import CaptureRules
from slipway.triton.bodies import build_body, parse_body

FORMAT = 1
JSON_TYPES = ("application/json", "application/jsonlines")
CSV_TYPES = ("text/csv",)


def encode_line(exchange: Exchange, rules: CaptureRules, key: HashKey | None) -> bytes:
    """Return the line of an exchange, with its end; ``key`` is that of hashes.

    Bodies are kept as they are where the rules keep everything. Otherwise they are bodies of the
    tensors that are kept.

    Raises:
        UndecodableError: tensors are to be redacted, but a body is not one of KServe.
    """
    done = Redactions()
    request, request_type = exchange.request, exchange.request_type
    response, response_type = exchange.response, exchange.response_type
    if rules.redacts:
        asked = parse_body(request, request_type, "inputs")
        answered = parse_body(response, response_type, "outputs")
        request, request_type = build_body(redact(asked, rules, key, done))
        response, response_type = build_body(redact(answered, rules, key, done))
    when = datetime.fromtimestamp(exchange.when, timezone.utc)
    metadata = {"eventId": exchange.event_id, "inferenceTime": f"{when:%Y-%m-%dT%H:%M:%SZ}"}
    if exchange.inference_id:
        metadata["inferenceId"] = exchange.inference_id
    ours: dict[str, Any] = {
        "format": FORMAT,
        "time": when.isoformat(timespec="microseconds"),
        "endpoint": exchange.endpoint,
        "variant": exchange.variant,
        "targetModel": exchange.target,
        "role": exchange.role,
        "retentionDays": rules.retention_days,
        **done.dump(),
    }
    if key is not None and "hash" in done.redacted.values():
        ours["hashKey"] = key.id
    parts = [
        b'{"captureData":{"endpointInput":',
        _body(request, request_type, b"INPUT"),
        b',"endpointOutput":',
        _body(response, response_type, b"OUTPUT"),
        b'},"eventMetadata":',
        _dump(metadata),
        b',"eventVersion":"0","slipway":',
        _dump(ours),
        b"}\n",
    ]
    return b"".join(parts)


def _body(body: bytes, content_type: str, mode: bytes) -> bytes:
    """Return the JSON of one body; base64 is written as it is, without a pass to escape it."""
    kind = content_type.partition(";")[0].strip().lower()
    encoding, data = b"BASE64", None
    if kind in JSON_TYPES or kind in CSV_TYPES:
        try:
            data = _dump(body.decode())
            encoding = b"JSON" if kind in JSON_TYPES else b"CSV"
        except UnicodeDecodeError:
            pass  # not the text that it says it is
    if data is None:
        data = b'"' + binascii.b2a_base64(body, newline=False) + b'"'
    head = b'{"observedContentType":' + _dump(content_type) + b',"mode":"' + mode + b'","data":'
    return head + data + b',"encoding":"' + encoding + b'"}'


def _dump(value: object) -> bytes:
    """Return JSON in ASCII: no line can hold a line break, and any header can be written."""
    return json.dumps(value, separators=(",", ":")).encode()
