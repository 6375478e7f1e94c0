"""SW813 and SW814: what becomes of a model's training."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.finding import Location, RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.errors import SlipwayError
from slipway.model.folded import FOLDER as FOLDED
from slipway.model.original import FOLDER as ORIGINAL
from slipway.model.training_settings import (
    FILE_NAME,
    TrainingSettings,
    line_of_weights,
    load_training_settings,
)


@rule(
    "SW813",
    "malformed-training-settings",
    scope="slipway",
    reason="the model cannot be trained: slipway train stops",
    source="Slipway: model/training_settings.py",
)
def malformed_training_settings(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a ``training.toml`` that is not TOML, or has an unknown key or value."""
    chosen = _load_settings(model)
    if isinstance(chosen, SlipwayError):
        line, column = _position(chosen.where)
        where = Location(model.folder / FILE_NAME, line, column)
        yield RuleHit(where, chosen.what, chosen.fix or "")


@rule(
    "SW814",
    "training-replaces-no-file",
    scope="slipway",
    severity="warning",
    reason="a retrained model would serve its old weights, next to the new ones",
    source="Slipway: pipeline/retraining/candidate.py",
)
def training_replaces_no_file(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a candidate in ``training.toml`` that replaces a file which the model does not have.

    Before the first training there may be none: weights are added with a pointer, once.
    """
    chosen = _load_settings(model)
    if not isinstance(chosen, TrainingSettings):
        return
    for candidate, target in chosen.weights.items():
        path = model.folder / target
        if path.exists() or path.with_name(f"{path.name}.dvc").exists():
            continue
        top = target.partition("/")[0]
        kind = {ORIGINAL: "converted", FOLDED: "folded"}.get(top, "served")
        yield RuleHit(
            Location(model.folder / FILE_NAME, line_of_weights(model.folder, candidate)),
            f"{candidate} replaces {target}, which is neither there nor has a pointer",
            f"name the file that is {kind}, or add it: slipway weights add {target}",
        )


def _load_settings(model: ModelUnderCheck) -> TrainingSettings | SlipwayError | None:
    if model.is_single_config:
        return None
    try:
        return load_training_settings(model.folder)
    except SlipwayError as error:
        return error


def _position(where: str | None) -> tuple[int, int]:
    """Return line and column of ``path:line:column``; 0 for what it lacks."""
    _, *numbers = (where or "").rsplit(f"{FILE_NAME}", 1)[-1].split(":")
    line, column, *_ = [*(int(number) for number in numbers), 0, 0]
    return line, column
