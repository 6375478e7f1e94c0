"""Whom a drift is told, and how often."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from slipway.drift.report import DriftReport, Statistic, TensorDrift
from slipway.drift.verdict import Comparison, DriftCheck, ReleaseDrift
from slipway.pipeline.notify.drift import drift_event, notify_drift
from slipway.pipeline.notify.message import render_message
from tests.drift import traffic
from tests.drift.traffic import NOW, Traffic
from tests.pipeline.notify import receivers
from tests.pipeline.notify.receivers import Receiver, Reply

PIPELINE = "https://gitlab.example/team/models/-/pipelines/7"


@pytest.fixture
def made(tmp_path: Path) -> Traffic:
    return traffic.make(tmp_path)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receivers.running(Receiver()) as running:
        yield running


def check(
    made: Traffic, scores: dict[str, float], *, rows: int = 900, version: str = "1.0.0"
) -> DriftCheck:
    """A check of the model ``prices`` that found these scores by tensor; none: no requests."""
    report = DriftReport(
        [
            TensorDrift(name, "inputs", "numbers", {"x psi": Statistic("psi", "x", score, 1.0)})
            for name, score in scores.items()
        ],
        rows, rows, 3000, "train.csv", None, None, 1e-5,
    )  # fmt: skip
    comparisons = (Comparison("profile", report),) if scores else ()
    release = ReleaseDrift("prices", f"prices_{version}.tar.gz", rows, comparisons)
    since = NOW - timedelta(days=1)
    return DriftCheck("production", "production", since, NOW, "captured", [release], {})


def told(made: Traffic, receiver: Receiver, check: DriftCheck) -> str:
    """What people are told after the check; empty if nothing."""
    before = len(receiver.requests)
    warnings: list[str] = []
    environment = {"SLIPWAY_WEBHOOK_URL": f"{receiver.url}/hook", "CI_PIPELINE_URL": PIPELINE}
    notify_drift(made.settings, check, warnings.append, environment)
    assert not warnings or receiver.requests[-1].path == "/hook"
    return "\n".join(str(request.json["text"]) for request in receiver.requests[before:])


def test_a_drift_is_told_once_and_its_end_too(made: Traffic, receiver: Receiver) -> None:
    calm, moved = check(made, {"ROOMS": 0.5}), check(made, {"ROOMS": 4.0})
    assert told(made, receiver, calm) == ""
    first = told(made, receiver, moved)
    assert "Drift in production: prices 1.0.0" in first
    assert "ROOMS: x psi 4, threshold 1" in first
    assert "slipway drift prices --endpoint production --since 1d --output drift.html" in first
    assert [told(made, receiver, moved) for _ in range(3)] == ["", "", ""]
    assert "Drift has ended in production: prices 1.0.0" in told(made, receiver, calm)
    assert told(made, receiver, calm) == ""
    assert "Drift in production" in told(made, receiver, moved)


def test_another_tensor_is_news_and_one_less_is_not(made: Traffic, receiver: Receiver) -> None:
    told(made, receiver, check(made, {"A": 4.0, "B": 0.5}))
    assert "Drift in production" in told(made, receiver, check(made, {"A": 4.0, "B": 2.0}))
    assert told(made, receiver, check(made, {"A": 4.0, "B": 0.5})) == ""
    assert told(made, receiver, check(made, {"A": 4.0, "B": 2.0})) == "", "it flickers"


def test_an_hour_without_requests_ends_no_drift(made: Traffic, receiver: Receiver) -> None:
    told(made, receiver, check(made, {"A": 4.0}))
    assert told(made, receiver, check(made, {})) == ""
    assert told(made, receiver, check(made, {"A": 4.0})) == ""


def test_the_drift_of_a_new_release_is_news(made: Traffic, receiver: Receiver) -> None:
    told(made, receiver, check(made, {"A": 4.0}))
    assert "prices 1.1.0" in told(made, receiver, check(made, {"A": 4.0}, version="1.1.0"))


def test_a_message_that_nobody_took_is_sent_again(made: Traffic, receiver: Receiver) -> None:
    receiver.replies.append(Reply(400, "no"))
    moved = check(made, {"A": 4.0})
    told(made, receiver, moved)
    assert "Drift in production" in told(made, receiver, moved)


def test_without_a_destination_nothing_is_recorded(made: Traffic, receiver: Receiver) -> None:
    moved = check(made, {"A": 4.0})
    assert "no notification sent: prices drifted" in notify_drift(made.settings, moved, print, {})
    assert "Drift in production" in told(made, receiver, moved)


def test_a_damaged_record_of_what_was_told_is_replaced(made: Traffic, receiver: Receiver) -> None:
    file = made.settings.root / "store/production/catalog/prices/drift.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"[]")
    moved = check(made, {"A": 4.0})
    assert "Drift in production" in told(made, receiver, moved)
    assert told(made, receiver, moved) == ""


def test_the_mail_fits_into_snss_limits_however_many_models_drifted(made: Traffic) -> None:
    found = check(made, {f"tensor {n}": 2.0 + n for n in range(50)})
    event = drift_event(found, "drifted", [found.releases[0]] * 40, {})
    message = render_message(event)
    assert len(message.subject) <= 100 and message.subject.isascii()
    assert "tensor 49: x psi 51" in message.plain and "and 47 more" in message.plain
    assert len(message.body["blocks"]) <= 50
