"""Who releases, from which commit, in which pipeline."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass
from pathlib import Path

from slipway.catalog import commit as source


@dataclass(frozen=True)
class Origin:
    """``commit`` is git's, with ``-dirty`` behind it if tracked files differ from it; ``pipeline``
    the address of the CI's, ``None`` on a laptop; ``by`` the user who started it."""

    commit: str | None = None
    pipeline: str | None = None
    by: str | None = None


def origin(root: Path) -> Origin:
    """Of this process, from git in ``root`` and GitLab's predefined variables."""
    user = os.environ.get("GITLAB_USER_LOGIN") or _user()
    return Origin(source.commit(root), os.environ.get("CI_PIPELINE_URL"), user)


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return None
