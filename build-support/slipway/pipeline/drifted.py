"""The models that a check found to have drifted, from the report that it wrote."""

from __future__ import annotations

import json
from pathlib import Path

from slipway.errors import SlipwayError


def drifted_models(report: Path) -> list[str]:
    """Return the names of the models that drifted by ``slipway drift --output drift.json``.

    Raises:
        SlipwayError: the file is not there, or is another.
    """
    try:
        values = json.loads(report.read_text(encoding="utf-8"))
        return sorted({str(r["name"]) for r in values["releases"] if r["verdict"] == "drift"})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SlipwayError(
            f"not a report of slipway drift: {error!r:.200}",
            where=str(report),
            fix="slipway drift --all --output drift.json",
        ) from error
