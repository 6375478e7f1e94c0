"""The commit that a pipeline compares with, to determine which models it affects.

The result is always an ancestor of HEAD that is in the clone, or ``None``: then everything counts
as affected. GitLab's variables:
https://docs.gitlab.com/ci/variables/predefined_variables/
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.process import run

VARIABLE = "SLIPWAY_BASE"
NO_COMMIT = "0" * 40  # GitLab's CI_COMMIT_BEFORE_SHA of a new branch
DEFAULT_BRANCH = "main"
DEEPEN_BY = (50, 500, 5000)  # commits, in each step of deepening a shallow clone
# merge request pipelines that run on the merge result instead of the source branch's commit
MERGE_EVENTS = ("merged_result", "merge_train")


@dataclass(frozen=True)
class Base:
    """The ``commit`` to compare with, ``None`` for none; ``why`` is the reason in words."""

    commit: str | None
    why: str


def find_base(
    root: Path, environ: Mapping[str, str] = os.environ, revision: str | None = None
) -> Base:
    """Return what the commit checked out in ``root`` is compared with.

    ``revision``, else ``SLIPWAY_BASE``, takes precedence. A merge request is compared with its
    merge base on the target branch; a merge train's or merged results pipeline's merge, with its
    first parent; the default branch, with its state before the push; any other branch, and a
    laptop, with the merge base on the default branch. A shallow clone is deepened as necessary.

    Raises:
        SlipwayError: the revision does not exist.
    """
    git = _Git(root)
    default = environ.get("CI_DEFAULT_BRANCH") or DEFAULT_BRANCH
    revision = revision or environ.get(VARIABLE)
    if revision:
        return _explicit(git, revision)
    if environ.get("CI_MERGE_REQUEST_IID"):
        return _merge_request(git, environ, default)
    if environ.get("CI_COMMIT_BRANCH") == default:
        return _pushed(git, environ.get("CI_COMMIT_BEFORE_SHA", NO_COMMIT), default)
    return _branch_point(git, default)


def _explicit(git: _Git, revision: str) -> Base:
    commit = git.commit(revision)
    common = git.common(commit) if commit else None
    if common is None and len(revision) == len(NO_COMMIT):
        common = git.common_fetched(revision)
        commit = git.commit(revision)
    if commit is None:
        raise SlipwayError(
            f"no commit {revision!r}",
            where=str(git.root),
            fix=f"name an existing commit with --base or the variable {VARIABLE}",
        )
    if common is None:
        return Base(None, f"{revision} has no history in common with this commit")
    merge_base = "" if common == commit else f", at the merge base with {revision}"
    return Base(common, f"as requested{merge_base}")


def _merge_request(git: _Git, environ: Mapping[str, str], default: str) -> Base:
    if environ.get("CI_MERGE_REQUEST_EVENT_TYPE") in MERGE_EVENTS:
        # the target branch with the merge train's earlier requests; only what this one adds is new.
        # A shallow clone of one commit does not contain its parents
        first = git.first_parent_of_merge()
        if first is not None:
            return Base(first, "the first parent of the merge")
    commit = environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", "")
    common = git.common_fetched(commit) if commit else None
    if common == commit and common:
        return Base(common, "the merge request's diff base")
    target = environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME") or default
    return _branch_point(git, target)


def _pushed(git: _Git, before: str, default: str) -> Base:
    if before == NO_COMMIT:
        return Base(None, f"{default} has no earlier push")
    common = git.common_fetched(before)
    if common == before:
        return Base(before, f"{default} before the push")
    # what the lost commits changed is in production, and neither side of the fork shows it
    return Base(None, f"{default} was rewritten: {before[:12]} is not an ancestor of this commit")


def _branch_point(git: _Git, branch: str) -> Base:
    for progress in git.deepening(branch):
        for name in (f"refs/remotes/origin/{branch}", f"refs/heads/{branch}"):
            commit = git.commit(name)
            common = git.common(commit) if commit else None
            if common is not None:
                return Base(common, f"the merge base with {branch}{progress}")
    return Base(None, f"no commit in common with {branch}")


class _Git:
    """Queries to git that return ``None`` instead of raising an error."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def commit(self, revision: str) -> str | None:
        """Return the commit's full name, if it is in the clone."""
        return self._run(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
        )

    def common(self, commit: str) -> str | None:
        """Return the merge base of HEAD and ``commit``, if it is in the clone."""
        bases = self._run("merge-base", "HEAD", commit)
        return bases.splitlines()[0] if bases else None

    def first_parent_of_merge(self) -> str | None:
        """Return HEAD's first parent if it has two, fetched if necessary."""
        text = self._run("cat-file", "commit", "HEAD") or ""
        header = text.split("\n\n", 1)[0]
        parents = [line.split()[1] for line in header.splitlines() if line.startswith("parent ")]
        if len(parents) != 2:
            return None
        # without the history between, a shallow clone does not see that it is an ancestor
        return self.common_fetched(parents[0])

    def common_fetched(self, commit: str) -> str | None:
        """Return :meth:`common`, deepening a shallow clone until there is one."""
        for _ in self.deepening(commit):
            if self.commit(commit):
                common = self.common(commit)
                if common is not None:
                    return common
        return None

    def deepening(self, wanted: str) -> Iterator[str]:
        """Yield once before any fetch, then after each fetch of ``wanted`` (a branch or a commit)
        and more history; the values are phrases that describe the fetch."""
        yield ""
        if self._run("remote", "get-url", "origin") is None:
            return
        head = self.commit("HEAD")
        is_commit = len(wanted) == len(NO_COMMIT)
        refs = [wanted if is_commit else f"+refs/heads/{wanted}:refs/remotes/origin/{wanted}"]
        shallow = self._run("rev-parse", "--is-shallow-repository") == "true"
        if not shallow:
            if self._fetch(*refs):
                yield ", fetched"
            return
        for depth in DEEPEN_BY:
            # HEAD's own commit is named, too: its branch may have moved or been deleted
            if not self._fetch(f"--deepen={depth}", *refs, *([head] if head else [])):
                return
            yield f", {depth} commits deeper"
        if self._fetch("--unshallow", *refs, *([head] if head else [])):
            yield ", with all history"

    def _fetch(self, *words: str) -> bool:
        return self._run("fetch", "--quiet", "--no-tags", "origin", *words) is not None

    def _run(self, *words: str) -> str | None:
        try:
            return run(["git", "-C", str(self.root), *words], what="querying git").stdout.strip()
        except SlipwayError:
            return None
