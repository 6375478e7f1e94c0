"""Sizes for rows that are drawn, where a model leaves them free."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.formats.format import Array

PICTURE = 64
FREE = (6, 9, 11, 7)  # all different: a model that mixes them up fails


def example_of(dims: Sequence[int]) -> tuple[int, ...]:
    """Return sizes for ``dims``: pictures, of three dimensions, are large enough to be halved."""
    picture = len(dims) == 3
    return tuple(
        size if size > 0 else PICTURE if picture else FREE[i % len(FREE)]
        for i, size in enumerate(dims)
    )


def column(answer: Array, max_batch_size: int) -> Array:
    """Return an answer of one value a row as a column, [rows, 1]: Triton wants two dimensions."""
    return answer.reshape(len(answer), 1) if max_batch_size and answer.ndim == 1 else answer
