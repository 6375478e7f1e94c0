"""in-toto statements: of which bytes something is said, what kind of thing, and the thing itself.

Source: https://github.com/in-toto/attestation, spec/v1/statement.md; the library is in-toto's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PAYLOAD_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True)
class Statement:
    """A statement that was read: ``kind`` is the predicate's type, ``digests`` are the SHA-256 of
    its subjects by their names."""

    kind: str
    digests: Mapping[str, str]
    predicate: Mapping[str, Any]


def resource_descriptor(
    name: str = "",
    *,
    uri: str = "",
    sha256: str | None = None,
    digest: Mapping[str, str] | None = None,
    annotations: Mapping[str, Any] | None = None,
    media_type: str = "",
) -> Any:
    """Return a resource descriptor as a protobuf message; ``None`` annotations are left out."""
    from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor

    digests = {**(digest or {}), **({"sha256": sha256} if sha256 else {})}
    told = {key: value for key, value in (annotations or {}).items() if value is not None}
    made = ResourceDescriptor(name, uri, digests, media_type=media_type, annotations=told)
    made.validate()
    return made.pb


def dump_statement(kind: str, predicate: Mapping[str, Any], name: str, sha256: str) -> bytes:
    """A statement's JSON: equal bytes for equal values."""
    from google.protobuf.json_format import MessageToDict
    from in_toto_attestation.v1.statement import Statement as InTotoStatement

    made = InTotoStatement([resource_descriptor(name, sha256=sha256)], kind, dict(predicate))
    made.validate()
    said = _whole(MessageToDict(made.pb))
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def parse_statement(payload: bytes) -> Statement:
    """What :func:`dump_statement` wrote, or another's statement.

    Raises:
        ValueError: it is none.
    """
    from google.protobuf.json_format import MessageToDict, Parse, ParseError
    from in_toto_attestation.v1 import statement_pb2
    from in_toto_attestation.v1.statement import Statement as InTotoStatement

    try:
        found = InTotoStatement.copy_from_pb(Parse(payload, statement_pb2.Statement()))
        found.validate()
        predicate = MessageToDict(found.pb.predicate)
    except (ParseError, RecursionError, UnicodeDecodeError, TypeError, AttributeError) as error:
        raise ValueError(f"not an in-toto statement: {error!s:.200}") from error
    return Statement(
        found.pb.predicate_type,
        {subject.name: subject.digest.get("sha256", "") for subject in found.pb.subject},
        predicate,
    )


def _whole(value: Any) -> Any:
    """``value`` with whole numbers as such: protobuf's structures have floats only."""
    if isinstance(value, dict):
        return {key: _whole(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_whole(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
