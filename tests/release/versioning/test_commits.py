"""A line for each commit that touched a model since its release before, from real git histories."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from slipway.release.versioning import commits

# nothing of the user's own configuration; git's own test identity
ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A U Thor",
    "GIT_AUTHOR_EMAIL": "author@example.com",
    "GIT_COMMITTER_NAME": "C O Mitter",
    "GIT_COMMITTER_EMAIL": "committer@example.com",
}


class Checkout:
    """A git repository, and a model folder in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "models" / "tiny"

    def git(self, *words: str, stdin: bytes = b"") -> str:
        done = subprocess.run(
            ["git", "-C", str(self.root), *words],
            env=os.environ | ENVIRONMENT,
            input=stdin,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    def commit(self, subject: str, file: str = "models/tiny/model.py") -> str:
        """A commit that changes ``file``; its line."""
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as opened:
            opened.write(f"{subject}\n")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", subject)
        return f"{self.head[:7]} {subject}"

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def changes(self, since: str | None) -> tuple[str, ...]:
        return commits.list_commits(self.root, self.folder, since)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path / "checkout")
    made.root.mkdir()
    made.git("init", "-q", "-b", "main")
    return made


def test_the_commits_that_touched_the_model_come_newest_first(checkout: Checkout) -> None:
    checkout.commit("begin")
    since = checkout.head
    first = checkout.commit("train longer")
    checkout.commit("another model", "models/other/model.py")
    second = checkout.commit("count pixels as bytes")
    assert checkout.changes(since) == (second, first)
    assert checkout.changes(f"{since}-dirty") == (second, first)
    assert checkout.changes(checkout.head) == ()


def test_a_first_release_has_all_of_its_commits(checkout: Checkout) -> None:
    checkout.commit("another model", "models/other/model.py")
    lines = [checkout.commit(subject) for subject in ("one", "two")]
    assert checkout.changes(None) == tuple(reversed(lines))


def test_merges_are_left_out_and_what_they_merged_is_not(checkout: Checkout) -> None:
    checkout.commit("begin")
    since = checkout.head
    checkout.git("switch", "-q", "-c", "branch")
    theirs = checkout.commit("on the branch", "models/tiny/branch.py")
    checkout.git("switch", "-q", "main")
    ours = checkout.commit("on main", "models/tiny/main.py")
    checkout.git("merge", "-q", "--no-ff", "-m", "Merge branch", "branch")
    assert set(checkout.changes(since)) == {theirs, ours}


def test_a_long_history_is_cut_and_says_so(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "MAX_LINES", 2)
    lines = [checkout.commit(subject) for subject in ("one", "two", "three")]
    assert checkout.changes(None) == (lines[2], lines[1], "… and 1 commits before")


def test_a_release_before_that_was_rewritten_away_does_not_stop_a_release(
    checkout: Checkout,
) -> None:
    line = checkout.commit("one")
    assert checkout.changes("1234567" * 5 + "12345") == (
        line,
        "… 1234567, the release before, is not in this history",
    )


def test_after_a_forced_push_only_what_the_release_lacked_counts(checkout: Checkout) -> None:
    checkout.commit("begin")
    base = checkout.head
    checkout.commit("as it was")
    released = checkout.head
    checkout.git("reset", "-q", "--hard", base)
    line = checkout.commit("as it is")
    assert checkout.changes(released) == (line,)


@pytest.mark.parametrize("since", ["", "--output=x", "HEAD", "not a commit", "-dirty"])
def test_an_invalid_commit_is_never_passed_to_git(checkout: Checkout, since: str) -> None:
    checkout.commit("one")
    assert checkout.changes(since)[-1].endswith("the release before, is not in this history")
    assert not (checkout.root / "x").exists()


def test_a_shallow_clone_has_the_commits_it_knows(checkout: Checkout, tmp_path: Path) -> None:
    checkout.commit("begin")
    released = checkout.head
    # where the clone ends, a commit looks as if it had added every file
    checkout.commit("another model", "models/other/model.py")
    line = checkout.commit("train longer")
    shallow = Checkout(tmp_path / "shallow")
    checkout.git("clone", "-q", "--depth=2", f"file://{checkout.root}", str(shallow.root))
    assert shallow.changes(released) == (
        line,
        f"… {released[:7]}, the release before, is not in this history",
    )
    assert shallow.changes(checkout.git("rev-parse", "HEAD~1")) == (line,)


def test_a_worktree_and_a_repository_around_the_root_will_do(
    checkout: Checkout, tmp_path: Path
) -> None:
    line = checkout.commit("one")
    checkout.git("worktree", "add", "-q", str(tmp_path / "tree"))
    tree = Checkout(tmp_path / "tree")
    assert tree.changes(None) == (line,)
    inner = checkout.root / "models"
    assert commits.list_commits(inner, checkout.folder, None) == (line,)


def test_a_subject_in_any_bytes_becomes_one_plain_line(checkout: Checkout) -> None:
    checkout.commit("begin")
    since = checkout.head
    (checkout.folder / "model.py").write_text("changed\n")
    checkout.git("add", "-A")
    tree = checkout.git("write-tree")
    message = b"caf\xe9 \x1b[31m red\xc2\x85\xe2\x80\xa8 line\n\nbody\n"
    raw = ["-c", "i18n.commitEncoding=no-such"]  # git then leaves the bytes as they are
    commit = checkout.git(*raw, "commit-tree", tree, "-p", "HEAD", "-F", "-", stdin=message)
    checkout.git("reset", "-q", "--hard", commit)
    (line,) = checkout.changes(since)
    assert line == f"{commit[:7]} caf� �[31m red�� line"


def test_outside_of_git_and_before_the_first_commit_there_are_none(
    checkout: Checkout, tmp_path: Path
) -> None:
    assert checkout.changes(None) == ()
    assert commits.list_commits(tmp_path, tmp_path / "models" / "tiny", None) == ()


def test_without_git_there_are_none(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout.commit("one")
    monkeypatch.setenv("PATH", "")
    assert checkout.changes(None) == ()
