"""What a load test found, and what has to be known to read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from slipway.loadtest import knee as knees
from slipway.loadtest import scaling, stage
from slipway.loadtest.address import Address
from slipway.loadtest.knee import Knee
from slipway.loadtest.latencies import answers_needed
from slipway.loadtest.run import Results
from slipway.loadtest.scaling import Fleet, Target

Kind = Literal["warm", "mixed", "first-load"]
LAPTOP = (
    "Measured on this machine, with the load's generator on it: these numbers, and what follows"
    " from them, hold for this machine. For an instance in AWS, run it against the endpoint there."
)


@dataclass(frozen=True)
class Subject:
    """What was tested: ``shares`` of the traffic by target model, ``inputs`` in words."""

    endpoint: str
    kind: Kind
    shares: Mapping[str, float]
    inputs: str
    seed: int


@dataclass(frozen=True)
class Traffic:
    """What a fleet is wanted for: ``rate`` requests a second, on instances of this price."""

    rate: float
    instance: str
    usd_per_hour: float


@dataclass(frozen=True)
class Report:
    """``knee`` is ``None`` where no rates were measured, ``target`` and ``fleet`` where there is
    no knee or nobody asked."""

    subject: Subject
    results: Results
    knee: Knee | None
    target: Target | None
    fleet: Fleet | None
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Everything, for machines; times in seconds, rates a second."""
        said = asdict(self)
        if self.target:
            said["target"]["arithmetic"] = self.target.arithmetic
        if self.fleet:
            said["fleet"]["arithmetic"] = list(self.fleet.arithmetic)
        return said


def make(
    subject: Subject,
    address: Address,
    results: Results,
    *,
    limit: float | None = None,
    instances: int = 1,
    safety: float = scaling.SAFETY,
    traffic: Traffic | None = None,
) -> Report:
    """The report of ``results``; ``limit`` is the p99 (s) asked for, ``instances`` what the
    endpoint had while it was tested."""
    open_stages = [each for each in results.stages if each.concurrency is None]
    knee = knees.find([stage.point(each) for each in open_stages], limit) if open_stages else None
    target = fleet = None
    if knee and knee.rate and limit:
        target = scaling.target(knee.rate, instances, safety)
        if traffic:
            fleet = scaling.fleet(target, traffic.rate, traffic.instance, traffic.usd_per_hour)
    notes = tuple(_notes(subject, address, results, knee, limit))
    return Report(subject, results, knee, target, fleet, notes)


def _notes(
    subject: Subject, address: Address, results: Results, knee: Knee | None, limit: float | None
) -> list[str]:
    notes = []
    if results.interrupted:
        notes.append("Interrupted: this is what there was until then.")
    late = [each for each in results.stages if each.late]
    if late:
        notes.append(
            f"In {len(late)} of {len(results.stages)} stages the generator could not keep its"
            f" schedule: it sent up to {max(each.lag_p99 for each in late) * 1e3:.3g} ms late (99 %"
            " of the requests). It, or the machine that it shares, was too slow; the latencies"
            " include this delay."
        )
    if any(each.warm.p99 is None and each.requests for each in results.stages):
        notes.append(
            "A dash stands where the answers were too few: a p99 needs"
            f" {answers_needed(0.99)} of them, with --seconds or a higher rate."
        )
    if knee and knee.rate is not None and knee.ended_by is None:
        notes.append(
            "The highest rate measured still held: the knee lies above. Try higher --rates."
        )
    if knee and knee.rate is None and limit:
        notes.append(f"No recommendation, because not even the lowest rate held: {knee.ended_by}.")
    if subject.kind == "mixed" and not any(_told(results)):
        notes.append(
            "This endpoint does not say which answers waited for a load, so cold starts are among"
            " the others; CloudWatch's ModelCacheHit has their share."
        )
    cold = sum(each.cold.count for each in results.stages)
    if cold:
        of = cold + sum(each.warm.count for each in results.stages)
        notes.append(
            f"{cold / of:.1%} of the answers waited for a load; they are in the column 'cold', and"
            " in no other percentile."
        )
    if address.here:
        notes.append(LAPTOP)
    return notes


def _told(results: Results) -> list[bool]:
    return [found.cold is not None for found in results.first_loads]
