"""What an explanation leaves out: the parts of one input, and the input without some of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from slipway.explain.explanation import Kind, Part
from slipway.triton.datatypes import Array


class Subject(Protocol):
    """One row of a request, in parts that can be left out."""

    @property
    def kind(self) -> Kind:
        """Return what it is."""

    @property
    def input(self) -> str:
        """Return the input that has the parts; "" where several have."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return the parts, which contribute nothing yet."""

    @property
    def changes(self) -> Array:
        """Return whether leaving a part out changes anything, [background rows, parts]."""

    @property
    def statements(self) -> tuple[str, ...]:
        """Return what a reader has to know."""

    def row(self, background: int, coalition: Array) -> Mapping[str, Array]:
        """Return the tensors of the row in which only ``coalition`` [parts] is there."""
