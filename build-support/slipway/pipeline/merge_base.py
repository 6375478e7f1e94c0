"""What a pipeline compares its commit with, to know which models it affects.

Whatever is asked for, the answer is a commit that is here and that HEAD descends from, or none:
then everything counts as affected. GitLab's variables:
https://docs.gitlab.com/ci/variables/predefined_variables/
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.process import run

ASKED = "SLIPWAY_BASE"
NO_COMMIT = "0" * 40  # GitLab's CI_COMMIT_BEFORE_SHA of a branch that is new
DEFAULT_BRANCH = "main"
DEEPER = (50, 500, 5000)  # commits that a shallow clone is deepened by, step by step
# pipelines of a merge request that run on the merge and not on its source branch's commit
MERGED = ("merged_result", "merge_train")


@dataclass(frozen=True)
class Base:
    """``commit`` is what to compare with, ``None`` for nothing; ``why`` it is, in words."""

    commit: str | None
    why: str


def base(root: Path, environ: Mapping[str, str] = os.environ, asked: str | None = None) -> Base:
    """What the commit checked out in ``root`` is compared with.

    ``asked``, else ``SLIPWAY_BASE``, goes before all. A merge request is compared with where it
    left its target branch; the merge that a train or a merged results pipeline runs on, with its
    first parent; the default branch, with what it was before the push; any other branch, and a
    laptop, with where it left the default branch. A shallow clone is deepened as far as it takes.

    Raises:
        SlipwayError: the revision asked for is not there.
    """
    git = _Git(root)
    default = environ.get("CI_DEFAULT_BRANCH") or DEFAULT_BRANCH
    asked = asked or environ.get(ASKED)
    if asked:
        return _asked(git, asked)
    if environ.get("CI_MERGE_REQUEST_IID"):
        return _merge_request(git, environ, default)
    if environ.get("CI_COMMIT_BRANCH") == default:
        return _pushed(git, environ.get("CI_COMMIT_BEFORE_SHA", NO_COMMIT), default)
    return _left(git, default)


def _asked(git: _Git, revision: str) -> Base:
    commit = git.commit(revision)
    common = git.common(commit) if commit else None
    if common is None and len(revision) == len(NO_COMMIT):
        common = git.common_fetched(revision)
        commit = git.commit(revision)
    if commit is None:
        raise SlipwayError(
            f"no commit {revision!r} here",
            where=str(git.root),
            fix=f"name a commit that exists: --base, or the variable {ASKED}",
        )
    if common is None:
        return Base(None, f"{revision} has no history in common with this commit")
    same = "" if common == commit else f", where this left {revision}"
    return Base(common, f"asked for{same}")


def _merge_request(git: _Git, environ: Mapping[str, str], default: str) -> Base:
    if environ.get("CI_MERGE_REQUEST_EVENT_TYPE") in MERGED:
        # the target branch with the cars of the train before this one; what this one adds is new.
        # A shallow clone of one commit has parents that are not here
        first = git.first_parent_of_merge()
        if first is not None:
            return Base(first, "the first parent of the merge")
    commit = environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", "")
    common = git.common_fetched(commit) if commit else None
    if common == commit and common:
        return Base(common, "the merge request's diff base")
    target = environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME") or default
    return _left(git, target)


def _pushed(git: _Git, before: str, default: str) -> Base:
    if before == NO_COMMIT:
        return Base(None, f"{default} has no push before this one")
    common = git.common_fetched(before)
    if common == before:
        return Base(before, f"{default} before the push")
    # what the lost commits changed is served, and neither side of the fork shows it
    return Base(None, f"{default} was rewritten: {before[:12]} is no ancestor of this commit")


def _left(git: _Git, branch: str) -> Base:
    for deeper in git.deepening(branch):
        for name in (f"refs/remotes/origin/{branch}", f"refs/heads/{branch}"):
            commit = git.commit(name)
            common = git.common(commit) if commit else None
            if common is not None:
                return Base(common, f"where this left {branch}{deeper}")
    return Base(None, f"no commit in common with {branch}")


class _Git:
    """Questions to git that have no answer rather than an error."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def commit(self, revision: str) -> str | None:
        """The commit's full name, if it is here."""
        return self._ask(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
        )

    def common(self, commit: str) -> str | None:
        """The best commit in HEAD's history that ``commit`` has as well, as far as it is here."""
        found = self._ask("merge-base", "HEAD", commit)
        return found.splitlines()[0] if found else None

    def first_parent_of_merge(self) -> str | None:
        """HEAD's first parent if it has two, fetched if need be."""
        said = self._ask("cat-file", "commit", "HEAD") or ""
        header = said.split("\n\n", 1)[0]
        parents = [line.split()[1] for line in header.splitlines() if line.startswith("parent ")]
        if len(parents) != 2:
            return None
        # without the history between, a shallow clone does not know that it is an ancestor
        return self.common_fetched(parents[0])

    def common_fetched(self, commit: str) -> str | None:
        """As :meth:`common`, deepening a shallow clone until there is one."""
        for _ in self.deepening(commit):
            if self.commit(commit):
                found = self.common(commit)
                if found is not None:
                    return found
        return None

    def deepening(self, wanted: str) -> Iterator[str]:
        """Yields once for what is here, then after each fetch that brought ``wanted``, a branch or
        a commit, and history; words for what was done."""
        yield ""
        if self._ask("remote", "get-url", "origin") is None:
            return
        head = self.commit("HEAD")
        is_commit = len(wanted) == len(NO_COMMIT)
        refs = [wanted if is_commit else f"+refs/heads/{wanted}:refs/remotes/origin/{wanted}"]
        shallow = self._ask("rev-parse", "--is-shallow-repository") == "true"
        if not shallow:
            if self._fetch(*refs):
                yield ", fetched"
            return
        for depth in DEEPER:
            # HEAD's own commit is named, too: its branch may have moved on or be gone
            if not self._fetch(f"--deepen={depth}", *refs, *([head] if head else [])):
                return
            yield f", {depth} commits deeper"
        if self._fetch("--unshallow", *refs, *([head] if head else [])):
            yield ", with all history"

    def _fetch(self, *words: str) -> bool:
        return self._ask("fetch", "--quiet", "--no-tags", "origin", *words) is not None

    def _ask(self, *words: str) -> str | None:
        try:
            return run(["git", "-C", str(self.root), *words], what="asking git").stdout.strip()
        except SlipwayError:
            return None
