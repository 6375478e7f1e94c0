"""SW288: what is served is not what its sources in folded/ would be folded to."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.finding import Location, RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.errors import SlipwayError
from slipway.model.folded import FOLDER, RECORD, is_folded, load_fold, why_old


@rule(
    "SW288",
    "old-fold",
    scope="slipway",
    reason="the endpoint answers as the postprocessing did before: with an old threshold, or of old"
    " weights",
    source="Slipway, fold/write.py",
)
def old_fold(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a folder ``folded/`` that has changed since the served graph was made of it."""
    if model.is_single_config or not is_folded(model.folder):
        return
    try:
        reason = why_old(model.folder, load_fold(model.folder))
    except SlipwayError as error:
        reason = error.what
    if reason is not None:
        yield RuleHit(
            Location(model.folder / FOLDER / RECORD), reason, f"slipway fold {model.name}"
        )
