"""Measure the time from a model folder to its artifact, with a new process per build."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import result
from benchmarks.clone import clone, edit
from benchmarks.context import NAME, ROOT, BenchmarkContext
from benchmarks.result import Report, interleaved


def measure(context: BenchmarkContext) -> list[Report]:
    """Measure cold, unchanged and edited builds; both sides keep their downloaded packages.

    As in a careful setup, the recipe also keeps its packed environment between builds.
    """
    assert context.recipe_artifact  # from here on, uv has the packages
    bench = _Bench(context.work / "building")
    cold = interleaved(
        context.repeats(3),
        {"ours": lambda: bench.ours(cold=True), "recipe": lambda: bench.recipe(cold=True)},
    )
    warm = interleaved(context.repeats(5), {"ours": bench.ours, "recipe": bench.recipe})

    def edited() -> float:
        edit(bench.root)
        return bench.ours()

    after = interleaved(context.repeats(5), {"ours": edited, "recipe": bench.recipe})
    rows = [
        result.compared(what, times["ours"], times["recipe"], result.seconds)
        for what, times in (
            ("cold: no environment yet", cold),
            ("again, nothing changed", warm),
            ("after a one-line edit of model.py", after),
        )
    ]
    return [Report("Time to artifact, slipway build", "recipe, its environment kept", rows)]


class _Bench:
    """A clone, and a cache for each side."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.root = clone(folder / "clone")
        self._cache = {"ours": folder / "cache", "recipe": folder / "recipe-cache"}
        self._work = folder / "recipe"

    def ours(self, *, cold: bool = False) -> float:
        """Return the seconds that ``slipway build`` takes."""
        if cold:
            shutil.rmtree(self.root / ".dvc" / "cache", ignore_errors=True)
        return self._run("ours", ["slipway", "build", f"models/{NAME}"], cold)

    def recipe(self, *, cold: bool = False) -> float:
        """Return the seconds that the recipe takes."""
        if cold:
            shutil.rmtree(self._work, ignore_errors=True)
        return self._run("recipe", ["benchmarks.recipe", f"models/{NAME}", str(self._work)], cold)

    def _run(self, side: str, arguments: list[str], cold: bool) -> float:
        cache = self._cache[side]
        if cold:
            shutil.rmtree(cache, ignore_errors=True)
        env = os.environ | {
            "SLIPWAY_CACHE": str(cache),
            "PYTHONPATH": f"{self.root / 'build-support'}:{ROOT}",
        }
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.root,
            env=env,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return time.perf_counter() - start
