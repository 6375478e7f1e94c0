"""Require a checkpoint of treelite whose version is known."""

from __future__ import annotations

from pathlib import Path

from slipway.errors import SlipwayError
from slipway.triton.checkpoint_head import LAST_BEFORE, LAYOUT, CheckpointHead


def require_known(head: CheckpointHead, path: Path) -> None:
    """Require a version that the lock's treelite and FIL of today's releases read.

    Raises:
        SlipwayError: it is of another major version.
    """
    if head.version[0] != LAYOUT and head.version[:2] != LAST_BEFORE:
        version = ".".join(map(str, head.version))
        what = f"a checkpoint of treelite {version}; known is version {LAYOUT}"
        fix = f"write it again: treelite {LAYOUT}'s load_xgboost_model(…).serialize(…)"
        raise SlipwayError(what, where=str(path), fix=fix)
