"""Who may do what in a training: the roles' policies, asked by two evaluators."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from slipway import settings
from slipway.infra import may
from tests.infra.conftest import HERE
from tests.infra.training_requests import (
    AIRFLOW,
    CI,
    FUNCTION,
    JOBS,
    REQUESTS,
    Request,
    cases,
    digest,
    policies_of,
)

SIMULATED = Path(__file__).parent / "simulated_training.txt"
# IAM's quotas: characters without blanks, of all inline policies of a role, and of a managed policy
MOST_INLINE, MOST_MANAGED = 10_240, 6_144


def asked(request: Request) -> may.Answer:
    """Return the library's answer; two tests ask for each, and it reads the template every time."""
    return _asked(REQUESTS.index(request))


@functools.cache
def _asked(number: int) -> may.Answer:
    role, action, resource, context, _ = REQUESTS[number]
    keys = {
        key: tuple(value) if isinstance(value, list) else (str(value),)
        for key, value in context.items()
    }
    return may.ask(settings.load(HERE), "training", role, action, resource, keys)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda each: f"{each[0]} {each[1]} {each[2]}")
def test_a_role_may_do_what_it_is_for_and_nothing_else(request_: Request) -> None:
    assert asked(request_).decision.allowed == request_[-1]


def test_another_evaluator_says_the_same() -> None:
    """@cloud-copilot/iam-simulate 0.1.173, which nobody here wrote; it refuses unknown actions."""
    made_of, *verdicts = SIMULATED.read_text(encoding="utf-8").splitlines()
    assert made_of == digest(cases()), "ask again: see the head of simulate.mjs"
    for request, verdict in zip(REQUESTS, verdicts, strict=True):
        assert (verdict[0] == "A") == request[-1], verdict
        decision = asked(request).decision
        denied = "E" if decision.statement else "I"
        assert verdict[0] == ("A" if decision.allowed else denied), verdict


def test_the_question_of_a_person_names_the_statement() -> None:
    answer = asked(REQUESTS[0])
    assert answer.lines() == [
        "slipway-production-airflow may sagemaker:CreateTrainingJob on " + REQUESTS[0][2],
        "  Allow by AirflowExecutionRole/jobs, Jobs",
    ]


@pytest.mark.parametrize("role", [JOBS, AIRFLOW, FUNCTION, CI])
def test_policies_fit_into_the_quotas_of_iam(role: str) -> None:
    sizes = [len(json.dumps(each, separators=(",", ":"))) for each in policies_of(HERE, role)]
    if role == CI:
        assert max(sizes) <= MOST_MANAGED
    else:
        assert sum(sizes) <= MOST_INLINE


def test_what_airflow_passes_can_be_nothing_but_the_role_of_jobs() -> None:
    statements: list[dict[str, Any]] = [
        statement
        for role in (AIRFLOW, CI)
        for policy in policies_of(HERE, role)
        for statement in policy["Statement"]
        if "iam:PassRole" in statement["Action"]
    ]
    assert len(statements) == 2
    for statement in statements:
        assert statement["Resource"] == "arn:aws:iam::000000000000:role/slipway-production-training"
        assert statement["Condition"] == {
            "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
        }
