"""Measure ``slipway check`` in new processes: one model, and a large repository."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import result
from benchmarks.clone import clone, copy_model
from benchmarks.context import NAME, ROOT, BenchmarkContext
from benchmarks.result import Report, interleaved

MODELS, FEW = 300, 30
ONE_AT_MOST = 0.35  # seconds
EACH_AT_MOST = 5.0 / MODELS


def measure(context: BenchmarkContext) -> list[Report]:
    """Measure models of four configs, two of them Python, without weights as after a clone.

    Of the ONNX weights there are only pointer and signature.
    """
    root = clone(context.work / "checking")
    models = FEW if context.quick else MODELS
    for number in range(models - 1):
        copy_model(root, f"generated_{number:03}")
    times = interleaved(
        context.repeats(9),
        {
            "python": lambda: _run(root, "-c", "pass"),
            "one": lambda: _check(root, f"models/{NAME}"),
            "all": lambda: _check(root),
        },
    )
    rows = [
        result.alone("python -c pass", times["python"], result.seconds),
        result.alone("1 model", times["one"], result.seconds, at_most=ONE_AT_MOST),
        result.alone(
            f"{models} models", times["all"], result.seconds, at_most=EACH_AT_MOST * models
        ),
    ]
    return [Report("slipway check, each time a new process", "", rows)]


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
