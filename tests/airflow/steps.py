"""What stands for a training's image where a test is about Airflow: it leaves what the steps leave.

``SLIPWAY_STEPS`` names a folder of the test: ``verdict`` there is that of the comparison, ``fail``
names a step that fails, ``wait`` is a file that a training waits for.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

BASE = Path(os.environ["SAGEMAKER_BASE_DIR"])
TOLD = Path(os.environ["SLIPWAY_STEPS"])
METRIC: dict[str, Any] = {"name": "auc", "rule": {"min": 0.8}, "said": None, "loosened": []}


def main(step: str, *arguments: str) -> int:
    """Do what a step does, in no time."""
    values = dict(argument.split("=", 1) for argument in arguments)
    if step == "train":
        values = json.loads((BASE / "input/config/hyperparameters.json").read_text())
    print(f"{step} {values}", flush=True)
    end = time.monotonic() + 120
    while step == "train" and (TOLD / "wait").exists() and time.monotonic() < end:
        time.sleep(0.1)
    if told("fail") == step:
        for name in ("failure", "message"):
            (BASE / "output").mkdir(exist_ok=True)
            (BASE / "output" / name).write_text("no rows to train on")
        return 1
    if step in ("promote", "smoke"):
        return 0
    record = run(values)
    if step == "train":
        (BASE / "model/run.json").write_text(json.dumps(record))
        return 0
    output = BASE / "processing/output"
    (output / "run.json").write_text(json.dumps(record))
    if step == "compare":
        verdict = told("verdict") or "better"
        metric = {
            **METRIC,
            "candidate": 0.7 if verdict == "worse" else 0.85,
            "served": 0.84,
            "state": "refused" if verdict == "worse" else "better",
            "said": "0.7 is below 0.8" if verdict == "worse" else None,
        }
        (output / "comparison.json").write_text(
            json.dumps(
                {
                    "model": values["model"],
                    "run": values["run"],
                    "release": "1.0.0",
                    "verdict": verdict,
                    "why": "auc: 0.7 is below 0.8" if verdict == "worse" else "better: auc",
                    "metrics": [metric],
                    "notes": [],
                }
            )
        )
    return 0


def run(values: dict[str, str]) -> dict[str, object]:
    """Return a run's record."""
    return {
        "schema": 1,
        "id": values["run"],
        "model": values["model"],
        "place": "airflow",
        "commit": values["commit"],
        "dirty": False,
        "started": "2026-11-30T23:40:00Z",
        "seconds": 1.0,
        "lock_sha256": "0" * 64,
        "stages": [],
        "parameters": {},
        "metrics": {"auc": 0.85},
        "image": values.get("image"),
        "jobs": [],
        "compared": None,
        "reason": values.get("reason") or None,
    }


def told(name: str) -> str:
    """Return what the test wants."""
    path = TOLD / name
    return path.read_text() if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
