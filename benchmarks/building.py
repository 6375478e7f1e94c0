"""How long a model folder takes to become an artifact, each build a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import result
from benchmarks.clone import clone, edit
from benchmarks.result import Report, interleaved
from benchmarks.subject import NAME, ROOT, Subject


def measure(subject: Subject) -> list[Report]:
    """Cold, unchanged, and after an edit; the downloaded packages are kept for both sides.

    The recipe is given what careful people give it: its packed environment is kept between builds.
    """
    assert subject.recipe_artifact  # from here on, uv has the packages
    bench = _Bench(subject.work / "building")
    cold = interleaved(
        subject.repeats(3),
        {"ours": lambda: bench.ours(cold=True), "recipe": lambda: bench.recipe(cold=True)},
    )
    warm = interleaved(subject.repeats(5), {"ours": bench.ours, "recipe": bench.recipe})

    def edited() -> float:
        edit(bench.root)
        return bench.ours()

    after = interleaved(subject.repeats(5), {"ours": edited, "recipe": bench.recipe})
    rows = [
        result.compared(what, seen["ours"], seen["recipe"], result.seconds)
        for what, seen in (
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
        """Seconds of ``slipway build``."""
        if cold:
            shutil.rmtree(self.root / ".dvc" / "cache", ignore_errors=True)
        return self._run("ours", ["slipway", "build", f"models/{NAME}"], cold)

    def recipe(self, *, cold: bool = False) -> float:
        """Seconds of the recipe."""
        if cold:
            shutil.rmtree(self._work, ignore_errors=True)
        return self._run("recipe", ["benchmarks.recipe", f"models/{NAME}", str(self._work)], cold)

    def _run(self, side: str, words: list[str], cold: bool) -> float:
        cache = self._cache[side]
        if cold:
            shutil.rmtree(cache, ignore_errors=True)
        env = os.environ | {
            "SLIPWAY_CACHE": str(cache),
            "PYTHONPATH": f"{self.root / 'build-support'}:{ROOT}",
        }
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", *words],
            cwd=self.root,
            env=env,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return time.perf_counter() - start
