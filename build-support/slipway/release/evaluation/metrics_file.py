"""Write and read the metrics that ``slipway evaluate`` measures, in a file next to the artifact."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from slipway.artifact.artifact import Artifact
from slipway.errors import SlipwayError
from slipway.files import atomic_write
from slipway.model.thresholds import EVALUATION_PROGRAM

ENDING = ".metrics.json"
ARTIFACT = ".tar.gz"


def metrics_path(artifact: Path) -> Path:
    """Return the file of the metrics of ``artifact``."""
    return artifact.with_name(artifact.name.removesuffix(ARTIFACT) + ENDING)


def write_metrics(artifact: Artifact, metrics: Mapping[str, float]) -> Path:
    """Write the metrics of ``artifact`` next to it, and return their file."""
    path = metrics_path(artifact.path)
    document = {
        "artifact": artifact.path.name,
        "sha256": artifact.sha256,
        "metrics": {name: finite_or_none(value) for name, value in sorted(metrics.items())},
    }
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return path


def read_metrics(folder: Path, artifact: Artifact) -> tuple[dict[str, float], list[str]]:
    """Return the metrics of ``artifact``, and notes. A note explains metrics of other bytes, which
    are left out, and metrics that are missing although ``folder`` has a program to measure them.

    Raises:
        SlipwayError: the file is damaged.
    """
    path, command = metrics_path(artifact.path), f"slipway evaluate {folder}"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        # JSON has no NaN: null takes its place
        metrics = {
            str(name): math.nan if value is None else float(value)
            for name, value in document["metrics"].items()
        }
        measured_sha256 = document["sha256"]
    except FileNotFoundError:
        missing = (folder / EVALUATION_PROGRAM).is_file()
        return {}, (
            [f"{EVALUATION_PROGRAM} has not measured this artifact: {command}"] if missing else []
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SlipwayError(f"damaged: {error!r}", where=str(path), fix=command) from error
    if measured_sha256 != artifact.sha256:
        measured = f"it was measured on other bytes (sha256 {measured_sha256[:12]})"
        return {}, [f"{path} is left out: {measured}: {command}"]
    return metrics, []


def finite_or_none(value: float | None) -> float | None:
    """Return a metric as a JSON value: ``None`` if it is not a finite number."""
    return value if value is not None and math.isfinite(value) else None
