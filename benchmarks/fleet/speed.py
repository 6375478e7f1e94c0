"""Measure how long the simulation takes for a million requests."""

from __future__ import annotations

import dataclasses
import time

import numpy as np

from benchmarks.context import BenchmarkContext
from benchmarks.result import Report, Row, alone, seconds
from slipway.simulate.distribution import constant
from slipway.simulate.engine import simulate
from slipway.simulate.fleet import Fleet, Models, Scaling, Shape
from slipway.simulate.theory import che_hit_rate
from slipway.simulate.traffic import draw_traffic

MILLION, MOST_S = 1_000_000, 10.0


def measure_speed(context: BenchmarkContext) -> Report:
    """Simulate a million requests of 10 to 10,000 models, and hold the hit rate against Che's."""
    rows: list[Row] = []
    count = MILLION // 10 if context.quick else MILLION
    for models, instances, scaling in (
        (10, 2, None),
        (1_000, 10, None),
        (10_000, 60, None),
        (1_000, 10, Scaling(1_200, 10, 20)),
    ):
        traffic = draw_traffic(models, 200.0, count, 1.0, np.random.default_rng(0))
        size = np.full(models, 200e6)
        described = Models(
            size, size, load=constant(2.0), serve=constant(0.02), unload=constant(0.7)
        )
        fleet = Fleet(Shape(8, 30e9, 60e9), instances, scaling)
        began = time.process_time()
        outcome = simulate(described, fleet, traffic, is_filled=True)
        took = time.process_time() - began
        room = 30e9 * instances
        che = che_hit_rate(traffic.shares, size, room)
        hits = outcome.summarize(0.2).hit_rate
        scaled = ", scaled" if scaling else ""
        rows.append(
            dataclasses.replace(
                alone(
                    f"{count:,} requests, {models:,} models, {instances} instances{scaled}",
                    took,
                    seconds,
                    at_most=MOST_S,
                ),
                theirs="" if scaling else f"hits {hits:.1%}, Che {che:.1%}",
            )
        )
    return Report("Simulation, processor time", "Che's approximation", rows)
