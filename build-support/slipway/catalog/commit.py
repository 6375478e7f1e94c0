"""Determine the commit of the working tree, for a release's record."""

from __future__ import annotations

from pathlib import Path

from slipway.errors import SlipwayError
from slipway.process import run


def current_commit(root: Path) -> str | None:
    """Return the commit checked out in ``root``, followed by ``-dirty`` if tracked files differ.

    ``None`` outside of a git checkout.
    """
    git = ["git", "-C", str(root)]
    try:
        head = run([*git, "rev-parse", "HEAD"], what="asking git for the commit").stdout.strip()
        changes = run([*git, "status", "--porcelain", "-uno"], what="asking git for changes").stdout
    except SlipwayError:
        return None
    return f"{head}-dirty" if changes.strip() else head
