"""Sort captured requests into what can be compared: pairs of answers, or two groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any, Literal

from slipway.capture.record import CapturedRequest
from slipway.comparison.answer import AnswerRule, Row, choose_answer
from slipway.errors import SlipwayError
from slipway.triton.datatypes import Array

Design = Literal["paired", "split", "replay"]
INPUT = "input"  # --once-per: each different input


@dataclass(frozen=True)
class Unit:
    """One request to one release, and its answer: ``rows`` as an :class:`AnswerRule` reads them.

    ``numbers`` are the other outputs' numbers by name, ``inputs`` those inputs that have one value
    a row, ``truth`` the right answer of each row, if it is known.
    """

    event_id: str
    when: datetime
    rows: tuple[Row, ...]
    numbers: Mapping[str, Array] = field(default_factory=dict)
    inputs: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    truth: tuple[Row, ...] | None = None


@dataclass(frozen=True)
class Pair:
    """The answers of two releases to equal requests."""

    a: Unit
    b: Unit


@dataclass
class SortedTraffic:
    """What was captured of two releases, in the order of time.

    ``answers`` have the requests whose answer was returned, by release. ``left_out`` counts what
    cannot be compared, by reason. ``redacted``: some tensor was.
    """

    rule: AnswerRule
    pairs: list[Pair] = field(default_factory=list)
    answers: tuple[list[Unit], list[Unit]] = field(default_factory=lambda: ([], []))
    left_out: dict[str, int] = field(default_factory=dict)
    redacted: dict[str, str] = field(default_factory=dict)

    def leave_out(self, reason: str, count: int = 1) -> None:
        """Count what is left out, and why."""
        if count:
            self.left_out[reason] = self.left_out.get(reason, 0) + count


@dataclass(frozen=True)
class Selection:
    """What of the traffic is compared.

    ``answer`` is an output, ``cut`` makes labels of its numbers. ``once_per`` keeps the first
    request for each value of this parameter of requests, or for each different ``input``.
    """

    answer: str | None = None
    cut: float | None = None
    once_per: str | None = None
    batches: bool = True


def sort_traffic(
    captured: Iterable[CapturedRequest], a: str, b: str, selection: Selection
) -> SortedTraffic:
    """Sort the requests to the target models ``a`` and ``b``; others are ignored.

    Raises:
        SlipwayError: none was captured, or its answer cannot be read.
    """
    requests: list[dict[str, CapturedRequest]] = [{}, {}]
    for request in captured:
        if request.target in (a, b):
            requests[request.target == b].setdefault(request.event_id, request)
    sample = next((r for side in requests for r in side.values() if r.outputs), None)
    if sample is None:
        sample = next((r for side in requests for r in side.values()), None)
    if sample is None:
        raise SlipwayError(
            f"no captured request to {a} or {b}",
            fix="capture some: slipway endpoint up --capture; or look further back with --since",
        )
    rule = choose_answer(
        sample, batches=selection.batches, tensor=selection.answer, cut=selection.cut
    )
    traffic = SortedTraffic(rule)
    _fill(traffic, requests, selection)
    return traffic


def _fill(
    traffic: SortedTraffic, requests: list[dict[str, CapturedRequest]], selection: Selection
) -> None:
    events = {**requests[1], **requests[0]}
    kept: set[Any] = set()
    for event_id, request in sorted(events.items(), key=lambda item: (item[1].when, item[0])):
        traffic.redacted |= request.redacted
        if selection.once_per is not None:
            key = _key(request, selection.once_per)
            if key is None:
                traffic.leave_out(f"without the parameter {selection.once_per}")
                continue
            if key in kept:
                traffic.leave_out(f"not the first of its {selection.once_per}")
                continue
            kept.add(key)
        sides = [side.get(event_id) for side in requests]
        units = [None if each is None else _unit(each, traffic.rule) for each in sides]
        if any(each is not None and unit is None for each, unit in zip(sides, units, strict=True)):
            traffic.leave_out(f"without {traffic.rule.tensor} in the answer")
        first, second = units
        if first is not None and second is not None:
            traffic.pairs.append(Pair(first, second))
        for group, each, unit in zip(traffic.answers, sides, units, strict=True):
            if each is not None and unit is not None and each.role == "answer":
                group.append(unit)


def _unit(request: CapturedRequest, rule: AnswerRule) -> Unit | None:
    rows = rule.read(request.outputs)
    if rows is None:
        return None
    numbers = {
        name: array
        for name, array in request.outputs.items()
        if array.dtype.kind == "f" and name != rule.tensor
    }
    inputs = {
        name: read
        for name, array in request.inputs.items()
        if request.redacted.get(name) is None
        if (read := _single(array, rule.batches)) is not None
    }
    return Unit(request.event_id, request.when, rows, numbers, inputs)


def _single(array: Array, batches: bool) -> tuple[Row, ...] | None:
    """Return one value for each row; ``None`` if rows have several, or long texts."""
    rows = array.shape[0] if batches and array.ndim else 1
    if not array.size or array.size != rows:
        return None
    kind = "number" if array.dtype.kind in "fiu" else "label"
    if kind == "label" and any(len(bytes(v)) > 64 for v in array.flat if isinstance(v, bytes)):
        return None
    values = array.astype(float) if kind == "number" else array
    return AnswerRule("", "number" if kind == "number" else "label", batches).read({"": values})


def _key(request: CapturedRequest, once_per: str) -> Any:
    if once_per != INPUT:
        return request.parameters.get(once_per)
    digest = blake2b(digest_size=16)
    for name in sorted(request.inputs):
        array = request.inputs[name]
        content = repr(array.tolist()).encode() if array.dtype == object else array.tobytes()
        digest.update(f"{name} {array.dtype} {array.shape} ".encode() + content)
    return digest.digest() if request.inputs else None
