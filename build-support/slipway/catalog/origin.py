"""Determine who releases, from which commit, in which pipeline."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass
from pathlib import Path

from slipway.catalog.commit import current_commit


@dataclass(frozen=True)
class Origin:
    """``commit`` is git's, followed by ``-dirty`` if what was published is not all in it;
    ``pipeline`` is the URL of the CI pipeline, ``None`` on a laptop; ``by`` is the user who started
    it.
    """

    commit: str | None = None
    pipeline: str | None = None
    by: str | None = None


def current_origin(root: Path) -> Origin:
    """Return the origin of this process, from git in ``root`` and GitLab's predefined variables."""
    user = os.environ.get("GITLAB_USER_LOGIN") or _user()
    return Origin(current_commit(root), os.environ.get("CI_PIPELINE_URL"), user)


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return None
