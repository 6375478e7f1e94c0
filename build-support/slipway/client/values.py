"""Plain values that a generated client takes for its tensors, besides arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Union

Texts = Union[str, bytes, Sequence["Texts"]]
Integers = Union[int, Sequence["Integers"]]
Numbers = Union[float, Sequence["Numbers"]]
Truths = Union[bool, Sequence["Truths"]]
