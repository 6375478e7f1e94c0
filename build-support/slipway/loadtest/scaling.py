"""Derive the autoscaling target, the number of instances and their cost from the knee.

The arithmetic is AWS's: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-loadtest.html
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SAFETY = 0.5  # AWS's recommendation to start with
HOURS = 730  # a month, as in AWS's price calculator
# in two availability zones, so that one may fail (AWS: deploy at least two instances)
MIN_INSTANCES = 2


@dataclass(frozen=True)
class ScalingTarget:
    """``SageMakerVariantInvocationsPerInstance`` for an instance that carries ``max_rps``."""

    max_rps: float
    safety: float
    invocations_per_instance: int

    @property
    def arithmetic(self) -> str:
        """Return the calculation of the target."""
        return (
            f"{self.max_rps:.4g}/s × {self.safety:g} × 60 s = "
            f"{self.invocations_per_instance} invocations a minute and instance"
        )


@dataclass(frozen=True)
class Fleet:
    """The instances for a traffic (requests a second), and their cost in US dollars."""

    traffic: float
    instance: str
    usd_per_hour: float
    needed: int
    instances: int
    usd_per_month: float
    per_instance: float

    @property
    def arithmetic(self) -> tuple[str, str]:
        """Return the calculations of the number and of the cost."""
        least = (
            f", at least {MIN_INSTANCES} for availability" if self.needed < MIN_INSTANCES else ""
        )
        return (
            f"{self.traffic:g}/s ÷ {self.per_instance:.4g}/s = "
            f"{self.traffic / self.per_instance:.3g} → {self.needed}{least}"
            f" → {self.instances} × {self.instance}",
            f"{self.instances} × {self.usd_per_hour:g} USD/h × {HOURS} h = "
            f"{self.usd_per_month:,.2f} USD a month",
        )


def scaling_target(knee_rate: float, instances: int = 1, safety: float = SAFETY) -> ScalingTarget:
    """Return the target for ``instances`` that sustain ``knee_rate`` (1/s) within the limit.

    MAX_RPS × SAFETY_FACTOR × 60, rounded down: the metric counts the invocations of a minute.
    """
    max_rps = knee_rate / instances
    return ScalingTarget(max_rps, safety, math.floor(max_rps * safety * 60))


def plan_fleet(target: ScalingTarget, traffic: float, instance: str, usd_per_hour: float) -> Fleet:
    """Return the fleet for ``traffic`` (1/s) with each instance at its target."""
    per_instance = target.max_rps * target.safety
    # 1e-9 of an instance is a rounding error
    needed = math.ceil(traffic / per_instance - 1e-9)
    instances = max(MIN_INSTANCES, needed)
    return Fleet(
        traffic,
        instance,
        usd_per_hour,
        needed,
        instances,
        instances * usd_per_hour * HOURS,
        per_instance,
    )
