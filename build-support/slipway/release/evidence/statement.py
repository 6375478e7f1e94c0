"""Write and parse in-toto statements: a subject, the type of a predicate, and the predicate.

Source: https://github.com/in-toto/attestation, spec/v1/statement.md; the library is in-toto's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PAYLOAD_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True)
class Statement:
    """A parsed statement: ``kind`` is the predicate's type, ``subjects`` are the digests of its
    subjects, by algorithm, by their names."""

    kind: str
    subjects: Mapping[str, Mapping[str, str]]
    predicate: Mapping[str, Any]

    @property
    def digests(self) -> dict[str, str]:
        """The SHA-256 of each subject by its name; empty where it has none."""
        return {name: digest.get("sha256", "") for name, digest in self.subjects.items()}


def resource_descriptor(
    name: str = "",
    *,
    uri: str = "",
    sha256: str | None = None,
    digest: Mapping[str, str] | None = None,
    annotations: Mapping[str, Any] | None = None,
    media_type: str = "",
    content: bytes = b"",
) -> Any:
    """Return a resource descriptor as a protobuf message; ``None`` annotations are left out."""
    from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor

    digests = {**(digest or {}), **({"sha256": sha256} if sha256 else {})}
    present = {key: value for key, value in (annotations or {}).items() if value is not None}
    descriptor = ResourceDescriptor(
        name, uri, digests, content, media_type=media_type, annotations=present
    )
    descriptor.validate()
    return descriptor.pb


def dump_statement(kind: str, predicate: Mapping[str, Any], name: str, sha256: str) -> bytes:
    """Return the JSON of a statement about one file: equal bytes for equal values."""
    return dump_about(kind, predicate, [resource_descriptor(name, sha256=sha256)])


def dump_about(kind: str, predicate: Mapping[str, Any], subjects: Sequence[Any]) -> bytes:
    """Return the JSON of a statement about several ``subjects``, which are resource descriptors:
    equal bytes for equal values."""
    from google.protobuf.json_format import MessageToDict
    from in_toto_attestation.v1.statement import Statement as InTotoStatement

    message = InTotoStatement(list(subjects), kind, dict(predicate))
    message.validate()
    values = _restore_integers(MessageToDict(message.pb))
    return json.dumps(values, sort_keys=True, separators=(",", ":")).encode()


def parse_statement(payload: bytes) -> Statement:
    """Return the statement in ``payload``, which any tool may have written.

    Raises:
        ValueError: ``payload`` is not an in-toto statement.
    """
    from google.protobuf.json_format import MessageToDict, Parse, ParseError
    from in_toto_attestation.v1 import statement_pb2
    from in_toto_attestation.v1.statement import Statement as InTotoStatement

    try:
        message = InTotoStatement.copy_from_pb(Parse(payload, statement_pb2.Statement()))
        message.validate()
        predicate = MessageToDict(message.pb.predicate)
    except (ParseError, RecursionError, UnicodeDecodeError, TypeError, AttributeError) as error:
        raise ValueError(f"not an in-toto statement: {error!s:.200}") from error
    return Statement(
        message.pb.predicate_type,
        {subject.name: dict(subject.digest) for subject in message.pb.subject},
        predicate,
    )


def _restore_integers(value: Any) -> Any:
    """Return ``value`` with its integers restored: protobuf's structures have floats only."""
    if isinstance(value, dict):
        return {key: _restore_integers(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_restore_integers(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
