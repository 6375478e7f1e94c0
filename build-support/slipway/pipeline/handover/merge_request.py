"""A merge request with a job's changes: a commit on a new branch, pushed with push options.

Source: https://docs.gitlab.com/topics/git/commit/#push-options
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.process import run

TOKEN = "SLIPWAY_PUSH_TOKEN"
AUTHOR = ("slipway", "slipway@localhost")


def propose(
    root: Path, branch: str, title: str, environ: Mapping[str, str] = os.environ
) -> str | None:
    """Commit the changes in ``root``, push them as ``branch`` and open a merge request.

    Return the commit, or ``None`` if there are no changes or the branch already has this content.
    With ``SLIPWAY_PUSH_TOKEN``, a project access token, GitLab runs a pipeline for the push; with a
    job's own token it does not.

    Raises:
        SlipwayError: the branch has other content, or GitLab rejects the push.
    """
    git = ["git", "-C", str(root)]
    step = "preparing a merge request"
    paths = ["models", *(["dvc.lock"] if (root / "dvc.lock").exists() else [])]
    run([*git, "add", "--all", "--", *paths], what=step)
    if not run([*git, "diff", "--cached", "--name-only"], what=step).stdout.strip():
        return None
    name, address = AUTHOR
    identity = ["-c", f"user.name={name}", "-c", f"user.email={address}"]
    run([*git, *identity, "commit", "--quiet", f"--message={title}"], what=step)
    commit = run([*git, "rev-parse", "HEAD"], what=step).stdout.strip()
    remote, env = _remote(environ)
    if _has_same_content(git, remote, branch, env):
        return None
    run(
        [
            *git,
            "push",
            "--quiet",
            "--push-option=merge_request.create",
            f"--push-option=merge_request.target={environ.get('CI_DEFAULT_BRANCH', 'main')}",
            f"--push-option=merge_request.title={title}",
            "--push-option=merge_request.remove_source_branch",
            remote,
            f"HEAD:refs/heads/{branch}",
        ],
        what=f"pushing {branch}",
        env=env,
        fix=f"delete the branch {branch} if it has other content; {TOKEN} is a project access"
        " token with the scope write_repository and the role Developer",
    )
    return commit


def _has_same_content(git: list[str], remote: str, branch: str, env: Mapping[str, str]) -> bool:
    """Return whether the branch exists with this commit's content: the job ran before."""
    try:
        run(
            [*git, "fetch", "--quiet", "--depth=1", remote, f"refs/heads/{branch}"],
            what=f"looking for {branch}",
            env=env,
        )
    except SlipwayError:
        return False
    step = "comparing branches"
    trees = run([*git, "rev-parse", "HEAD^{tree}", "FETCH_HEAD^{tree}"], what=step).stdout.split()
    return trees[0] == trees[1]


def _remote(environ: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return where to push, and git's environment: unlike arguments, it does not show the token."""
    token, url = environ.get(TOKEN), environ.get("CI_PROJECT_URL")
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    if not token or not url:
        return "origin", env
    secret = base64.b64encode(f"oauth2:{token}".encode()).decode()
    env |= {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{url}.git.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {secret}",
    }
    return f"{url}.git", env
