"""A merge request: a commit on a branch of its own, pushed with push options.

GitLab opens the merge request at the first push and changes its text at later ones
(``MergeRequests::PushOptionsHandlerService``). Source:
https://docs.gitlab.com/topics/git/commit/#push-options
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.pipeline.handover.push_remote import NEEDS, PushRemote, push_remote
from slipway.process import run

AUTHOR = ("slipway", "slipway@localhost")
NO_OPTIONS = "does not support push options"  # what git says
LINK = re.compile(r"https?://\S+/-/merge_requests/\d+")
# a packet of git's protocol has 65,516 bytes at most (git help protocol-common)
MAX_TEXT = 60_000


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
    commit = commit_staged(root, title)
    remote = push_remote(environ)
    if _has_same_content(root, remote, branch):
        return None
    push(root, remote, branch, title, target=default_branch(environ))
    return commit


def commit_staged(root: Path, message: str) -> str:
    """Commit what is staged in ``root``, as Slipway; return the commit."""
    git, step = ["git", "-C", str(root)], "preparing a merge request"
    name, address = AUTHOR
    # by the environment, which has precedence over git's configuration
    who = {f"GIT_{role}_NAME": name for role in ("AUTHOR", "COMMITTER")}
    who |= {f"GIT_{role}_EMAIL": address for role in ("AUTHOR", "COMMITTER")}
    run(
        [*git, "-c", "commit.gpgSign=false", "commit", "--quiet", "--no-verify", "--file=-"],
        what=step,
        env=os.environ | who,
        stdin=message,
    )
    return run([*git, "rev-parse", "HEAD"], what=step).stdout.strip()


def push(
    root: Path,
    remote: PushRemote,
    branch: str,
    title: str,
    *,
    target: str,
    text: str | None = None,
    draft: bool = False,
    replaces: str | None = None,
) -> str | None:
    """Push ``HEAD`` as ``branch``; GitLab opens a merge request into ``target``, or changes that of
    the branch. Return its address, if GitLab names it.

    ``text`` is its description in Markdown. The branch's tip ``replaces``, and no other, is
    overwritten.

    Raises:
        SlipwayError: the push is rejected; nothing was changed then.
    """
    options = [
        "merge_request.create",
        f"merge_request.target={target}",
        f"merge_request.title={one_line(title)}",
        "merge_request.remove_source_branch",
        *(["merge_request.draft"] if draft else []),
        *([f"merge_request.description={escaped(text)}"] if text else []),
    ]
    ref = f"refs/heads/{branch}"
    lease = [f"--force-with-lease={ref}:{replaces}"] if replaces else []
    words = ["-C", str(root), "push", *lease, *(f"--push-option={option}" for option in options)]
    try:
        said = remote.git(
            [*words, remote.url, f"HEAD:{ref}"],
            what=f"pushing {branch}",
            fix=f"delete the branch {branch} if it has other content; {NEEDS}",
        )
    except SlipwayError as error:
        if NO_OPTIONS not in error.what:
            raise
        raise SlipwayError(
            "the remote opens no merge requests: it takes no push options",
            where=branch,
            fix="push to a project of GitLab; for another, slipway propose --show prints the text",
        ) from error
    link = LINK.search(said)
    return link[0] if link else None


def target_branch(environ: Mapping[str, str]) -> str:
    """Return the branch that merge requests go into: the one whose pipeline this is, by default
    the default branch."""
    names = ("SLIPWAY_TARGET_BRANCH", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_BRANCH")
    found = next((environ[name] for name in names if environ.get(name)), None)
    return found or default_branch(environ)


def default_branch(environ: Mapping[str, str]) -> str:
    """Return the name of the repository's default branch."""
    return environ.get("CI_DEFAULT_BRANCH") or "main"


def one_line(text: str) -> str:
    """Return ``text`` in one line: git refuses options with others."""
    return " ".join(text.split())


def escaped(text: str) -> str:
    r"""Return Markdown as a push option: GitLab reads ``\n`` as the end of a line.

    A text that is too long for a packet of git is cut, and says so.
    """
    if len(text.encode()) > MAX_TEXT:
        text = text.encode()[:MAX_TEXT].decode(errors="ignore") + "\n\n… cut: it is too long."
    # what would be read as the end of a line, such as a path of Windows
    text = text.replace("\\n", "\\\u200bn").replace("\r", "")
    return text.strip().replace("\n", "\\n").replace("\0", "")


def _has_same_content(root: Path, remote: PushRemote, branch: str) -> bool:
    """Return whether the branch exists with this commit's content: the job ran before."""
    git = ["-C", str(root)]
    try:
        remote.git(
            [*git, "fetch", "--quiet", "--depth=1", remote.url, f"refs/heads/{branch}"],
            what=f"looking for {branch}",
        )
    except SlipwayError:
        return False
    trees = run(
        ["git", *git, "rev-parse", "HEAD^{tree}", "FETCH_HEAD^{tree}"], what="comparing branches"
    ).stdout.split()
    return trees[0] == trees[1]
