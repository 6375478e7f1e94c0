"""Hold ``slipway simulate`` against the local endpoint: the same requests at the same times.

A real endpoint with room for some of its models answers Zipf's traffic. What it took for loads,
unloads and requests in one half of the time calibrates the simulation, which is then given all
requests; the other half is compared. Both halves are, each calibrated by the other. A last report
is the simulation's own speed.
"""

from __future__ import annotations

import asyncio
import sys

import numpy as np

from benchmarks.context import BenchmarkContext
from benchmarks.fleet.run import Compared, Run
from benchmarks.fleet.speed import measure_speed
from benchmarks.result import Report, Row, alone, number, seconds
from slipway import settings as configuration
from slipway.endpoint import serving
from slipway.endpoint.limits import Limits
from slipway.settings import EndpointSettings
from slipway.triton.datatypes import Array
from tests.endpoint.shelf import Shelf

# models, and how many of them the endpoint may have loaded
SIZES = ((5, 3), (10, 6), (20, 12), (40, 28))
SECONDS = 300.0
HALF = 150  # requests of a half, at least: of 89, two decide upon the hit rate's limit
POINTS, SHARE = 0.02, 0.20


def measure(context: BenchmarkContext) -> list[Report]:
    """Compare hit rate and cold starts at several sizes, then measure a million requests."""
    sizes = SIZES[1:2] if context.quick else SIZES
    runs = [_compare(context, *size, seed) for seed, size in enumerate(sizes)]
    rows = [_row_of_hits(run.what, *run.hits) for run in runs]
    rows += [_row_of_cold(run.what, *run.cold, 90) for run in runs]
    ours, theirs = (np.concatenate([run.cold[side] for run in runs]) for side in (0, 1))
    # one run has too few for a p99 of its own
    rows += [_row_of_cold("all", ours, theirs, level) for level in (50, 90, 99)]
    failed = [error for run in runs for error in run.failed]
    for error in failed:
        print(error, file=sys.stderr)
    rows.append(alone("requests answered with an error", len(failed), number, at_most=0))
    title = f"Simulation, {_length(context):.0f} s or more, each half calibrated by the other"
    return [Report(title, "the local endpoint", rows), measure_speed(context)]


def _length(context: BenchmarkContext) -> float:
    return 30.0 if context.quick else SECONDS


def _compare(context: BenchmarkContext, count: int, room: int, seed: int) -> Compared:
    shelf = Shelf(context.work / f"fleet-{count}")
    targets = [shelf.put(number) for number in range(count)]
    settings = configuration.Settings(root=context.work)
    entry = EndpointSettings("local", store=str(shelf.folder), allow=("*",))
    limits = Limits(models=room, not_ready_s=600.0)
    with serving.serve_in_thread(settings, [entry], limits=lambda _: limits, isolated=False) as up:
        timings = up.endpoints["local"].observer.timings
        run = Run(up.url, timings, targets, room, np.random.default_rng(seed))
        asyncio.run(run.ask_all(_length(context), 0 if context.quick else HALF))
    return run.compare(f"{count} models, room for {room}")


def _row_of_cold(what: str, ours: Array, theirs: Array, level: int) -> Row:
    simulated, real = (
        float(np.percentile(each, level, method="inverted_cdf")) for each in (ours, theirs)
    )
    ratio, is_judged = simulated / real, level == 99
    return Row(
        f"{what}: p{level} of {len(theirs)} cold starts",
        seconds(simulated),
        seconds(real),
        f"{ratio:.2f}×",
        f"within {SHARE:.0%}" if is_judged else "",
        abs(ratio - 1) <= SHARE if is_judged else None,
    )


def _row_of_hits(what: str, ours: float, theirs: float) -> Row:
    return Row(
        f"{what}: hit rate",
        f"{ours:.1%}",
        f"{theirs:.1%}",
        f"{100 * (ours - theirs):+.1f} points",
        f"within {100 * POINTS:g} points",
        abs(ours - theirs) <= POINTS,
    )
