"""Two releases over captured traffic: designs, decisions, what is left out and what is doubted."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from slipway.capture.record import CapturedRequest
from slipway.comparison.compare import compare
from slipway.comparison.report import TrafficComparison
from slipway.comparison.traffic import Selection
from slipway.errors import SlipwayError
from tests.comparison.captures import DIED, SURVIVED, A, B, question, request, shadowed

EQUAL = [(DIED, DIED), (SURVIVED, SURVIVED)]
FLIP = (SURVIVED, DIED)


def split(
    share_a: float,
    share_b: float,
    *,
    count: int = 4000,
    to_b: float = 0.5,
    fare_b: float = 0.0,
    seed: int = 14,
) -> list[CapturedRequest]:
    """Return requests to one release or the other; these shares are answered "survived"."""
    rng = random.Random(seed)
    requests = []
    for number in range(count):
        is_b = rng.random() < to_b
        label = SURVIVED if rng.random() < (share_b if is_b else share_a) else DIED
        fare = rng.expovariate(1 / 30) + (fare_b if is_b else 0)
        requests.append(request(number, B if is_b else A, [label], fare=fare))
    return requests


def labels(traffic: Sequence[CapturedRequest], right: str = SURVIVED) -> dict[str, tuple[str, ...]]:
    return {each.event_id: (right,) for each in traffic}


def test_answers_that_are_always_equal_are_equivalent() -> None:
    result = compare(shadowed(EQUAL * 400), question())
    assert (result.decision, result.design, result.flips) == ("equivalent", "paired", ())
    assert result.primary[0].bounds.lower > 0.99


def test_answers_that_differ_are_different_and_not_worse_without_labels() -> None:
    result = compare(shadowed([*EQUAL * 4, FLIP] * 50), question())
    assert result.decision == "different" and result.not_worse is None
    assert [(f.a, f.b, f.count) for f in result.flips] == [(SURVIVED, DIED, 50)]
    assert result.flips[0].event_ids == ("e8", "e17", "e26")


def test_few_requests_decide_nothing_and_say_about_how_many_more_would() -> None:
    pairs = EQUAL * 20
    result = compare(shadowed(pairs), question())
    assert result.decision == "undecided" and result.more is not None
    enough = shadowed(EQUAL * (20 + result.more // 2 + 1))
    assert compare(enough, question()).decision == "equivalent"
    one_half = shadowed(EQUAL * (20 + result.more // 4))
    assert compare(one_half, question()).decision == "undecided"


@pytest.mark.parametrize(
    ("right", "decision"), [(SURVIVED, "a better"), (DIED, "b better")], ids=["for A", "for B"]
)
def test_with_labels_the_release_that_is_right_more_often_is_better(
    right: str, decision: str
) -> None:
    traffic = shadowed([*EQUAL * 4, FLIP] * 50)
    result = compare(traffic, question(), labels(traffic, right))
    assert result.decision == decision
    assert result.only_right == ((50, 0) if decision == "a better" else (0, 50))
    assert result.not_worse is (decision == "b better")


def test_releases_that_err_equally_often_are_equivalent_with_labels() -> None:
    pairs = ([*EQUAL * 49, FLIP, (DIED, SURVIVED)]) * 80
    traffic = shadowed(pairs)
    assert compare(traffic, question(margin=0.02), labels(traffic)).decision == "equivalent"
    assert compare(traffic, question(margin=0.02)).decision == "undecided"


def test_a_split_is_compared_by_its_two_groups() -> None:
    result = compare(split(0.4, 0.6), question(weights=(50, 50)))
    assert (result.design, result.decision) == ("split", "different")
    assert result.sample_ratio is not None and not result.sample_ratio.broken
    assert not result.notes


def test_equal_groups_of_a_split_are_not_different() -> None:
    result = compare(split(0.4, 0.4), question(weights=(50, 50), margin=0.15))
    assert result.decision == "equivalent"


def test_a_split_with_labels_finds_the_better_release() -> None:
    traffic = split(0.7, 0.8)
    result = compare(traffic, question(weights=(50, 50)), labels(traffic))
    assert result.decision == "b better" and result.only_right is None


def test_an_uneven_split_is_compared_in_blocks_of_its_weights() -> None:
    traffic = split(0.6, 0.9, to_b=0.1)
    result = compare(traffic, question(weights=(90, 10)), labels(traffic))
    assert result.decision == "b better"
    assert result.compared == 10 * result.primary[0].count


def test_what_moves_both_groups_does_not_decide() -> None:
    """Half of the traffic is of another kind, equally for both: the blocks cancel it out."""
    first = split(0.2, 0.2, count=2000)
    second = [
        replace(each, event_id=f"x{each.event_id}", when=each.when.replace(hour=15))
        for each in split(0.8, 0.8, count=2000, seed=15)
    ]
    traffic = [*first, *second]
    line = compare(traffic, question(weights=(50, 50)), labels(traffic)).primary[0]
    assert line.bounds.lower < 0 < line.bounds.upper
    # if blocks were of requests from any time, half of them would differ
    spread = (line.bounds.upper - line.bounds.lower) / 2
    assert spread < 0.048


def test_a_split_that_is_not_that_of_the_alias_is_doubted() -> None:
    result = compare(split(0.4, 0.4, to_b=0.4), question(weights=(50, 50)))
    assert result.sample_ratio is not None and result.sample_ratio.broken
    assert any("not a random split" in note for note in result.notes)


def test_groups_whose_inputs_differ_are_doubted() -> None:
    result = compare(split(0.4, 0.4, fare_b=20), question(weights=(50, 50)))
    assert any("the groups' inputs differ: fare is higher" in note for note in result.notes)


def test_labels_for_one_group_only_in_part_are_doubted() -> None:
    traffic = split(0.4, 0.4)
    truth = labels([each for each in traffic if each.target == A or each.event_id.endswith("1")])
    result = compare(traffic, question(weights=(50, 50)), truth)
    assert any("have a label" in note for note in result.notes)


def test_without_an_alias_of_both_the_ratio_is_said_not_to_be_checked() -> None:
    assert any("is not checked" in note for note in compare(split(0.4, 0.6), question()).notes)


def test_what_is_not_compared_is_counted() -> None:
    traffic = [*shadowed(EQUAL * 10), request(90, A, [DIED])]
    result = compare(traffic, question(), labels(traffic[:-7]))
    assert dict(result.left_out) == {
        "answered by one release only: the other failed, or was dropped": 1,
        "without a label": 3,
    }


def numbers(a: float, b: float, count: int = 300) -> list[CapturedRequest]:
    return [
        each
        for number in range(count)
        for each in (
            request(number, A, scores=[10 + a]),
            request(number, B, scores=[10 + b], role="shadow"),
        )
    ]


def truth_of_ten(count: int = 300) -> dict[str, tuple[str, ...]]:
    return {f"e{number}": ("10.0",) for number in range(count)}


def test_numbers_are_judged_by_which_is_closer_to_the_truth() -> None:
    assert compare(numbers(0.5, -0.2), question(), truth_of_ten()).decision == "b better"
    assert compare(numbers(0.5, 0.9), question(), truth_of_ten()).decision == "a better"


def test_errors_of_numbers_are_compared_in_their_own_unit() -> None:
    result = compare(numbers(0.5, 0.2), question(largest_error=2.0, margin=0.01), truth_of_ten())
    line = result.primary[0]
    assert result.decision == "b better" and not line.is_share
    assert (line.a, line.b) == pytest.approx((0.5, 0.2), abs=1e-5)
    assert line.bounds.mean == pytest.approx(0.3, abs=1e-5)


def test_a_label_that_is_no_number_is_refused_with_a_way_out() -> None:
    with pytest.raises(SlipwayError, match=r"is cat; score is a number[\s\S]*--answer.*--cut"):
        compare(numbers(0, 0), question(), {"e3": ("cat",)})


def test_the_fix_of_a_number_with_labels_works() -> None:
    cut = question(selection=Selection(cut=10.0))
    result = compare(numbers(0.5, -0.5), cut, {f"e{n}": ("1",) for n in range(300)})
    assert (result.answer, result.decision) == ("score ≥ 10", "a better")


def test_each_row_of_a_batch_counts_in_its_request() -> None:
    traffic = [
        request(0, A, [DIED, SURVIVED]),
        request(0, B, [DIED, DIED], role="shadow"),
    ]
    result = compare(traffic, question())
    assert result.primary[0].bounds.mean == 0.5 and result.flips[0].count == 1


def test_answers_with_other_rows_or_labels_for_others_are_left_out() -> None:
    traffic = [*shadowed(EQUAL), request(7, A, [DIED]), request(7, B, [DIED] * 2, role="shadow")]
    truth = {"e0": (DIED,), "e1": (DIED, DIED), "e7": (DIED,)}
    result = compare(traffic, question(), truth)
    assert dict(result.left_out) == {
        "with labels for another number of rows": 1,
        "with another number of rows in the answers": 1,
    }


def test_each_input_can_count_once() -> None:
    traffic = shadowed([*EQUAL, FLIP] * 30)
    result = compare(traffic, question(selection=Selection(once_per="input")))
    assert result.compared == 1
    assert dict(result.left_out) == {"not the first of its input": 89}


def test_each_caller_can_count_once_by_a_parameter_of_its_requests() -> None:
    traffic = [
        replace(each, parameters={"caller": int(each.event_id[1:]) % 5} if caller else {})
        for each in shadowed(EQUAL * 10)
        for caller in [each.event_id != "e19"]
    ]
    result = compare(traffic, question(selection=Selection(once_per="caller")))
    assert result.compared == 5
    assert dict(result.left_out) == {
        "not the first of its caller": 14,
        "without the parameter caller": 1,
    }


def test_hashed_labels_can_be_compared_and_are_said_to_be_hashed() -> None:
    traffic = [
        replace(each, redacted={"label": "hash"}) for each in shadowed([*EQUAL * 4, FLIP] * 50)
    ]
    result = compare(traffic, question())
    assert result.decision == "different" and dict(result.redacted) == {"label": "hash"}


@pytest.mark.parametrize(
    ("traffic", "message"),
    [
        ([], "no captured request to fares_1.0.0"),
        ([request(0, A, [DIED])], "nothing to compare: 1 of fares_1.0.0.tar.gz and 0 of"),
        ([request(0, A), request(0, B, role="shadow")], "no output was captured"),
    ],
)
def test_nothing_to_compare_is_an_error(traffic: list[CapturedRequest], message: str) -> None:
    with pytest.raises(SlipwayError, match=message):
        compare(traffic, question())


def test_labels_of_other_events_are_an_error() -> None:
    with pytest.raises(SlipwayError, match="no captured request has a label for label"):
        compare(shadowed(EQUAL), question(), {"other": (DIED,)})


def test_requests_to_other_releases_are_ignored() -> None:
    other = "fares_0.9.0.tar.gz"
    traffic = [*shadowed(EQUAL * 400), *(request(n, other, [DIED]) for n in range(99))]
    assert compare(traffic, question()).compared == 800


def test_the_dump_has_no_value_that_json_lacks() -> None:
    import json

    result: TrafficComparison = compare(split(0.4, 0.6), question(weights=(50, 50)))
    document: dict[str, Any] = json.loads(json.dumps(result.dump(), allow_nan=False))
    assert document["decision"] == "different"
    assert document["sample_ratio"]["broken"] is False
    assert document["primary"][0]["bounds"]["lower"] < 0 or document["primary"]


def test_scores_of_other_outputs_are_measured() -> None:
    traffic = [
        each
        for number in range(10)
        for each in (
            request(number, A, [DIED], scores=[0.5]),
            request(number, B, [DIED], scores=[0.75 if number else np.nan], role="shadow"),
        )
    ]
    (score,) = compare(traffic, question()).scores
    assert (score.output, score.mean, score.largest) == ("score", 0.25, 0.25)
