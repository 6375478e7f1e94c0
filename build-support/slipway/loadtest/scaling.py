"""From what one instance carries to the target of autoscaling, a number of instances and a cost.

The arithmetic is AWS's: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-loadtest.html
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SAFETY = 0.5  # what AWS recommends to begin with
HOURS = 730  # of a month, as AWS's price calculator has it
# in two availability zones, so that one may fail (AWS: deploy at least two instances)
AT_LEAST = 2


@dataclass(frozen=True)
class Target:
    """``SageMakerVariantInvocationsPerInstance`` for an instance that carries ``max_rps``."""

    max_rps: float
    safety: float
    invocations_per_instance: int

    @property
    def arithmetic(self) -> str:
        """How the target came about."""
        return (
            f"{self.max_rps:.4g}/s × {self.safety:g} × 60 s = "
            f"{self.invocations_per_instance} invocations a minute and instance"
        )


@dataclass(frozen=True)
class Fleet:
    """The instances for a traffic (requests a second), and what they cost in US dollars."""

    traffic: float
    instance: str
    usd_per_hour: float
    needed: int
    instances: int
    usd_per_month: float
    per_instance: float

    @property
    def arithmetic(self) -> tuple[str, str]:
        """How number and cost came about."""
        least = f", at least {AT_LEAST} for availability" if self.needed < AT_LEAST else ""
        return (
            f"{self.traffic:g}/s ÷ {self.per_instance:.4g}/s = "
            f"{self.traffic / self.per_instance:.3g} → {self.needed}{least}"
            f" → {self.instances} × {self.instance}",
            f"{self.instances} × {self.usd_per_hour:g} USD/h × {HOURS} h = "
            f"{self.usd_per_month:,.2f} USD a month",
        )


def target(knee_rate: float, instances: int = 1, safety: float = SAFETY) -> Target:
    """Return the target for ``instances`` that carry ``knee_rate`` (1/s) within the limit.

    MAX_RPS × SAFETY_FACTOR × 60, rounded down: the metric counts whole invocations of a minute.
    """
    max_rps = knee_rate / instances
    return Target(max_rps, safety, math.floor(max_rps * safety * 60))


def fleet(found: Target, traffic: float, instance: str, usd_per_hour: float) -> Fleet:
    """What ``traffic`` (1/s) needs if each instance is held at its target."""
    per_instance = found.max_rps * found.safety
    # a share of 1e-9 of an instance is rounding, and none
    needed = math.ceil(traffic / per_instance - 1e-9)
    instances = max(AT_LEAST, needed)
    return Fleet(
        traffic,
        instance,
        usd_per_hour,
        needed,
        instances,
        instances * usd_per_hour * HOURS,
        per_instance,
    )
