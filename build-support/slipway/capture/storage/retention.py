"""Forget captures that were kept long enough."""

from __future__ import annotations

import contextlib
import os
from datetime import datetime, timedelta
from pathlib import Path

from slipway.capture.counts import FOLDER
from slipway.capture.storage.names import parse_key
from slipway.model.capture_rules import RETENTION_DAYS

HIDDEN = "."


def forget_expired(folder: Path, now: datetime) -> int:
    """Remove the files of a folder whose models keep them no longer, and folders that are empty
    then; return the number of files. Files of other programs stay."""
    removed = 0
    for path in sorted(folder.rglob("*.json*")):
        key = path.relative_to(folder).as_posix()
        if key.startswith(HIDDEN) or not is_expired(key, now):
            continue
        with contextlib.suppress(OSError):
            path.unlink()
            removed += 1
            remove_empty(path.parent, folder)
    return removed


def is_expired(key: str, now: datetime, days: int | None = None) -> bool:
    """Return whether the file at ``key`` is to be forgotten; after ``days``, by default those that
    its model's rules said when it was written."""
    file = parse_key(key)
    if file is not None:
        return (file.expires if days is None else file.until + timedelta(days=days)) <= now
    day = _day_of_counts(key)
    kept = RETENTION_DAYS if days is None else days
    return day is not None and day + timedelta(days=kept + 1) <= now


def remove_empty(folder: Path, root: Path) -> None:
    """Remove ``folder`` and those above it, up to ``root``, while they are empty."""
    while folder != root:
        try:
            os.rmdir(folder)
        except OSError:
            return
        folder = folder.parent


def _day_of_counts(key: str) -> datetime | None:
    parts = key.split("/")
    if parts[0] != FOLDER or len(parts) != 6:
        return None
    with contextlib.suppress(ValueError):
        return datetime.fromisoformat(f"{'-'.join(parts[2:5])}T00:00:00+00:00")
    return None
