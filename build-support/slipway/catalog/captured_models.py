"""Find the rules by which a release's traffic is captured, in the release's record."""

from __future__ import annotations

import json
from collections.abc import Callable

from slipway.catalog import keys
from slipway.catalog.reader import CatalogReader
from slipway.model.capture_rules import CaptureRules, parse_capture_rules


def rules_finder(catalog: CatalogReader) -> Callable[[str], CaptureRules | None]:
    """Return a function that returns the rules of a target model of ``catalog``.

    It returns ``None`` for one without a record: what of it may be kept is not known, and nothing
    of it is captured. A release without ``capture.toml`` is captured whole.
    """

    def find(target: str) -> CaptureRules | None:
        name = target.rpartition("_")[0]
        key = keys.record(catalog.stage, name, target)
        data = catalog.source.store.read(key) if name else None
        if data is None:
            return None
        try:
            rules = json.loads(data)["manifest"].get("capture")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise keys.damaged_record(key, error) from error
        return CaptureRules() if rules is None else parse_capture_rules(rules, where=key)

    return find
