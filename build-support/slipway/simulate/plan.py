"""A simulation as it was asked for: its models, its traffic, and where each figure is from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from slipway.simulate.assumptions import RULES, Assumption, Origin
from slipway.simulate.distribution import Distribution, constant
from slipway.simulate.engine import simulate
from slipway.simulate.fleet import Fleet, Models, Scaling, Shape
from slipway.simulate.goal import Candidate, Goal, candidate, least_instances, search
from slipway.simulate.instance_type import InstanceType
from slipway.simulate.measured import Measured
from slipway.simulate.outcome import Summary
from slipway.simulate.theory import che_hit_rate
from slipway.simulate.traffic import Traffic
from slipway.units import format_bytes

WARM_UP = 0.2  # share of the requests that is not counted
# where neither options nor a measurement say something
GUESSES = {
    "load": constant(3.0),
    "unload": constant(0.7),
    "download": constant(5.0),
    "settle": constant(0.0),
    "first": constant(0.0),
    "ending": constant(0.0),
    "serve": constant(0.02),
    "memory": constant(300e6),
    "disk": constant(600e6),
}
WORDS = {
    "load": "load of a model",
    "unload": "unload of a model",
    "download": "download and extraction",
    "settle": "from a load to its first request",
    "first": "what the first request takes longer",
    "ending": "from an unload until memory is free",
    "serve": "a request, on one core",
    "memory": "memory of a loaded model",
    "disk": "disk of a downloaded model",
}


@dataclass(frozen=True)
class Plan:
    """What is simulated on each type of instance.

    ``reserved`` bytes of an instance's memory are the system's and the server's; ``volume`` is the
    disk (bytes) of one that has none of its own.
    """

    models: Models
    traffic: Traffic
    goal: Goal
    reserved: int
    volume: int
    loads_at_once: int
    scaling: Scaling | None
    copy_after_s: float | None
    seed: int
    assumptions: tuple[Assumption, ...]

    def shape(self, kind: InstanceType) -> Shape:
        """Return what models have of an instance."""
        return Shape(
            kind.cores,
            max(0.0, kind.memory - self.reserved),
            kind.disk or self.volume,
            loads_at_once=self.loads_at_once,
        )

    def simulate(self, kind: InstanceType, instances: int) -> Summary:
        """Simulate ``instances`` of one type, which have the most popular models at first."""
        fleet = Fleet(self.shape(kind), instances, self.scaling, self.copy_after_s)
        outcome = simulate(self.models, fleet, self.traffic, self.seed, is_filled=True)
        return outcome.summarize(WARM_UP)

    def candidates(
        self, kind: InstanceType, price: float | None, counts: Sequence[int] = ()
    ) -> Iterator[Candidate]:
        """Yield the simulated fleets: of each number of ``counts``, or those of a search."""
        if counts:
            for count in counts:
                yield candidate(kind, count, self.goal, price, self.simulate)
            return
        least = least_instances(self.traffic.rate, self.models.serve.mean, kind.cores)
        yield from search(kind, least, self.goal, price, self.simulate)

    def expected_hit_rate(self, chosen: Candidate) -> float:
        """Return the hit rate of Che's approximation, for one copy of each model."""
        room = self.shape(chosen.type).memory * chosen.instances
        return che_hit_rate(self.traffic.shares, self.models.memory, room)


def describe_models(
    count: int,
    given: dict[str, Distribution],
    found: Measured,
    random: np.random.Generator,
    concurrency: int,
) -> tuple[Models, list[Assumption]]:
    """Return ``count`` models with the figures that are ``given``, else measured, else guessed."""
    figures, assumptions = {}, []
    for name, guess in GUESSES.items():
        known = found.times | found.sizes
        origin: Origin = "given" if name in given else "measured" if name in known else "guessed"
        figures[name] = given.get(name) or known.get(name) or guess
        assumptions.append(Assumption(WORDS[name], _text(name, figures[name]), origin))
    models = Models(
        figures["memory"].draw(count, random),
        figures["disk"].draw(count, random),
        figures["load"],
        figures["serve"],
        figures["unload"],
        figures["download"],
        figures["settle"],
        figures["first"],
        figures["ending"],
        concurrency=concurrency,
    )
    return models, assumptions


def rules(plan: Plan) -> Plan:
    """Return the plan with the assumptions that any simulation makes."""
    copies = (
        "never"
        if plan.copy_after_s is None
        else f"where a request would wait longer than {plan.copy_after_s:g} s"
    )
    more = [
        Assumption("requests of one model at a time", f"{plan.models.concurrency}", "given"),
        Assumption("loads at a time on an instance", f"{plan.loads_at_once}", "given"),
        Assumption("memory that models do not get", format_bytes(plan.reserved), "given"),
        Assumption("disk of an instance without its own", format_bytes(plan.volume), "given"),
        Assumption("a second copy of a model is loaded", copies, "guessed"),
        Assumption("at first", "the most popular models are loaded, as many as fit", "guessed"),
        Assumption("not counted", f"the first {WARM_UP:.0%} of the requests", "given"),
    ]
    if plan.scaling:
        scaling = plan.scaling
        more.append(
            Assumption(
                "autoscaling",
                f"{scaling.target:g} a minute and instance, {scaling.least} to {scaling.most},"
                f" cooldowns {scaling.out_s:g} s and {scaling.in_s:g} s; 3 minutes above the"
                " target, 15 below 90 % of it",
                "documented",
            )
        )
        more.append(Assumption("an instance serves after", f"{scaling.start_s:g} s", "guessed"))
    return replace(plan, assumptions=(*plan.assumptions, *more, *RULES))


def _text(name: str, figure: Distribution) -> str:
    def show(value: float) -> str:
        return format_bytes(int(value)) if name in ("memory", "disk") else _seconds(value)

    if figure.p50 == figure.p99 and not figure.samples:
        return show(figure.p50)
    measurements = f", of {len(figure.samples)}" if figure.samples else ""
    return f"{show(figure.p50)} (p50), {show(figure.p99)} (p99){measurements}"


def _seconds(value: float) -> str:
    return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"


def as_json(
    plan: Plan, candidates: Sequence[Candidate], chosen: Candidate | None
) -> dict[str, Any]:
    """Return everything as JSON values: seconds, bytes, shares, US dollars."""

    def fields(each: Candidate) -> dict[str, Any]:
        return {
            "instance": each.type.name,
            "instances": each.instances,
            "usd_per_month": each.usd,
            "is_enough": each.is_enough,
            "missing": list(each.missing),
            **vars(each.summary),
            "instances_paid_for": each.summary.instances,
        } | {"instances": each.instances}

    return {
        "models": plan.models.count,
        "requests": len(plan.traffic.times),
        "rate": plan.traffic.rate,
        "seed": plan.seed,
        "goal": vars(plan.goal),
        "fleets": [fields(each) for each in candidates],
        "recommended": fields(chosen) if chosen else None,
        "che_hit_rate": plan.expected_hit_rate(chosen) if chosen else None,
        "assumptions": [vars(each) for each in plan.assumptions],
    }
