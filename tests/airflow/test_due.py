"""When a DAG trains, and when it has nothing to do: without Airflow."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.training.run import RUN_ID
from tests.airflow.process import ROOT

sys.path.insert(0, str(ROOT / "ci" / "airflow" / "dags"))
from slipway_dags import due, messages, runs

NOW = datetime(2026, 12, 1, tzinfo=UTC)
LAST = {"run": "RUN", "code": "s3://b/1", "parameters": {}, "time": "2026-11-21T00:00:00+00:00"}
SAME = {"code": "s3://b/1", "parameters": {}, "force": False}


@pytest.mark.parametrize(
    ("last", "params", "options", "expected"),
    [
        (LAST, SAME, {}, (False, "nothing to do: RUN made the same 10.0 days ago")),
        (LAST, {**SAME, "force": True}, {}, (True, "forced")),
        (
            LAST,
            {**SAME, "code": "s3://b/2"},
            {},
            (True, "code, parameters or data changed since RUN"),
        ),
        (LAST, {**SAME, "parameters": {"a": 1}}, {}, (True, "other parameters than RUN")),
        (LAST, SAME, {"max_age_hours": 240}, (True, "RUN is 10.0 days old, of 10 at most")),
        (
            LAST,
            SAME,
            {"max_age_hours": 241},
            (False, "nothing to do: RUN made the same 10.0 days ago"),
        ),
        (None, SAME, {}, (True, "no training is known here")),
        (
            None,
            SAME,
            {"scheduled": True},
            (False, "nothing to do: never trained; start the first training by hand"),
        ),
        (
            None,
            SAME,
            {"scheduled": True, "recorded": "2026-11-30T00:00:00Z"},
            (
                False,
                "nothing to do: the training of 2026-11-30T00:00:00Z made the same 1.0 days ago",
            ),
        ),
        (
            None,
            SAME,
            {"scheduled": True, "recorded": "2026-11-01T00:00:00Z", "max_age_hours": 48},
            (True, "the training of 2026-11-01T00:00:00Z is 30.0 days old, of 2 at most"),
        ),
    ],
)
def test_a_training_is_due_for_a_reason_that_is_said(
    last: dict[str, Any] | None,
    params: dict[str, Any],
    options: dict[str, Any],
    expected: tuple[bool, str],
) -> None:
    chosen = {"max_age_hours": None, **options}
    age = chosen.pop("max_age_hours")
    assert due.reason_to_train(last, params, age, NOW, **chosen) == expected


@given(
    model=st.from_regex(r"[a-z][a-z0-9_]{0,90}", fullmatch=True),
    name=st.text(min_size=1),
    seconds=st.integers(0, 10**9),
)
def test_any_run_of_airflow_has_an_id_of_ours_and_names_that_sagemaker_takes(
    model: str, name: str, seconds: int
) -> None:
    run = SimpleNamespace(
        run_id=f"scheduled__{name}",
        run_after=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds),
    )
    identity = runs.training_run(model, run)
    match = RUN_ID.fullmatch(identity)
    assert match is not None and match["model"] == model
    assert identity == runs.training_run(model, run)
    for suffix in ("", "-evaluate", "-evaluate-99"):
        job = runs.job_name("slipway", model, run) + suffix
        # API_CreateTrainingJob, TrainingJobName
        assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", job), job
        assert job.startswith("slipway-")


def test_a_run_that_slipway_train_started_keeps_its_id() -> None:
    run = SimpleNamespace(run_id="churn-20261130T234000Z-0123ab")
    assert runs.training_run("churn", run) == run.run_id


@given(text=st.text())
def test_a_subject_is_one_that_sns_takes(text: str) -> None:
    subject = messages.subject(text)
    assert subject.isascii() and "\n" not in subject and len(subject) <= 100


def test_what_was_not_measured_is_said_and_not_zero() -> None:
    metric = {"name": "auc", "candidate": 0.9, "served": None, "said": None}
    told = messages.compared(
        {
            "model": "churn",
            "run": "RUN",
            "release": None,
            "verdict": "none",
            "why": "production serves no release of churn",
            "metrics": [metric],
            "notes": ["auc of photographs: measured later"],
        },
        "PAGE",
    )
    assert told["text"].splitlines() == [
        "Training RUN: production serves no release of churn.",
        "",
        "auc: 0.9 (production: not measured)",
        "Left out: auc of photographs: measured later",
        "",
        "Run: PAGE",
    ]
