"""A request that was captured, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from slipway.triton.datatypes import Array

Role = Literal["answer", "shadow"]


@dataclass(frozen=True)
class CapturedRequest:
    """One request to a target model, and its answer, by tensor.

    ``when`` is aware, in UTC. A shadow's record has the ``event_id`` of its answer's. ``inputs``
    and ``outputs`` are those that were captured: strings are ``bytes`` in arrays of ``object``.

    ``redacted`` maps a tensor to what is kept of it: ``drop`` (nothing: it is not among inputs or
    outputs), ``shape`` (only :attr:`shapes`), ``hash`` (a keyed hash for each row, as ``bytes``) or
    ``thumbnail`` (small PNG pictures, as ``bytes``). ``shapes`` has the datatype and the shape of
    those that were sent, for every redacted tensor but the dropped ones. ``notes`` says why less of
    a tensor was kept than its rule allows, such as a picture that could not be read.
    ``inference_id`` is SageMaker's, if the caller gave one.
    """

    event_id: str
    when: datetime
    endpoint: str
    target: str
    variant: str
    role: Role = "answer"
    inputs: Mapping[str, Array] = field(default_factory=dict)
    outputs: Mapping[str, Array] = field(default_factory=dict)
    redacted: Mapping[str, str] = field(default_factory=dict)
    shapes: Mapping[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    inference_id: str = ""

    @property
    def name(self) -> str:
        """Return the model's name, by its target model ``<name>_<release version>.tar.gz``."""
        return self.target.rpartition("_")[0] or self.target
