"""Hold the search of ``slipway tune`` against measuring every combination of a small space."""

from __future__ import annotations

import dataclasses
import math
from contextlib import nullcontext

from benchmarks import result
from benchmarks.context import BenchmarkContext
from benchmarks.result import Report, Row
from slipway.artifact.artifact import Artifact
from slipway.tune import tune as tuning
from slipway.tune.candidate import INSTANCES, THREADS, describe
from slipway.tune.estimate import CPU, RATE, Clients, Point
from slipway.tune.frontier import ORDER, Limits
from slipway.tune.report import TuneReport
from slipway.tune.search import ENOUGH
from slipway.tune.session import Terms
from slipway.tune.space import Extent
from slipway.tune.tune import Wish

CLIENTS = 8
SEARCH_S, BRUTE_S = 240.0, 900.0
QUICK_S = 25.0


def measure(context: BenchmarkContext) -> list[Report]:
    """Search the threads and the instances of the sample model; then measure all of them."""
    found = _tune(context, exhaustive=False)
    every = _tune(context, exhaustive=True)
    if found.chosen is None or every.chosen is None:
        return [Report("slipway tune", "", [Row("nothing was measured in the time", "")])]
    rows = [
        Row(
            "configs measured",
            str(len(found.points)),
            str(len(every.points)),
            target=f"of {every.combinations}",
        ),
        Row("chosen", describe(found.chosen.candidate), describe(every.chosen.candidate)),
        *_behind(found.chosen, every),
        *_gains(found),
    ]
    return [Report(f"slipway tune: threads and instances, {CLIENTS} clients", "brute force", rows)]


def _tune(context: BenchmarkContext, *, exhaustive: bool) -> TuneReport:
    """Return a search that knows nothing of an earlier one."""
    root = context.work / ("brute" if exhaustive else "search")
    settings = dataclasses.replace(context.settings, root=root)
    extent = Extent(CLIENTS, frozenset({THREADS, INSTANCES}), cpu=True)
    budget = QUICK_S if context.quick else BRUTE_S if exhaustive else SEARCH_S
    terms = Terms(Clients(1, CLIENTS), budget)
    wish = Wish("throughput", Limits(), extent, terms, exhaustive)
    artifact = Artifact(context.artifact)
    return tuning.tune(context.model.path, settings, artifact, wish, lambda _: nullcontext()).report


def _behind(chosen: Point, every: TuneReport) -> list[Row]:
    """Return by how much of the noise the search's choice is behind the best, as brute force
    measured both."""
    same = [point for point in every.points if point.candidate == chosen.candidate]
    if not same or every.chosen is None:
        return [Row("the choice of the search", "not measured by brute force in its time")]
    rows = []
    for measure, name in ((ORDER["throughput"][0], "answers/s"), (CPU, "processor time")):
        behind = every.chosen.gains[measure] - same[0].gains[measure]
        noise = every.noise.limit(measure, min(ENOUGH, same[0].rounds))
        rows.append(
            Row(
                f"behind the best, {name}",
                f"{math.expm1(behind):+.1%}",
                ratio=f"noise {math.expm1(noise):.1%}",
                target="within the noise",
                met=behind <= noise,
            )
        )
    return rows


def _gains(report: TuneReport) -> list[Row]:
    """Return what the choice gains over the config as it is."""
    if report.chosen is None or report.baseline is None:
        return []
    mine, before = report.chosen.values, report.baseline.values
    return [
        Row(
            "answers/s, chosen and as it is",
            result.a_second(mine[RATE]),
            result.a_second(before[RATE]),
            f"{mine[RATE] / before[RATE]:.2f}×",
        ),
        Row(
            "processor time an answer, chosen and as it is",
            result.milliseconds(1e3 * mine[CPU]),
            result.milliseconds(1e3 * before[CPU]),
            f"{mine[CPU] / before[CPU]:.2f}×",
        ),
    ]
