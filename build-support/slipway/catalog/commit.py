"""Determine the commit of the working tree, for a release's record, and what differs from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.process import run

DIRTY = "-dirty"
# what Slipway and Python write into a repository, where no .gitignore names it
OUTPUT = ("dist", ".slipway")
BYTECODE = "__pycache__"


@dataclass(frozen=True)
class Worktree:
    """The ``commit`` checked out, ``None`` outside of a git checkout; ``problem`` says why then.

    ``changes`` are the paths, from the repository's root, that differ from it, with how:
    ``models/m/m/1/model.py (modified)``. Ignored files are not among them.
    """

    commit: str | None
    changes: tuple[str, ...] = ()
    problem: str | None = None

    @property
    def name(self) -> str | None:
        """The commit, followed by ``-dirty`` if anything differs from it."""
        return name_commit(self.commit, bool(self.changes))


def read_worktree(root: Path) -> Worktree:
    """Ask git for the commit checked out in ``root``, and for what differs from it in the whole
    repository: tracked files that changed, and files that are neither tracked nor ignored."""
    git = ["git", "-C", str(root)]
    try:
        head = run([*git, "rev-parse", "HEAD"], what="asking git for the commit").stdout.strip()
        # options, since a user's configuration may hide untracked files and submodules
        listed = run(
            [*git, "status", "--porcelain", "-z", "--untracked-files=all"]
            + ["--ignore-submodules=none", "--no-renames"],
            what="asking git for changes",
        ).stdout
        prefix = run([*git, "rev-parse", "--show-prefix"], what="asking git for the folder").stdout
    except SlipwayError as error:
        return Worktree(None, problem=error.what.splitlines()[-1].strip())
    changes = [(entry[:2], entry[3:]) for entry in listed.split("\0") if entry]
    return Worktree(
        head,
        tuple(
            f"{path} ({'untracked' if state == '??' else 'modified'})"
            for state, path in changes
            if not (state == "??" and _is_output(path, prefix.strip()))
        ),
    )


def current_commit(root: Path) -> str | None:
    """Return the commit checked out in ``root``, followed by ``-dirty`` if files differ from it or
    are untracked; ``None`` outside of a git checkout."""
    return read_worktree(root).name


def name_commit(commit: str | None, dirty: bool) -> str | None:
    """Return how a record names ``commit``."""
    return f"{commit}{DIRTY}" if commit and dirty else commit


def is_clean(commit: str | None) -> bool:
    """Return whether a record's ``commit`` is known, and has all that was published of it."""
    return bool(commit) and not str(commit).endswith(DIRTY)


def _is_output(path: str, prefix: str) -> bool:
    relative = path.removeprefix(prefix).rstrip("/")
    return relative.split("/")[0] in OUTPUT or BYTECODE in relative.split("/")
