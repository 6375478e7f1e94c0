"""A question of the page: rows for a release, or a body for a container."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.endpoint.failure import too_large
from slipway.endpoint.playground.values import (
    Field,
    Row,
    parse_parameters,
    parse_rows,
    to_arrays,
)
from slipway.errors import SlipwayError
from slipway.model.interface import Interface
from slipway.triton import kserve
from slipway.triton.datatypes import Array

BODY = "BODY"  # the one input of a container, whose request has any form


@dataclass(frozen=True)
class Question:
    """What was filled in. ``content_type`` and ``accept`` are of a container's request."""

    rows: Sequence[Row]
    parameters: Mapping[str, Any]
    content_type: str = ""
    accept: str = ""

    @property
    def body(self) -> bytes:
        """The body of a container's request: a file's bytes, or a text."""
        value = self.rows[0].get(BODY, Field("text", "")).value
        return value.encode() if isinstance(value, str) else value

    @property
    def file(self) -> str:
        """The name of the file that is the body; empty for a text."""
        return self.rows[0].get(BODY, Field("text", "")).name


@dataclass(frozen=True)
class Encoded:
    """A request as it is sent, and its tensors."""

    body: bytes
    content_type: str
    arrays: Mapping[str, Array]


def parse_question(value: Mapping[str, Any]) -> Question:
    """Return the question in a request of the page.

    Raises:
        SlipwayError: it is malformed.
    """
    headers = [str(value.get(key) or "") for key in ("content_type", "accept")]
    for header in headers:
        if not header.isprintable() or len(header) > 200:
            raise SlipwayError(
                f"{header!r:.60} is no content type", fix="such as application/json or text/csv"
            )
    rows, parameters = parse_rows(value.get("rows")), parse_parameters(value.get("parameters"))
    return Question(rows, parameters, headers[0], headers[1])


def encode(question: Question, interface: Interface, name: str, limit: int) -> Encoded:
    """Return the question as the request to the release that ``interface`` is of.

    Raises:
        SlipwayError: a value does not fit the interface.
        Failure: 413, it is larger than ``limit`` bytes.
    """
    arrays = to_arrays(interface, question.rows, name)
    body, content_type = kserve.encode(arrays, parameters=question.parameters)
    if len(body) > limit:
        raise too_large(limit)
    return Encoded(body, content_type, arrays)
