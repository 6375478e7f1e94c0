"""SW81x: which tensors of a model's traffic are captured, and how much of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from slipway.check.finding import Location, RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.errors import SlipwayError
from slipway.model.capture_rules import (
    FILE_NAME,
    CaptureRules,
    load_capture_rules,
    unknown_tensors,
)
from slipway.unchanged import remembered


@rule(
    "SW811",
    "malformed-capture-rules",
    scope="slipway",
    reason="the build stops: what has to be redacted is unknown",
    source="Slipway: model/capture_rules.py",
)
def malformed_capture_rules(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a ``capture.toml`` that is not TOML, or has an unknown key or value."""
    rules = _load_rules(model)
    if isinstance(rules, SlipwayError):
        yield RuleHit(Location(model.folder / FILE_NAME), rules.what, rules.fix or "")


@rule(
    "SW812",
    "captures-another-tensor",
    scope="slipway",
    reason="the build stops: the tensor that was meant would be captured whole",
    source="Slipway: model/capture_rules.py",
)
def captures_another_tensor(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find rules of a ``capture.toml`` for tensors that the served model does not have."""
    rules = _load_rules(model)
    served = model.served
    if not isinstance(rules, CaptureRules) or served is None or served.name not in model.parsed:
        return
    message = model.parsed[served.name][1]
    inputs, outputs = ([t.name for t in side] for side in (message.input, message.output))
    known = ", ".join([*inputs, *outputs])
    for name in unknown_tensors(rules, inputs, outputs):
        yield RuleHit(
            Location(model.folder / FILE_NAME), f"no tensor {name!r}", f"name one of {known}"
        )


def _load_rules(model: ModelUnderCheck) -> CaptureRules | SlipwayError | None:
    return None if model.is_single_config else _rules_of(model.folder)


@remembered
def _rules_of(folder: Path) -> CaptureRules | SlipwayError | None:
    try:
        return load_capture_rules(folder)
    except SlipwayError as error:
        return error
