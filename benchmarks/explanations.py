"""Compare explanations with exact contributions, and with shap at an equal number of rows.

``explained/against_shap.py`` runs in an environment of its own: shap needs an older numpy.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.context import ROOT, BenchmarkContext
from benchmarks.result import Report, Row

PROGRAM = Path(__file__).with_name("explained") / "against_shap.py"
LOCK = ROOT / "build-support" / "lockfiles" / "explained.txt"
TITLES = {
    "trees": "Explanations of a forest of 30 columns: error in parts of the largest contribution",
    "network": "Explanations of a network of 10 columns: the same",
}


def measure(context: BenchmarkContext) -> list[Report]:
    """Explain rows of a linear model, a forest and a network, and compare."""
    python = _environment(context.work / "shap")
    quick = ["--quick"] if context.quick else []
    # the library's explanations alone: shap's environment has numpy and nothing else of it
    env = os.environ | {"PYTHONPATH": str(ROOT / "build-support")}
    argv = [str(python), str(PROGRAM), *quick]
    found = json.loads(subprocess.run(argv, check=True, stdout=subprocess.PIPE, env=env).stdout)
    reports = [
        Report(title, "exact values", list(_rows(found[key]))) for key, title in TITLES.items()
    ]
    linear = found["linear"]
    share = linear["error"] / linear["largest"]
    exact = Row("linear model, largest error", f"{share:.1e}", target="≤ 1e-6", met=share <= 1e-6)
    ranks = [Row(name, f"{value:.3g}") for name, value in found["global"].items()]
    return [*reports, Report("A linear model, and the ranking of columns", "", [exact, *ranks])]


def _rows(lines: list[dict[str, Any]]) -> Iterator[Row]:
    for line in lines:
        stated = f", stated {line['stated']:.4f}" if "stated" in line else ""
        yield Row(f"{line['method']}: {line['rows']:,.0f} rows", f"{line['error']:.4f}{stated}")


def _environment(folder: Path) -> Path:
    """Return the Python of an environment with shap, made for this run."""
    subprocess.run(["uv", "venv", "-q", "--python", sys.executable, str(folder)], check=True)
    python = folder / "bin" / "python"
    install = ["uv", "pip", "install", "-q", "--require-hashes", "--python", str(python)]
    subprocess.run([*install, "-r", str(LOCK)], check=True)
    return python
