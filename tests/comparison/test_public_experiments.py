"""Experiments that others ran and concluded about: the decision is theirs, or open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slipway.comparison.decision import decide_better
from slipway.comparison.sample_ratio import check_sample_ratio
from slipway.comparison.sequence import Counted, bound_mean

EXPERIMENTS = json.loads(
    (Path(__file__).parent / "fixtures/public_experiments.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment["name"])
def test_the_decision_is_that_of_the_experiments_authors_or_open(
    experiment: dict[str, Any],
) -> None:
    counts = [experiment[key] for key in ("only_a", "neither", "only_b")]
    counted = Counted(np.array([0.0, 0.5, 1.0]), np.array(counts, float))
    bounds = bound_mean(counted, 0.05).shifted(2, -1)
    assert decide_better(bounds, 0.001) == experiment["decision"]
    assert not check_sample_ratio(experiment["groups"], (1, 1)).broken


def test_the_gate_is_at_least_not_better_after_a_week() -> None:
    """What one look calls worse, every look calls at most 0.2 % better."""
    week = EXPERIMENTS[2]
    counts = [week[key] for key in ("only_a", "neither", "only_b")]
    bounds = bound_mean(Counted(np.array([0.0, 0.5, 1.0]), np.array(counts, float)), 0.05)
    assert bounds.shifted(2, -1).upper < 0.002
