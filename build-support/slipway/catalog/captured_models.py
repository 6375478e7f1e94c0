"""Find the rules by which the traffic of target models is captured, in a stage's records."""

from __future__ import annotations

from collections.abc import Callable

from slipway.catalog.reader import CatalogReader
from slipway.model.capture_rules import CaptureRules


def rules_finder(catalog: CatalogReader) -> Callable[[str], CaptureRules | None]:
    """Return a function that returns the rules of a target model: those of its release's record,
    or ``None`` without one, since what of it may be kept is not known."""

    def find(target: str) -> CaptureRules | None:
        name = target.rpartition("_")[0]
        return catalog.capture_rules(name, target) if name else None

    return find
