"""Captured requests of one release asked of another again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from slipway.comparison.compare import compare
from slipway.comparison.replay import Replay
from slipway.errors import SlipwayError
from slipway.triton.datatypes import Array
from tests.comparison.captures import DIED, SURVIVED, A, B, question, request


def survived_from_ten(inputs: Mapping[str, Array], _: Mapping[str, Any]) -> Mapping[str, Array]:
    if inputs["fare"][0, 0] < 0:
        raise SlipwayError("a negative fare")
    label = SURVIVED if inputs["fare"][0, 0] >= 10 else DIED
    return {"label": np.array([[label.encode()]], object)}


def test_the_same_requests_are_answered_by_both_without_a_shadow() -> None:
    captured = [request(n, A, [SURVIVED if n % 20 > 8 else DIED], fare=n % 20) for n in range(400)]
    replay = Replay(B, survived_from_ten, 1000, {"fare"})
    result = compare(replay.run(captured), question(design="replay"))
    assert (result.design, result.decision, result.compared) == ("replay", "different", 400)
    assert [(f.a, f.b, f.count) for f in result.flips] == [(SURVIVED, DIED, 20)]


def test_what_cannot_be_asked_again_is_counted_by_reason() -> None:
    captured = [
        request(0, A, [DIED], redacted={"fare": "hash"}),
        request(1, A, [DIED], inputs={}),
        request(2, A, [DIED], parameters={"sequence_id": 7}),
        request(3, A, [DIED], fare=-1),
        request(4, A, [DIED], role="shadow"),
        request(5, A, [DIED], redacted={"label": "hash"}),
        request(6, A, [DIED]),
    ]
    replay = Replay(B, survived_from_ten, 2, {"fare"})
    answered = [each.event_id for each in replay.run(captured)]
    assert answered == ["e5", "e5"]
    assert replay.skipped == {
        "whose inputs were redacted (fare)": 1,
        "whose inputs were not captured": 1,
        "of a sequence": 1,
        "that B did not answer": 1,
        "beyond --limit 2": 1,
    }
    assert replay.failures == ["a negative fare"]


def test_a_hashed_answer_is_not_compared_with_a_new_one() -> None:
    captured = [request(n, A, [DIED], redacted={"label": "hash"} if n else {}) for n in range(5)]
    replay = Replay(B, survived_from_ten, 100, {"fare"})
    result = compare(replay.run(captured), question(design="replay"))
    assert result.compared == 1
    assert result.left_out["without label in the answer"] == 4
