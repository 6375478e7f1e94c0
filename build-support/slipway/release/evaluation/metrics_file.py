"""What ``slipway evaluate`` measured of an artifact, in a file next to it with the digest."""

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
    """Where the metrics of ``artifact`` are kept."""
    return artifact.with_name(artifact.name.removesuffix(ARTIFACT) + ENDING)


def write_metrics(artifact: Artifact, metrics: Mapping[str, float]) -> Path:
    """Write the metrics of ``artifact`` next to it, and return their file."""
    path = metrics_path(artifact.path)
    said = {
        "artifact": artifact.path.name,
        "sha256": artifact.sha256,
        "metrics": {name: finite_or_none(value) for name, value in sorted(metrics.items())},
    }
    with atomic_write(path) as aside:
        aside.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    return path


def read_metrics(folder: Path, artifact: Artifact) -> tuple[dict[str, float], list[str]]:
    """The metrics of ``artifact``, if they are of these bytes, and why there are none although the
    model in ``folder`` has a program that measures some.

    Raises:
        SlipwayError: the file is damaged.
    """
    path, again = metrics_path(artifact.path), f"slipway evaluate {folder}"
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        # JSON has no NaN: null stands for it
        metrics = {
            str(name): math.nan if value is None else float(value)
            for name, value in said["metrics"].items()
        }
        of = said["sha256"]
    except FileNotFoundError:
        missing = (folder / EVALUATION_PROGRAM).is_file()
        return {}, (
            [f"{EVALUATION_PROGRAM} has not measured this artifact: {again}"] if missing else []
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SlipwayError(f"damaged: {error!r}", where=str(path), fix=again) from error
    if of != artifact.sha256:
        return {}, [f"{path} is left out: it is of other bytes (sha256 {of[:12]}): {again}"]
    return metrics, []


def finite_or_none(value: float | None) -> float | None:
    """A metric as JSON has it: ``None`` for one that is no number."""
    return value if value is not None and math.isfinite(value) else None
