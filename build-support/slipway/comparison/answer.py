"""Read the answer of a request: one label or one number for each of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from slipway.capture.record import CapturedRequest
from slipway.errors import SlipwayError
from slipway.triton.comparison import TOLERANCES
from slipway.triton.datatypes import Array, datatype_of

Kind = Literal["label", "number", "largest"]
Row = str | float
TRUE = {"true": "1", "false": "0"}


@dataclass(frozen=True)
class AnswerRule:
    """How an answer is read from the output ``tensor``.

    ``label``: each row is a label, as text. ``number``: each row is a number. ``largest``: each row
    is the place of its largest element. With ``cut``, a number is the label 1 from there on, and 0
    below. ``batches``: outputs have a batch dimension.
    """

    tensor: str
    kind: Kind
    batches: bool = True
    cut: float | None = None

    @property
    def is_number(self) -> bool:
        """Whether rows are numbers, not labels."""
        return self.kind == "number" and self.cut is None

    def __str__(self) -> str:
        """Return the rule in words."""
        if self.cut is not None:
            return f"{self.tensor} ≥ {self.cut:g}"
        return f"place of the largest {self.tensor}" if self.kind == "largest" else self.tensor

    def read(self, tensors: Mapping[str, Array]) -> tuple[Row, ...] | None:
        """Return a label or a number for each row; ``None`` if the tensor is not there."""
        array = tensors.get(self.tensor)
        if array is None or not array.size:
            return None
        rows = array.reshape(array.shape[0], -1) if self.batches else array.reshape(1, -1)
        if self.kind == "largest":
            return tuple(str(int(place)) for place in rows.argmax(axis=1))
        if self.kind == "label":
            return tuple(_text(row) for row in rows)
        if self.cut is not None:
            return tuple(str(int(row[0] >= self.cut)) for row in rows)
        return tuple(float(row[0]) for row in rows)

    def read_truth(self, values: tuple[str, ...]) -> tuple[Row, ...]:
        """Return ground truth as answers are read.

        Raises:
            ValueError: a number is expected, and it is none.
        """
        if self.is_number:
            return tuple(float(value) for value in values)
        return tuple(normal_label(value) for value in values)


def choose_answer(
    request: CapturedRequest, *, batches: bool, tensor: str | None, cut: float | None
) -> AnswerRule:
    """Return how to read the answer of requests like this one.

    Without ``tensor`` it is the first output with one label a row, else the first with one number,
    else the first with several numbers a row, of which the largest one's place is the label.

    Raises:
        SlipwayError: there is no such output, or it was redacted; or ``cut`` for labels.
    """
    outputs = request.outputs
    if tensor is not None and tensor not in outputs:
        raise _missing(request, tensor)
    rules = [
        AnswerRule(name, _kind(array, batches), batches)
        for name, array in outputs.items()
        if tensor in (None, name) and array.size
    ]
    if not rules:
        raise _missing(request, tensor)
    order: tuple[Kind, ...] = ("label", "number", "largest")
    if cut is not None:
        order = ("number",)
    chosen = min(rules, key=lambda rule: order.index(rule.kind) if rule.kind in order else 9)
    if cut is None:
        return chosen
    if chosen.kind != "number":
        raise SlipwayError(
            f"--cut needs an output with one number a row; {chosen.tensor} has none",
            fix="leave --cut out, or name such an output with --answer",
        )
    return AnswerRule(chosen.tensor, "number", batches, cut)


def equal_rows(first: tuple[Row, ...], second: tuple[Row, ...]) -> float:
    """Return the share of rows that are equal; numbers but for a processor's last digits.

    A different number of rows is a different answer.
    """
    if len(first) != len(second):
        return 0.0
    absolute, relative = TOLERANCES["FP32"]
    equal = [
        (
            bool(np.isclose(b, a, relative, absolute, equal_nan=True))
            if isinstance(a, float) and isinstance(b, float)
            else a == b
        )
        for a, b in zip(first, second, strict=True)
    ]
    return sum(equal) / len(equal)


def normal_label(text: str) -> str:
    """Return a label of a file as an answer's text: ``1.0`` and ``true`` are 1."""
    text = text.strip()
    lower = text.lower()
    if lower in TRUE:
        return TRUE[lower]
    try:
        number = float(text)
    except ValueError:
        return text
    # 007 is a label of its own
    plain = text.lstrip("+-")
    is_padded = len(plain) > 1 and plain[0] == "0" and plain[1] != "."
    return str(int(number)) if number.is_integer() and not is_padded else text


def _kind(array: Array, batches: bool) -> Kind:
    elements = array.size // array.shape[0] if batches else array.size
    if array.dtype.kind != "f":
        return "label"
    return "number" if elements == 1 else "largest"


def _text(row: Any) -> str:
    texts = [_element(value) for value in row]
    return texts[0] if len(texts) == 1 else ", ".join(texts)


def _element(value: Any) -> str:
    if isinstance(value, bytes):
        return normal_label(value.decode("utf-8", "backslashreplace"))
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    return normal_label(str(value))


def _missing(request: CapturedRequest, tensor: str | None) -> SlipwayError:
    kept = [f"{name} ({datatype_of(array)})" for name, array in request.outputs.items()]
    redacted = request.redacted.get(tensor or "")
    if tensor is None:
        what = "no output was captured, so there is no answer to compare"
    elif redacted:
        what = f"of {tensor!r} nothing can be compared: its rule in capture.toml is {redacted!r}"
    else:
        what = f"there is no output {tensor!r}"
    fix = f"--answer with one of {', '.join(kept)}" if kept else "see capture.toml in its folder"
    return SlipwayError(what, where=request.target, fix=fix)
