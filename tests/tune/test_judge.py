"""Lowered weights are judged as promotion would judge them."""

from __future__ import annotations

from pathlib import Path

from slipway.release.evaluation.evaluation import Evaluation
from slipway.tune.precision.judge import objection_to, why_no_judge

RULES = {"accuracy": {"better": "higher", "margin": 0.01, "at_least": 0.9}}
BEFORE = Evaluation({"accuracy": 0.95}, RULES)


def test_a_metric_within_its_margin_is_accepted() -> None:
    assert objection_to(Evaluation({"accuracy": 0.945}, RULES), [BEFORE]) is None


def test_a_metric_beyond_its_margin_is_refused_with_both_values() -> None:
    objection = objection_to(Evaluation({"accuracy": 0.93}, RULES), [BEFORE])
    assert objection is not None
    assert "accuracy 0.93, it was 0.95" in objection and "allowed is 0.01" in objection


def test_a_metric_below_its_bound_is_refused_whatever_was_before() -> None:
    worse = Evaluation({"accuracy": 0.89}, RULES)
    assert objection_to(worse, [Evaluation({"accuracy": 0.89}, RULES)]) is not None


def test_production_is_held_as_well() -> None:
    after = Evaluation({"accuracy": 0.945}, RULES)
    assert objection_to(after, [BEFORE, Evaluation({"accuracy": 0.97}, RULES)]) is not None


def test_a_metric_with_a_rule_that_nobody_measures_is_refused() -> None:
    objection = objection_to(Evaluation({"other": 1.0}, RULES), [BEFORE])
    assert objection is not None and "accuracy not measured" in objection


def test_without_a_rule_nothing_is_held() -> None:
    objection = objection_to(Evaluation({"accuracy": 1.0}, {}), [BEFORE])
    assert objection is not None and "no rule" in objection


def test_a_model_without_an_evaluation_has_no_judge(tmp_path: Path) -> None:
    reason = why_no_judge(tmp_path)
    assert reason is not None and "evaluate.py and evaluation.toml" in reason
    (tmp_path / "evaluate.py").touch()
    (tmp_path / "evaluation.toml").touch()
    assert why_no_judge(tmp_path) is None
