"""Find the rules by which the traffic of target models is captured, in a stage's records."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from slipway.catalog.reader import CatalogReader
from slipway.model.capture_rules import CaptureRules, TensorRule


def rules_finder(catalog: CatalogReader) -> Callable[[str], CaptureRules | None]:
    """Return a function that returns the rules of a target model: those of its release's record,
    or ``None`` without one, since what of it may be kept is not known."""

    def find(target: str) -> CaptureRules | None:
        name = target.rpartition("_")[0]
        return catalog.capture_rules(name, target) if name else None

    return find


def pipeline_rules(catalog: CatalogReader, names: Sequence[str]) -> CaptureRules | None:
    """Return the rules of requests that go through the models ``names``, one after another: the
    strictest of each. If one of them redacts, no body may be kept: which of its tensors a body
    holds is not known.

    Raises:
        SlipwayError: a model has no alias, or a damaged record.
    """
    find = rules_finder(catalog)
    rules = [found for name in names if (found := find(catalog.alias(name).target)) is not None]
    if len(rules) < len(names):
        return None
    redacts = any(each.redacts for each in rules)
    return CaptureRules(
        sample=min(each.sample for each in rules),
        retention_days=min(each.retention_days for each in rules),
        other=TensorRule("drop") if redacts else TensorRule(),
    )
