"""A merge request of what a job changed: a commit on a branch of its own, pushed with push options.

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
    """Commit what differs in ``root``, push it as ``branch`` and ask to merge it; the commit, or
    ``None`` if nothing differs or the branch has the same content already.

    With ``SLIPWAY_PUSH_TOKEN``, a project access token, GitLab runs a pipeline for the push, which
    it does not for a job's own token.

    Raises:
        SlipwayError: the branch holds something else, or GitLab refuses the push.
    """
    git = ["git", "-C", str(root)]
    told = "preparing a merge request"
    run([*git, "add", "--all", "--", "models", "dvc.lock"] if (root / "dvc.lock").exists()
        else [*git, "add", "--all", "--", "models"], what=told)  # fmt: skip
    if not run([*git, "diff", "--cached", "--name-only"], what=told).stdout.strip():
        return None
    name, address = AUTHOR
    identity = ["-c", f"user.name={name}", "-c", f"user.email={address}"]
    run([*git, *identity, "commit", "--quiet", f"--message={title}"], what=told)
    commit = run([*git, "rev-parse", "HEAD"], what=told).stdout.strip()
    where, env = _remote(environ)
    if _same(git, where, branch, env):
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
            where,
            f"HEAD:refs/heads/{branch}",
        ],
        what=f"pushing {branch}",
        env=env,
        fix=f"delete the branch {branch} if it holds something else; {TOKEN} is a project access"
        " token with the scope write_repository and the role Developer",
    )
    return commit


def _same(git: list[str], where: str, branch: str, env: Mapping[str, str]) -> bool:
    """Whether the branch is there with this commit's content: the job ran before."""
    try:
        run(
            [*git, "fetch", "--quiet", "--depth=1", where, f"refs/heads/{branch}"],
            what=f"looking for {branch}",
            env=env,
        )
    except SlipwayError:
        return False
    told = "comparing branches"
    trees = run([*git, "rev-parse", "HEAD^{tree}", "FETCH_HEAD^{tree}"], what=told).stdout.split()
    return trees[0] == trees[1]


def _remote(environ: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Where to push, and git's environment: a token in it is seen in no list of processes."""
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
