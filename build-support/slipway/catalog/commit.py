"""Which commit the working tree is at, for a release's record."""

from __future__ import annotations

from pathlib import Path

from slipway.errors import SlipwayError
from slipway.process import run


def commit(root: Path) -> str | None:
    """The commit checked out in ``root``, with ``-dirty`` behind it if tracked files differ from it.

    ``None`` outside of a git checkout.
    """
    git = ["git", "-C", str(root)]
    try:
        head = run([*git, "rev-parse", "HEAD"], what="asking git for the commit").stdout.strip()
        changes = run([*git, "status", "--porcelain", "-uno"], what="asking git for changes").stdout
    except SlipwayError:
        return None
    return f"{head}-dirty" if changes.strip() else head
