"""What a report concludes, and what it warns of."""

from __future__ import annotations

import json

import numpy as np

from slipway.loadtest import address, report, stage
from slipway.loadtest.address import Address
from slipway.loadtest.report import Report, Subject, Traffic
from slipway.loadtest.run import FirstLoad, Results
from tests.loadtest import queues

HERE = address.local("http://127.0.0.1:1", "local")
AWS = Address("https://x", sign=lambda url, headers, body: headers)
MIXED = Subject("local", "mixed", {"a": 0.6, "b": 0.4}, "", 0)
WARM = Subject("local", "warm", {queues.TARGET: 1.0}, "", 0)


def of_rates(
    rates: list[float], limit: float | None, address: Address = AWS, **more: object
) -> Report:
    random = np.random.default_rng(0)
    stages = [stage.open_loop(queues.answers(r, 100, 60, random), 60) for r in rates]
    return report.make(WARM, address, Results(stages=stages), limit=limit, **more)  # type: ignore[arg-type]


def test_limit_and_traffic_make_a_recommendation() -> None:
    made = of_rates([20, 50, 90], 0.2, traffic=Traffic(120.0, "ml.x", 2.0), safety=0.5, instances=2)
    assert made.knee and made.knee.rate and made.target and made.fleet
    assert made.target.max_rps == made.knee.rate / 2
    assert made.target.invocations_per_instance == int(made.knee.rate / 2 * 0.5 * 60)
    assert made.fleet.usd_per_month == made.fleet.instances * 2.0 * 730


def test_without_a_limit_there_is_a_knee_and_no_recommendation() -> None:
    made = of_rates([20, 50, 90], None)
    assert made.knee and made.knee.rate and made.target is None and made.fleet is None


def test_where_no_rate_held_there_is_no_recommendation() -> None:
    made = of_rates([20, 50], 0.001, traffic=Traffic(120.0, "ml.x", 2.0))
    assert made.target is None and made.fleet is None
    assert any(note.startswith("No recommendation") and "p99 was" in note for note in made.notes)


def test_a_knee_above_what_was_measured_is_said() -> None:
    assert any("the knee lies above" in note for note in of_rates([20], 0.2).notes)


def test_numbers_of_a_laptop_are_said_to_be_its_own() -> None:
    assert report.LAPTOP in of_rates([20], None, HERE).notes
    assert report.LAPTOP not in of_rates([20], None, AWS).notes


def test_a_share_of_cold_starts_is_said() -> None:
    answers = queues.answers(20, 100, 60, np.random.default_rng(0))
    half = [answer._replace(cold=number % 2 == 0) for number, answer in enumerate(answers)]
    results = Results([FirstLoad("a", 1.0, None, True, 0)], [stage.open_loop(half, 60)])
    notes = report.make(MIXED, AWS, results).notes
    assert any(note.startswith(("50.", "49.")) and "waited for a load" in note for note in notes)


def test_where_cold_starts_are_not_told_that_is_said() -> None:
    results = Results(first_loads=[FirstLoad("a", 1.0, None, None, 0)])
    assert any("cold starts are among" in note for note in report.make(MIXED, AWS, results).notes)


def test_a_late_generator_and_an_interruption_are_said() -> None:
    answers = queues.answers(20, 100, 60, np.random.default_rng(0))
    late = [answer._replace(sent=answer.sent + 0.3, done=answer.done + 0.3) for answer in answers]
    results = Results(stages=[stage.open_loop(late, 60)], interrupted=True)
    notes = report.make(WARM, AWS, results).notes
    assert notes[0].startswith("Interrupted") and "could not keep its schedule" in notes[1]


def test_machines_get_everything() -> None:
    made = of_rates([20, 50, 90], 0.2, traffic=Traffic(120.0, "ml.x", 2.0))
    said = json.loads(json.dumps(made.as_json()))
    assert [each["requests"] > 0 for each in said["results"]["stages"]] == [True] * 3
    assert said["knee"]["limit"] == 0.2 and "× 60 s" in said["target"]["arithmetic"]
    assert len(said["fleet"]["arithmetic"]) == 2
