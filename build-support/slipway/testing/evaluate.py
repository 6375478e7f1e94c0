"""Run a model's ``evaluate.py`` against its artifact, for ``slipway evaluate``."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import slipway
from slipway.errors import SlipwayError
from slipway.model.thresholds import EVALUATION_PROGRAM


@dataclass(frozen=True)
class Measurement:
    """The metrics that ``evaluate`` returned, with NaN for values that were not finite.

    ``notes`` name the server, and what was changed for a machine without a GPU.
    """

    metrics: dict[str, float]
    notes: tuple[str, ...]


def evaluate(model: Path, root: Path, artifact: Path) -> Measurement:
    """Call ``evaluate(model)`` of ``model``'s ``evaluate.py``, with ``artifact`` on a real Triton.

    The function gets a :class:`~slipway.testing.model.Model`, as tests do, and returns numbers by
    name. It runs in its own process, because the code may change the process permanently. It
    imports from the model's folder and runs in the repository's root; what it prints goes to
    standard error.

    Raises:
        SlipwayError: the model cannot be served, or ``evaluate.py`` fails or returns no numbers.
    """
    library = str(Path(slipway.__file__).parent.parent)
    paths = [library, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    worker = [sys.executable, "-m", "slipway.testing.evaluate_worker"]
    with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
        answer = Path(folder) / "answer.json"
        paths_of_worker = [model.resolve(), root, artifact.resolve(), answer]
        process = subprocess.run(
            [*worker, *map(str, paths_of_worker)],
            cwd=root,
            env=environment,
            stdout=sys.stderr.fileno(),
        )
        if not answer.exists():
            raise SlipwayError(
                f"evaluate.py ended its process with status {process.returncode}",
                where=str(model / EVALUATION_PROGRAM),
                fix="let evaluate(model) return its metrics",
            )
        result = json.loads(answer.read_text(encoding="utf-8"))
    if "error" in result:
        raise SlipwayError(result["error"], where=result["where"], fix=result["fix"])
    metrics = {k: math.nan if v is None else v for k, v in result["metrics"].items()}
    return Measurement(metrics, tuple(result["notes"]))
