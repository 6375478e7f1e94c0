"""The report of a load test: conclusions, and notes on how to read the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from slipway.loadtest import knee as knee
from slipway.loadtest import scaling
from slipway.loadtest.address import Address
from slipway.loadtest.knee import Knee, find_knee
from slipway.loadtest.latencies import answers_needed
from slipway.loadtest.run import Results
from slipway.loadtest.scaling import Fleet, ScalingTarget
from slipway.loadtest.stage import rate_point
from slipway.units import format_milliseconds

Kind = Literal["warm", "mixed", "first-load"]
LAPTOP = (
    "Measured on this machine, with the load's generator on it: these numbers, and what follows"
    " from them, hold for this machine. For an instance in AWS, run it against the endpoint there."
)


@dataclass(frozen=True)
class LoadTestSetup:
    """What was tested: ``shares`` of the traffic by target model, ``inputs`` described in words."""

    endpoint: str
    kind: Kind
    shares: Mapping[str, float]
    inputs: str
    seed: int


@dataclass(frozen=True)
class Traffic:
    """The traffic to size a fleet for: ``rate`` requests a second, on instances of this price."""

    rate: float
    instance: str
    usd_per_hour: float


@dataclass(frozen=True)
class LoadTestReport:
    """The result of a load test.

    ``knee`` is ``None`` if no rates were measured; ``target`` and ``fleet`` are ``None`` without a
    knee, or if they were not requested.
    """

    subject: LoadTestSetup
    results: Results
    knee: Knee | None
    target: ScalingTarget | None
    fleet: Fleet | None
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return all fields as JSON; times in seconds, rates a second."""
        fields = asdict(self)
        if self.target:
            fields["target"]["arithmetic"] = self.target.arithmetic
        if self.fleet:
            fields["fleet"]["arithmetic"] = list(self.fleet.arithmetic)
        return fields


def build_report(
    subject: LoadTestSetup,
    address: Address,
    results: Results,
    *,
    limit: float | None = None,
    instances: int = 1,
    safety: float = scaling.SAFETY,
    traffic: Traffic | None = None,
) -> LoadTestReport:
    """Return the report of ``results``.

    ``limit`` is the required p99 (s), ``instances`` how many the endpoint had during the test.
    """
    open_stages = [stage for stage in results.stages if stage.concurrency is None]
    knee = find_knee([rate_point(stage) for stage in open_stages], limit) if open_stages else None
    target = fleet = None
    if knee and knee.rate and limit:
        target = scaling.scaling_target(knee.rate, instances, safety)
        if traffic:
            fleet = scaling.plan_fleet(target, traffic.rate, traffic.instance, traffic.usd_per_hour)
    notes = tuple(_notes(subject, address, results, knee, limit))
    return LoadTestReport(subject, results, knee, target, fleet, notes)


def _notes(
    subject: LoadTestSetup,
    address: Address,
    results: Results,
    knee: Knee | None,
    limit: float | None,
) -> list[str]:
    notes = []
    if results.interrupted:
        notes.append("Interrupted: these are the results until then.")
    late = [stage for stage in results.stages if stage.late]
    if late:
        notes.append(
            f"In {len(late)} of {len(results.stages)} stages the generator could not keep its"
            " schedule: it sent up to"
            f" {format_milliseconds(max(stage.lag_p99 for stage in late))} late (99 %"
            " of the requests). It, or the machine that it shares, was too slow; the latencies"
            " include this delay."
        )
    if any(stage.warm.p99 is None and stage.requests for stage in results.stages):
        notes.append(
            "A dash means that there were too few answers: a p99 needs"
            f" {answers_needed(0.99)} of them, with --seconds or a higher rate."
        )
    if knee and knee.rate is not None and knee.ended_by is None:
        notes.append(
            "The highest rate measured was sustained: the knee lies above. Try higher --rates."
        )
    if knee and knee.rate is None and limit:
        notes.append(
            f"No recommendation, because not even the lowest rate was sustained: {knee.ended_by}."
        )
    if subject.kind == "mixed" and all(load.cold is None for load in results.first_loads):
        notes.append(
            "This endpoint does not report which answers waited for a load, so cold starts are"
            " among the others; CloudWatch's ModelCacheHit has their share."
        )
    cold = sum(stage.cold.count for stage in results.stages)
    if cold:
        answers = cold + sum(stage.warm.count for stage in results.stages)
        notes.append(
            f"{cold / answers:.1%} of the answers waited for a load; they are in the column 'cold',"
            " and in no other percentile."
        )
    if address.is_local:
        notes.append(LAPTOP)
    return notes
