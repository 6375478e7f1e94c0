"""Why a model gave one answer: what each part of its input adds to the score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["row", "text", "image", "audio"]
Method = Literal["shapley", "occlusion", "server"]


@dataclass(frozen=True)
class Part:
    """A column, a word, a region or a segment, and what it adds to the score.

    ``place`` says where it is: (first, last + 1) characters of a text or samples of audio, (left,
    top, right, bottom) pixels of an image, nothing of a row's column. ``error`` is the standard
    error of ``contribution``, 0 where that is exact.
    """

    name: str
    value: str
    contribution: float
    error: float = 0.0
    place: tuple[int, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """Why the score of one answer is what it is.

    With ``adds_up``, ``base`` + the sum of the contributions is ``answer``, exactly up to the
    rounding of float64. ``score`` says what was explained, such as ``probability[1]``. ``heat`` is
    an image's map of contributions, rows from the top, which covers its ``size`` (width, height in
    pixels). ``statements`` is what a reader has to know: what was guessed, left out or unstable.
    """

    kind: Kind
    method: Method
    is_exact: bool
    input: str
    score: str
    label: str
    answer: float
    base: float
    adds_up: bool
    parts: tuple[Part, ...]
    rows: int
    requests: int
    seed: int
    heat: tuple[tuple[float, ...], ...] = ()
    size: tuple[int, int] = (0, 0)
    statements: tuple[str, ...] = ()

    @property
    def ranked(self) -> Sequence[Part]:
        """Return the parts, the largest contribution of either sign first."""
        return sorted(self.parts, key=lambda part: -abs(part.contribution))

    @property
    def largest_error(self) -> float:
        """Return the largest standard error of a part."""
        return max((part.error for part in self.parts), default=0.0)

    def dump(self) -> dict[str, Any]:
        """Return the explanation as JSON values; equal for equal inputs and seeds."""
        return asdict(self)
