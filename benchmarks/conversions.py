"""Bring in what each framework writes: from the file of a training to answers of a real server.

The programs of ``trainings/`` run in the conversion environments of their formats. Each file then
goes through ``slipway new --from``, ``check`` and ``test``, as a user's does.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clone import clone
from benchmarks.context import ROOT, BenchmarkContext
from benchmarks.result import Report, Row
from slipway.environment.tools import provide_tools
from slipway.triton.standins import newest_lock

TRAININGS = Path(__file__).with_name("trainings")
LOCKS = ROOT / "build-support" / "slipway" / "formats" / "locks"
# the program of trainings/, the lock it runs with, below LOCKS or elsewhere
PROGRAMS = {
    "with_xgboost": "xgboost.txt",
    "with_lightgbm": "lightgbm.txt",
    "with_catboost": "catboost.txt",
    "with_sklearn": "scikit_learn.txt",
    "with_openvino": str(newest_lock("openvino")),
    "with_torch": "torch.txt",
    "with_keras": "tensorflow.txt",
}
QUICK = ("with_xgboost",)
BACKENDS = {"xgboost": ("fil",), "lightgbm": ("fil",), "torch_script": ("pytorch",)}
ENDINGS = {".ubj", ".json", ".txt", ".cbm", ".skops", ".joblib", ".pkl", ".pt", ".pt2"}
ENDINGS |= {".keras", ".h5", ".xml"}
# files that do not tell the size of a row
SIZES = {"torch_state.pt", "torch_script.pt"}
AT_MOST_S = 60.0  # from the file to a served answer, with environments in the cache


@dataclass(frozen=True)
class Outcome:
    """One file on one backend; ``seconds`` are those of new and test."""

    file: str
    about: str
    backend: str
    difference: str
    size: str
    seconds: tuple[float, float]
    problem: str = ""


def measure(context: BenchmarkContext) -> list[Report]:
    """Train with each framework, and bring in each file on each backend that it has."""
    programs = QUICK if context.quick else tuple(PROGRAMS)
    root = clone(context.work / "conversions")
    outcomes: list[Outcome] = []
    for program in programs:
        out = context.work / program
        out.mkdir()
        _train(program, out)
        for source in _sources(out)[: context.limit]:
            for backend in (None, *_more_backends(source)):
                outcomes.append(_bring_in(source, backend, root))
                print(*_cells(outcomes[-1]), sep=" | ", file=sys.stderr)
    served = [outcome for outcome in outcomes if not outcome.problem]
    slowest = max((sum(outcome.seconds) for outcome in served), default=0.0)
    rows = [Row(" | ".join(_cells(outcome)), "") for outcome in outcomes]
    rows.append(Row("served", f"{len(served)} of {len(outcomes)}"))
    limit = f"≤ {AT_MOST_S:g} s"
    rows.append(
        Row("slowest, file to answer", f"{slowest:.1f} s", "", "", limit, slowest <= AT_MOST_S)
    )
    return [Report("slipway new --from what a training wrote", "", rows)]


def _train(program: str, out: Path) -> None:
    python = provide_tools(LOCKS / PROGRAMS[program]).python
    argv = [str(python), str(TRAININGS / f"{program}.py"), str(out)]
    subprocess.run(argv, check=True, stdout=sys.stderr, cwd=out)


def _sources(out: Path) -> list[Path]:
    return sorted(
        path
        for path in out.iterdir()
        if (path.suffix in ENDINGS or path.is_dir()) and not path.name.endswith(".rows.json")
    )


def _more_backends(source: Path) -> tuple[str, ...]:
    return next((more for start, more in BACKENDS.items() if source.name.startswith(start)), ())


def _bring_in(source: Path, backend: str | None, root: Path) -> Outcome:
    name = re.sub(r"\W", "_", source.stem) + (f"_{backend}" if backend else "")
    options = ["--backend", backend] if backend else []
    rows, code = source.with_suffix(".rows.json"), source.with_suffix(".py")
    options += ["--rows", str(rows)] if rows.exists() else []
    options += ["--code", str(code)] if code.exists() else []
    options += ["--set", "input=8"] if source.name in SIZES else []
    # OpenVINO computes in bfloat16 where the processor can
    options += ["--tolerance", "0.05"] if source.suffix == ".xml" else []
    new, problem = _run(root, "new", name, "--from", str(source), "--yes", *options)
    test = 0.0
    if not problem:
        _, problem = _run(root, "check", name)
    if not problem:
        test, problem = _run(root, "test", name)
    folder = root / "models" / name
    record = folder / "original" / "conversion.json"
    told = json.loads(record.read_text()) if record.exists() else {}
    artifacts = sorted((root / "dist").glob(f"{name}_*.tar.gz"))
    size = f"{artifacts[0].stat().st_size / 1e6:.1f} MB" if artifacts else ""
    difference = f"{told['difference']:.2g}" if told else ""
    return Outcome(
        source.name,
        told.get("about", ""),
        told.get("backend", backend or ""),
        difference,
        size,
        (new, test),
        problem,
    )


def _run(root: Path, *arguments: str) -> tuple[float, str]:
    """Return the seconds of a command, and the first lines of its error."""
    env = os.environ | {"PYTHONPATH": str(root / "build-support")}
    start = time.perf_counter()
    argv = [sys.executable, "-m", "slipway", *arguments]
    done = subprocess.run(argv, cwd=root, env=env, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    text = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return seconds, " ".join(text[:3]) if done.returncode else ""


def _cells(outcome: Outcome) -> Sequence[str]:
    new, test = outcome.seconds
    return (
        outcome.file,
        outcome.backend,
        f"difference {outcome.difference}",
        outcome.size,
        f"new {new:.1f} s, test {test:.1f} s",
        outcome.problem or "served",
    )
