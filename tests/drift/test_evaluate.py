"""Windows of captured requests against a profile."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from slipway.capture.record import CapturedRequest
from slipway.drift.evaluate import DriftOptions, evaluate
from slipway.drift.report import DriftReport, TensorDrift
from slipway.errors import SlipwayError
from slipway.profile.build import build_profile
from slipway.profile.profile import Profile
from slipway.triton.datatypes import Array
from tests.profile import tensors

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
Change = Callable[[dict[str, Array]], dict[str, Array]]


def captured(inputs: Mapping[str, Array], batch: int = 1, **about: object) -> list[CapturedRequest]:
    """The rows as requests, a second apart, named e0, e1 …"""
    rows = len(next(iter(inputs.values())))
    return [
        CapturedRequest(
            event_id=f"e{number}",
            when=BEGAN + timedelta(seconds=number),
            endpoint="local",
            target="m_1.0.0.tar.gz",
            variant="AllTraffic",
            inputs={name: array[start : start + batch] for name, array in inputs.items()},
            **about,  # type: ignore[arg-type]
        )
        for number, start in enumerate(range(0, rows, batch))
    ]


@pytest.fixture(scope="module")
def profile() -> Profile:
    return build_profile(tensors.everything(3000), {}, source="rows.csv")


def of(report: DriftReport, name: str) -> TensorDrift:
    return next(tensor for tensor in report.tensors if tensor.name == name)


def moved(report: DriftReport) -> list[str]:
    return [tensor.name for tensor in report.tensors if tensor.moved]


@pytest.mark.parametrize("rows", [1, 30, 500, 6000])
def test_rows_like_the_reference_are_silent(profile: Profile, rows: int) -> None:
    assert moved(evaluate(profile, captured(tensors.everything(rows, seed=9)))) == []


def test_the_reference_itself_is_silent(profile: Profile) -> None:
    report = evaluate(profile, captured(tensors.everything(3000)))
    assert not report.moved
    assert max(s.value for t in report.tensors for s in t.statistics.values()) < 0.05


def shifted(inputs: dict[str, Array]) -> dict[str, Array]:
    return {**inputs, "length": inputs["length"] + np.float32(5)}


def scaled(inputs: dict[str, Array]) -> dict[str, Array]:
    return {**inputs, "length": inputs["length"] / np.float32(2.54)}


def half_missing(inputs: dict[str, Array]) -> dict[str, Array]:
    column = inputs["length"].copy()
    column[::2] = np.nan
    return {**inputs, "length": column}


def clipped(inputs: dict[str, Array]) -> dict[str, Array]:
    return {**inputs, "length": np.minimum(inputs["length"], np.float32(20))}


def new_value(inputs: dict[str, Array]) -> dict[str, Array]:
    column = inputs["colour"].copy()
    column[::5] = b"purple"
    return {**inputs, "colour": column}


def emptied(inputs: dict[str, Array]) -> dict[str, Array]:
    column = inputs["colour"].copy()
    column[::3] = b""
    return {**inputs, "colour": column}


def french(inputs: dict[str, Array]) -> dict[str, Array]:
    words = "le une journée très mauvais film était pas et nous avons vu long bruit".split()
    return {**inputs, "remark": tensors.texts(len(inputs["remark"]), 3, words)}


def other_class(inputs: dict[str, Array]) -> dict[str, Array]:
    return {**inputs, "class": inputs["class"][:, ::-1]}


def louder(inputs: dict[str, Array]) -> dict[str, Array]:
    return {**inputs, "signal": inputs["signal"] * np.float32(1.5)}


def more_rooms(inputs: dict[str, Array]) -> dict[str, Array]:
    return {**inputs, "rooms": np.minimum(inputs["rooms"] + 2, 6)}


CHANGES: dict[Change, tuple[str, str]] = {
    shifted: ("length", "value wasserstein"),
    scaled: ("length", "value psi"),
    half_missing: ("length", "value missing"),
    clipped: ("length", "value psi"),
    new_value: ("colour", "value unseen"),
    emptied: ("colour", "value missing"),
    french: ("remark", "familiarity wasserstein"),
    other_class: ("class", "label psi"),
    louder: ("signal", "deviation out_of_range"),
    more_rooms: ("rooms", "value psi"),
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_is_drift_of_its_tensor_alone(profile: Profile, change: Change) -> None:
    name, statistic = CHANGES[change]
    report = evaluate(profile, captured(change(tensors.everything(800, seed=9))))
    assert moved(report) == [name]
    assert of(report, name).statistics[statistic].moved
    assert of(report, name).score > 1 and of(report, name).rows


def test_darker_pictures_are_drift_of_their_brightness() -> None:
    profile = build_profile({"photo": tensors.pictures(200)}, {}, source="photos")
    same = evaluate(profile, captured({"photo": tensors.pictures(100, seed=2)}))
    assert moved(same) == []
    dark = evaluate(profile, captured({"photo": tensors.pictures(100, seed=2, light=0.5)}))
    assert of(dark, "photo").statistics["brightness wasserstein"].moved
    assert not of(dark, "photo").statistics["width psi"].moved


def test_the_rows_that_moved_are_named_by_their_events(profile: Profile) -> None:
    inputs = tensors.everything(600, seed=9)
    inputs["length"][[17, 40, *range(100, 160)]] = 1e6
    report = evaluate(profile, captured(inputs, batch=2))
    rows = of(report, "length").rows
    assert {row.reason for row in rows} == {"out of range"} and rows[0].value == 1e6
    assert {(row.event_id, row.row) for row in rows} >= {("e8", 1), ("e20", 0)}


def test_a_value_that_few_rows_have_is_not_in_the_report(profile: Profile) -> None:
    inputs = tensors.everything(400, seed=9)
    inputs["colour"][:120, 0] = b"purple"
    for row in range(120, 240):
        inputs["colour"][row, 0] = f"person {row}".encode()
    text = json.dumps(evaluate(profile, captured(inputs)).dump(), allow_nan=False)
    assert "purple" in text and "person" not in text


def test_a_tiny_change_of_many_rows_is_not_drift() -> None:
    random = np.random.default_rng(1)
    profile = build_profile({"x": random.normal(size=(50_000, 1))}, {}, source="rows")
    report = evaluate(profile, captured({"x": random.normal(0.05, 1, (200_000, 1))}, batch=500))
    assert not report.moved
    sure = DriftOptions(floors={"psi": 0, "wasserstein": 0})
    assert evaluate(
        profile, captured({"x": random.normal(0.05, 1, (200_000, 1))}, batch=500), options=sure
    ).moved


def test_a_few_callers_bursts_are_drift_unless_their_rows_count_as_one() -> None:
    random = np.random.default_rng(2)
    profile = build_profile({"x": random.normal(size=(5000, 1))}, {}, source="rows")
    bursts = np.repeat(random.normal(size=(20, 1)), 50, axis=0)
    assert evaluate(profile, captured({"x": bursts})).moved
    assert not evaluate(profile, captured({"x": bursts}, batch=50)).moved
    block = DriftOptions(block=timedelta(seconds=50))
    assert not evaluate(profile, captured({"x": bursts}), options=block).moved
    fewer = DriftOptions(effective_rows=20)
    assert not evaluate(profile, captured({"x": bursts}), options=fewer).moved


def test_equal_arguments_give_equal_reports(profile: Profile) -> None:
    requests = captured(shifted(tensors.everything(300, seed=9)))
    assert evaluate(profile, requests).dump() == evaluate(profile, requests).dump()


def test_shadows_redacted_and_unknown_tensors_are_left_out_and_noted(profile: Profile) -> None:
    inputs = tensors.everything(100, seed=9) | {"extra": np.ones((100, 1))}
    answers = captured(inputs, redacted={"colour": "hash"})
    report = evaluate(profile, [*answers, *captured(inputs, role="shadow")])
    assert report.rows == 100 and of(report, "colour").statistics == {}
    notes = "\n".join(report.notes)
    assert "extra: not in the profile" in notes and "colour: redacted (hash) in 100" in notes
    assert "100 shadows" in notes


def test_a_tensor_in_no_request_is_noted(profile: Profile) -> None:
    inputs = tensors.everything(50, seed=9)
    del inputs["remark"]
    report = evaluate(profile, captured(inputs))
    assert "remark: in no request, not compared" in report.notes
    assert of(report, "remark").score == 0


def test_no_request_is_an_error_that_says_how_to_get_some(profile: Profile) -> None:
    with pytest.raises(SlipwayError, match="no captured request") as refused:
        evaluate(profile, [])
    assert "--since" in str(refused.value.fix)


def test_golden_cases_are_a_reference_of_which_only_the_largest_drift_is_found() -> None:
    profile = build_profile({"x": tensors.numbers(8)}, {}, source="golden cases")
    report = evaluate(profile, captured({"x": tensors.numbers(500, seed=2)}))
    assert not report.moved and "few" in report.notes[0]
    dumped = report.dump()["tensors"][0]["statistics"]["value psi"]
    assert dumped["threshold"] is None and math.isinf(
        report.tensors[0].statistics["value psi"].threshold
    )


def test_a_model_without_batches_has_one_row_a_request() -> None:
    rows = np.random.default_rng(1).normal(size=(300, 4)).astype(np.float32)
    profile = build_profile({"x": rows}, {}, source="rows", batches=False)
    requests = [
        CapturedRequest(f"e{n}", BEGAN, "local", "m_1.tar.gz", "v", inputs={"x": row})
        for n, row in enumerate(rows)
    ]
    report = evaluate(profile, requests)
    assert report.rows == 300 and list(report.tensors[0].distributions) == ["0", "1", "2", "3"]
