"""The metrics of a model's training as they are in the checkout."""

from __future__ import annotations

from pathlib import Path

from slipway.errors import SlipwayError
from slipway.training.record import read_metrics
from slipway.training.stages import STEPS, address_of, model_stages, open_dvc


def metrics_of_checkout(root: Path, model: str) -> dict[str, float]:
    """Return the numbers in the metrics files of the stages of ``model``; none where DVC has no
    stages or files."""
    if not (root / ".dvc").is_dir():
        return {}
    try:
        with open_dvc(root) as repo:
            names = model_stages(repo, model).of(STEPS)
            stages = [stage for stage in repo.index.stages if address_of(stage) in names]
            return read_metrics(repo, root / "models" / model, stages)
    except SlipwayError:  # starting the training reports it
        return {}
