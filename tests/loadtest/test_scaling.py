"""The arithmetic of autoscaling and of cost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.loadtest import scaling


def test_the_target_follows_the_arithmetic_of_aws() -> None:
    target = scaling.scaling_target(40.0)
    assert target.invocations_per_instance == 1200  # 40 × 0.5 × 60
    assert target.arithmetic == "40/s × 0.5 × 60 s = 1200 invocations a minute and instance"


def test_the_knee_of_several_instances_is_divided_by_their_number() -> None:
    assert scaling.scaling_target(120.0, instances=3, safety=0.8).invocations_per_instance == 1920


def test_instances_and_cost_follow_from_the_traffic() -> None:
    fleet = scaling.plan_fleet(scaling.scaling_target(40.0), 120.0, "ml.x", 1.5)
    assert fleet.instances == 6 and fleet.usd_per_month == 6 * 1.5 * 730
    assert fleet.arithmetic == (
        "120/s ÷ 20/s = 6 → 6 → 6 × ml.x",
        "6 × 1.5 USD/h × 730 h = 6,570.00 USD a month",
    )


def test_a_fleet_has_at_least_two_instances() -> None:
    fleet = scaling.plan_fleet(scaling.scaling_target(40.0), 3.0, "ml.x", 1.0)
    assert (fleet.needed, fleet.instances, fleet.usd_per_month) == (1, 2, 1460)
    assert "→ 1, at least 2 for availability → 2 × ml.x" in fleet.arithmetic[0]


@given(st.floats(0.5, 1000), st.floats(0.05, 1), st.floats(0.1, 10_000))
def test_no_instance_gets_more_than_its_target(knee: float, safety: float, traffic: float) -> None:
    target = scaling.scaling_target(knee, 1, safety)
    fleet = scaling.plan_fleet(target, traffic, "ml.x", 1.0)
    assert traffic / fleet.instances <= knee * safety * (1 + 1e-6)
    assert fleet.instances == 2 or traffic / (fleet.instances - 1) > knee * safety * (1 - 1e-6)
    assert target.invocations_per_instance == pytest.approx(knee * safety * 60, abs=1)
