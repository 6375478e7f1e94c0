"""Measure ``slipway check`` in new processes: one model, a large and a very large repository."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import result
from benchmarks.clone import clone, copy_model
from benchmarks.context import NAME, ROOT, BenchmarkContext
from benchmarks.result import Report, interleaved, median
from slipway.model.folder import find_models

MODELS, FEW = 300, 30
VERY_MANY, MANY = 1000, 100
ONE_AT_MOST = 0.3  # seconds
UNCHANGED_EACH_AT_MOST = 1.5 / VERY_MANY
EACH_AT_MOST = 10.0 / VERY_MANY


def measure(context: BenchmarkContext) -> list[Report]:
    """Measure models of four configs, two of them Python, without weights as after a clone.

    Of the ONNX weights there are only pointer and signature. The first round checks all models, the
    median is of a round in which nothing changed.
    """
    large, very_large = (FEW, MANY) if context.quick else (MODELS, VERY_MANY)
    roots = {models: _repository(context, models) for models in (large, very_large)}
    times = interleaved(
        context.repeats(9),
        {
            "python": lambda: _run(roots[large], "-c", "pass"),
            "one": lambda: _check(roots[large], f"models/{NAME}"),
            "large": lambda: _check(roots[large]),
            "very large": lambda: _check(roots[very_large]),
        },
    )
    fresh = median([_check(roots[very_large], "--fresh") for _ in range(context.repeats(3))])
    rows = [
        result.alone("python -c pass", times["python"], result.seconds),
        result.alone("1 model", times["one"], result.seconds, at_most=ONE_AT_MOST),
        result.alone(
            f"{large:,} models, nothing changed",
            times["large"],
            result.seconds,
            at_most=EACH_AT_MOST * large,
        ),
        result.alone(
            f"{very_large:,} models, nothing changed",
            times["very large"],
            result.seconds,
            at_most=UNCHANGED_EACH_AT_MOST * very_large,
        ),
        result.alone(
            f"{very_large:,} models, all checked",
            fresh,
            result.seconds,
            at_most=EACH_AT_MOST * very_large,
        ),
    ]
    return [Report("slipway check, each time a new process", "", rows)]


def _repository(context: BenchmarkContext, models: int) -> Path:
    """Return a clone with copies of the sample model, ``models`` in all with the other samples."""
    root = clone(context.work / f"checking-{models}")
    samples = len(find_models(root))
    for number in range(models - samples):
        copy_model(root, f"generated_{number:04}")
    return root


def _check(root: Path, *models: str) -> float:
    return _run(root, "-m", "slipway", "check", *models)


def _run(root: Path, *arguments: str) -> float:
    """Return the seconds that a Python process takes.

    Raises:
        subprocess.CalledProcessError: check has findings; they are on standard error.
    """
    env = os.environ | {"PYTHONPATH": str(ROOT / "build-support")}
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=root, env=env, check=True, stdout=sys.stderr)
    return time.perf_counter() - start
