"""Write an exchange as one line of a capture file, in SageMaker's form.

Source of the form: SageMaker's developer guide, "Capture data from real-time endpoint". What
SageMaker does not have is in the object ``slipway`` at the end, which its readers pass over.
"""

from __future__ import annotations

import binascii
import json
import math
from datetime import datetime, timezone
from functools import lru_cache

from slipway.capture.exchange import Exchange
from slipway.capture.hash_key import HashKey
from slipway.capture.record import Role
from slipway.capture.redact import Redactions, redact
from slipway.model.capture_rules import CaptureRules
from slipway.triton.bodies import build_body, parse_body

FORMAT = 1
JSON_TYPES = ("application/json", "application/jsonlines")
CSV_TYPES = ("text/csv",)
TO_SECONDS = 19  # characters of an ISO time
# made once: json.dumps makes an encoder for each call, which takes longer than to encode. In ASCII,
# so that no line can hold a line break, and any header can be written
_dump = json.JSONEncoder(separators=(",", ":")).encode


def encode_line(exchange: Exchange, rules: CaptureRules, key: HashKey | None) -> bytes:
    """Return the line of an exchange, with its end; ``key`` is that of hashes.

    Bodies are kept as they are where the rules keep everything. Otherwise they are bodies of the
    tensors that are kept.

    Raises:
        UndecodableError: tensors are to be redacted, but a body is not one of KServe.
    """
    request, request_type = exchange.request, exchange.request_type
    response, response_type = exchange.response, exchange.response_type
    redacted = ""
    if rules.redacts:
        done = Redactions()
        asked = parse_body(request, request_type, "inputs")
        answered = parse_body(response, response_type, "outputs")
        request, request_type = build_body(redact(asked, rules, key, done))
        response, response_type = build_body(redact(answered, rules, key, done))
        redacted = "".join(f",{_dump(name)}:{_dump(value)}" for name, value in done.dump().items())
        if key is not None and "hash" in done.redacted.values():
            redacted += f',"hashKey":{_dump(key.id)}'
    when = _time(exchange.when)
    called = exchange.inference_id
    inference_id = f',"inferenceId":{_dump(called)}' if called else ""
    origin = _origin(
        exchange.endpoint, exchange.variant, exchange.target, exchange.role, rules.retention_days
    )
    end = (
        f'}},"eventMetadata":{{"eventId":{_dump(exchange.event_id)}'
        f',"inferenceTime":"{when[:TO_SECONDS]}Z"{inference_id}}},"eventVersion":"0"'
        f',"slipway":{{"format":{FORMAT},"time":"{when}"{origin}{redacted}}}}}\n'
    )
    parts = [
        b'{"captureData":{"endpointInput":',
        *_body(request, request_type, "INPUT"),
        b',"endpointOutput":',
        *_body(response, response_type, "OUTPUT"),
        end.encode("ascii"),
    ]
    return b"".join(parts)


def _time(when: float) -> str:
    """Return a time in UTC to the microsecond, as :class:`datetime` does it in five times the
    time."""
    fraction, second = math.modf(when)
    microseconds = round(1e6 * fraction)
    if not 0 <= microseconds < 1_000_000:
        return datetime.fromtimestamp(when, timezone.utc).isoformat(timespec="microseconds")
    return f"{_second(second)}.{microseconds:06}+00:00"


@lru_cache(16)
def _second(second: float) -> str:
    return datetime.fromtimestamp(second, timezone.utc).isoformat()[:TO_SECONDS]


@lru_cache(1024)
def _origin(endpoint: str, variant: str, target: str, role: Role, days: int) -> str:
    """Return the fields that many lines share."""
    values = {
        "endpoint": endpoint,
        "variant": variant,
        "targetModel": target,
        "role": role,
        "retentionDays": days,
    }
    return f",{_dump(values)[1:-1]}"


def _body(body: bytes, content_type: str, mode: str) -> tuple[bytes, bytes, bytes]:
    """Return the JSON of one body, in parts; base64 is written as it is, without a pass to escape
    it."""
    encoding, head = _head(content_type, mode)
    if encoding != "BASE64":
        try:
            return (
                head,
                _dump(body.decode()).encode("ascii"),
                b',"encoding":"%b"}' % encoding.encode(),
            )
        except UnicodeDecodeError:
            pass  # not the text that it says it is
    data = binascii.b2a_base64(body, newline=False)
    return head, b'"%b"' % data, b',"encoding":"BASE64"}'


@lru_cache(256)
def _head(content_type: str, mode: str) -> tuple[str, bytes]:
    """Return how a body of this type is encoded, and what its JSON begins with."""
    kind = content_type.partition(";")[0].strip().lower()
    encoding = "JSON" if kind in JSON_TYPES else "CSV" if kind in CSV_TYPES else "BASE64"
    head = f'{{"observedContentType":{_dump(content_type)},"mode":"{mode}","data":'
    return encoding, head.encode("ascii")
