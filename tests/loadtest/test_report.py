"""The conclusions of a report, and its notes."""

from __future__ import annotations

import json

import numpy as np

from slipway.loadtest import report
from slipway.loadtest.address import Address, local_address
from slipway.loadtest.report import LoadTestReport, LoadTestSetup, Traffic, build_report
from slipway.loadtest.run import FirstLoad, Results
from slipway.loadtest.stage import summarize_open_loop
from tests.loadtest import queues

HERE = local_address("http://127.0.0.1:1", "local")
AWS = Address("https://x", sign=lambda url, headers, body: headers, is_local=False)
MIXED = LoadTestSetup("local", "mixed", {"a": 0.6, "b": 0.4}, "", 0)
WARM = LoadTestSetup("local", "warm", {queues.TARGET: 1.0}, "", 0)


def report_of_rates(
    rates: list[float], limit: float | None, address: Address = AWS, **more: object
) -> LoadTestReport:
    random = np.random.default_rng(0)
    stages = [summarize_open_loop(queues.answers(r, 100, 60, random), 60) for r in rates]
    return build_report(WARM, address, Results(stages=stages), limit=limit, **more)  # type: ignore[arg-type]


def test_limit_and_traffic_lead_to_a_recommendation() -> None:
    result = report_of_rates(
        [20, 50, 90], 0.2, traffic=Traffic(120.0, "ml.x", 2.0), safety=0.5, instances=2
    )
    assert result.knee and result.knee.rate and result.target and result.fleet
    assert result.target.max_rps == result.knee.rate / 2
    assert result.target.invocations_per_instance == int(result.knee.rate / 2 * 0.5 * 60)
    assert result.fleet.usd_per_month == result.fleet.instances * 2.0 * 730


def test_without_a_limit_there_is_a_knee_and_no_recommendation() -> None:
    result = report_of_rates([20, 50, 90], None)
    assert result.knee and result.knee.rate and result.target is None and result.fleet is None


def test_where_no_rate_was_sustained_there_is_no_recommendation() -> None:
    result = report_of_rates([20, 50], 0.001, traffic=Traffic(120.0, "ml.x", 2.0))
    assert result.target is None and result.fleet is None
    assert any(note.startswith("No recommendation") and "p99 was" in note for note in result.notes)


def test_a_knee_above_the_measured_rates_is_noted() -> None:
    assert any("the knee lies above" in note for note in report_of_rates([20], 0.2).notes)


def test_numbers_of_a_local_endpoint_are_noted_to_hold_for_this_machine() -> None:
    assert report.LAPTOP in report_of_rates([20], None, HERE).notes
    assert report.LAPTOP not in report_of_rates([20], None, AWS).notes


def test_the_share_of_cold_starts_is_noted() -> None:
    answers = queues.answers(20, 100, 60, np.random.default_rng(0))
    half = [answer._replace(cold=number % 2 == 0) for number, answer in enumerate(answers)]
    results = Results([FirstLoad("a", 1.0, None, True, 0)], [summarize_open_loop(half, 60)])
    notes = build_report(MIXED, AWS, results).notes
    assert any(note.startswith(("50.", "49.")) and "waited for a load" in note for note in notes)


def test_an_endpoint_that_does_not_report_cold_starts_is_noted() -> None:
    results = Results(first_loads=[FirstLoad("a", 1.0, None, None, 0)])
    assert any("cold starts are among" in note for note in build_report(MIXED, AWS, results).notes)


def test_a_late_generator_and_an_interruption_are_noted() -> None:
    answers = queues.answers(20, 100, 60, np.random.default_rng(0))
    late = [answer._replace(sent=answer.sent + 0.3, done=answer.done + 0.3) for answer in answers]
    results = Results(stages=[summarize_open_loop(late, 60)], interrupted=True)
    notes = build_report(WARM, AWS, results).notes
    assert notes[0].startswith("Interrupted") and "could not keep its schedule" in notes[1]


def test_json_has_all_fields_and_calculations() -> None:
    result = report_of_rates([20, 50, 90], 0.2, traffic=Traffic(120.0, "ml.x", 2.0))
    fields = json.loads(json.dumps(result.as_json()))
    assert [stage["requests"] > 0 for stage in fields["results"]["stages"]] == [True] * 3
    assert fields["knee"]["limit"] == 0.2 and "× 60 s" in fields["target"]["arithmetic"]
    assert len(fields["fleet"]["arithmetic"]) == 2
