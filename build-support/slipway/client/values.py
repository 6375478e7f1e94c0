"""Plain values that a generated client takes for its tensors, besides arrays."""

from __future__ import annotations

from collections.abc import Sequence

type Texts = str | bytes | Sequence[Texts]
type Integers = int | Sequence[Integers]
type Numbers = float | Sequence[Numbers]
type Truths = bool | Sequence[Truths]
