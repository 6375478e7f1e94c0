"""Measure how each cost grows with the number of models, and draw it: 10, 100 and 1,000."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from benchmarks import result
from benchmarks.clone import edit
from benchmarks.context import ROOT, BenchmarkContext
from benchmarks.generated import SMALL, generate, generate_small
from benchmarks.pants import PAIRS, PantsRepository
from benchmarks.result import Report, Row
from slipway.figure_file import figure_file

SIZES, FEW = (10, 100, 1000), (11, 22)
PICTURE = ROOT / "docs" / "growth.svg"
INCHES = (9.0, 5.0)
COLD, UNCHANGED, LIST = "check, nothing kept", "check, nothing changed", "pants list ::"
PACKAGE, CHANGED = "pants package ::, nothing changed", "pants --changed-since list, one edited"
EDITED = "pants package, one edited"
AFFECTED = "slipway affected, one edited"
# of one run with 1,000 models, on two cores
AT_MOST = {COLD: 10.0, UNCHANGED: 1.5}
RATIO = 1.3  # to an empty `list ::` of as many models
DASHES = {"check": "-", "slipway": "-", "pants": "--"}


@dataclass(frozen=True)
class Cost:
    """Seconds that a command took, and seconds of processors in it and in its daemon."""

    wall: float
    processors: float


def measure(context: BenchmarkContext) -> list[Report]:
    """Measure all costs at each size, and draw them unless this is a quick run.

    The models that are checked are copies of all samples. Pants packs small graphs.
    """
    sizes = FEW if context.quick else SIZES
    costs = {models: _measure_at(context, models) for models in sizes}
    if not context.quick:
        draw({models: {what: c.wall for what, c in at.items()} for models, at in costs.items()})
    return [
        Report(
            f"{models:,} models, of which nothing or one changed", "processors", _rows(models, at)
        )
        for models, at in costs.items()
    ]


def draw(costs: Mapping[int, Mapping[str, float]], path: Path = PICTURE) -> None:
    """Draw seconds over the number of models, both in logarithms: a cost's slope is its growth."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    with figure_file(path, INCHES) as figure:
        axes = figure.subplots()
        for number, what in enumerate(dict.fromkeys(what for at in costs.values() for what in at)):
            known = {models: at[what] for models, at in costs.items() if what in at}
            axes.plot(
                list(known),
                list(known.values()),
                marker="osD^v<>p"[number % 8],
                color=f"C{number}" if number < 10 else "black",  # after C9 they begin again
                linestyle=DASHES.get(what.replace(",", "").split()[0], ":"),
                label=what,
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(list(costs))
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
            axis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
        axes.grid(which="major", color="#dddddd")
        axes.set_xlabel("models in the repository")
        axes.set_ylabel("seconds")
        figure.legend(loc="outside right center", fontsize=8, frameon=False)


def _rows(models: int, costs: Mapping[str, Cost]) -> list[Row]:
    rows = []
    for what, cost in costs.items():
        limit = AT_MOST.get(what) if models == max(SIZES) else None
        if what in (PACKAGE, CHANGED):
            limit = RATIO * costs[LIST].wall
        row = result.alone(what, cost.wall, result.seconds, at_most=limit)
        rows.append(
            Row(row.what, row.ours, result.seconds(cost.processors), "", row.target, row.met)
        )
    return rows


def _measure_at(context: BenchmarkContext, models: int) -> dict[str, Cost]:
    work = context.work / f"growth-{models}"
    work.mkdir()
    costs = {**_checks(context, work, models), **_pants(context, work, models)}
    shutil.rmtree(work, ignore_errors=True)
    if find_spec("benchmarks.releases") is not None:
        figures = import_module("benchmarks.releases").measure_at(context, models)
        for what in ("status", "history", "rollback", "publish"):
            seconds = figures[f"{what}, s"]
            costs[f"slipway {what}, store in a bucket"] = Cost(seconds, seconds)
    return costs


def _checks(context: BenchmarkContext, work: Path, models: int) -> dict[str, Cost]:
    root = generate(work / "checked", models)
    cache = work / "cache"
    _slipway(root, cache, "check", "--fresh")  # the graphs are tried, which is remembered
    time.sleep(3)  # what is younger is not kept
    cold = [_slipway(root, cache, "check")]
    unchanged = [_slipway(root, cache, "check") for _ in range(context.repeats(5))]
    cold += [_slipway(root, cache, "check", "--fresh") for _ in range(context.repeats(3) - 1)]
    edited = []
    for _ in range(context.repeats(5)):
        edit(root)
        edited.append(_slipway(root, cache, "affected", "--base", "HEAD"))
    return {COLD: _median(cold), UNCHANGED: _median(unchanged), AFFECTED: _median(edited)}


def _pants(context: BenchmarkContext, work: Path, models: int) -> dict[str, Cost]:
    folder = work / "pants"
    folder.mkdir()
    repository = PantsRepository(folder, generate_small(folder / "clone", models))
    name = f"{SMALL}_0000"
    config = repository.root / "models" / name / name / "config.pbtxt"
    runs: dict[str, list[Cost]] = {LIST: [], PACKAGE: [], CHANGED: [], EDITED: []}
    try:
        for _ in range(2):  # the first run after packing does more
            repository.run("package", "::")
        for _ in range(context.repeats(PAIRS)):
            runs[LIST].append(_timed(repository, "list", "::"))
            runs[PACKAGE].append(_timed(repository, "package", "::"))
        for number in range(context.repeats(5)):
            with config.open("a", encoding="utf-8") as file:
                file.write(f"# edit {number}\n")
            runs[CHANGED].append(_timed(repository, "--changed-since=HEAD", "list"))
            runs[EDITED].append(_timed(repository, "package", f"models/{name}:"))
        memory = repository.memory()
    finally:
        repository.stop()
    print(f"{models} models: the daemon of Pants has {memory:,.0f} MB", file=sys.stderr)
    return {what: _median(costs) for what, costs in runs.items()}


def _timed(repository: PantsRepository, *arguments: str) -> Cost:
    with _processors(repository.processors) as spent:
        wall = repository.run(*arguments)
    return Cost(wall, spent())


def _slipway(root: Path, cache: Path, *arguments: str) -> Cost:
    variables = {"PYTHONPATH": str(ROOT / "build-support"), "SLIPWAY_CACHE": str(cache)}
    start = time.perf_counter()
    with _processors() as spent:
        subprocess.run(
            [sys.executable, "-P", "-m", "slipway", *arguments],
            cwd=root,
            env=os.environ | variables,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    return Cost(time.perf_counter() - start, spent())


@contextmanager
def _processors(others: Callable[[], float] = lambda: 0.0) -> Iterator[Callable[[], float]]:
    """Yield a function that returns the processor seconds since, of children and ``others``."""

    def now() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime + others()

    start = now()
    yield lambda: now() - start


def _median(costs: list[Cost]) -> Cost:
    return Cost(
        result.median([cost.wall for cost in costs]),
        result.median([cost.processors for cost in costs]),
    )
