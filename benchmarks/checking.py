"""Measure ``slipway check`` in processes of their own: one model, and a large repository."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import result
from benchmarks.clone import clone, copy_model
from benchmarks.result import Report, interleaved
from benchmarks.subject import NAME, ROOT, Subject

MODELS, FEW = 300, 30
ONE_AT_MOST = 0.35  # seconds
EACH_AT_MOST = 5.0 / MODELS


def measure(subject: Subject) -> list[Report]:
    """Models of four configs, two of them Python, whose ONNX weights are a pointer and a signature.

    As after a clone: no weights are there.
    """
    root = clone(subject.work / "checking")
    models = FEW if subject.quick else MODELS
    for number in range(models - 1):
        copy_model(root, f"generated_{number:03}")
    seen = interleaved(
        subject.repeats(9),
        {
            "python": lambda: _run(root, "-c", "pass"),
            "one": lambda: _check(root, f"models/{NAME}"),
            "all": lambda: _check(root),
        },
    )
    rows = [
        result.alone("python -c pass", seen["python"], result.seconds),
        result.alone("1 model", seen["one"], result.seconds, at_most=ONE_AT_MOST),
        result.alone(
            f"{models} models", seen["all"], result.seconds, at_most=EACH_AT_MOST * models
        ),
    ]
    return [Report("slipway check, each time a new process", "", rows)]


def _check(root: Path, *models: str) -> float:
    return _run(root, "-m", "slipway", "check", *models)


def _run(root: Path, *words: str) -> float:
    """Seconds of a Python process.

    Raises:
        subprocess.CalledProcessError: check found a mistake; it is on standard error.
    """
    env = os.environ | {"PYTHONPATH": str(ROOT / "build-support")}
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], cwd=root, env=env, check=True, stdout=sys.stderr)
    return time.perf_counter() - start
