"""The description of all models' trainings: what the DAGs are built of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SCHEMA = 1
STEPS = ("train", "evaluate", "compare", "propose")


def load_description(path: Path) -> dict[str, Any]:
    """Return the description, after checking that each model has what its DAG needs.

    Raises:
        ValueError: it is not of this schema, or a model lacks a step. Airflow shows it as the
            import error of the DAG file, and ``ci/airflow/check`` fails with it.
    """
    description: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if description.get("schema") != SCHEMA:
        raise ValueError(
            f"{path.name}: schema {description.get('schema')!r}, and these DAGs read {SCHEMA}: "
            "upload both by ci/airflow/deploy"
        )
    for name, model in description["models"].items():
        missing = [
            key
            for key in (*STEPS, "code", "commit", "dirty", "runs", "parameters")
            if key not in model
        ]
        if missing:
            raise ValueError(f"{path.name}: {name} lacks {', '.join(missing)}")
    return description
