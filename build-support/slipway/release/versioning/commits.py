"""List the commits that touched a model since its previous release."""

from __future__ import annotations

import re
from pathlib import Path

from slipway.catalog.commit import DIRTY
from slipway.errors import SlipwayError
from slipway.process import run

MAX_LINES = 100  # a first release may have a long history
COMMIT = re.compile(r"[0-9a-f]{7,64}")
WHAT = "asking git for the commits"


def list_commits(root: Path, folder: Path, since: str | None) -> tuple[str, ...]:
    """Return ``<seven hex digits> <subject>`` of each commit after ``since`` that touched
    ``folder``, the newest first. Merges are left out.

    ``since`` is the commit in the record of the previous release; ``None`` means from the
    beginning. A commit that this checkout lacks (a shallow clone, a rewritten history) does not
    stop a release: then all commits of the checkout count, and a last line that begins with ``…``
    says so. Empty outside of git.
    """
    try:
        return _changes(["git", "-C", str(root)], folder.resolve(), since)
    except SlipwayError:
        return ()


def _changes(git: list[str], folder: Path, since: str | None) -> tuple[str, ...]:
    start = None if since is None else _find_commit(git, since.removesuffix(DIRTY))
    line_format = "--format=%H %s"
    # in a shallow clone, the oldest commits seem to add every file
    shallow = shallow_commits(git)
    commits = "HEAD" if start is None else f"{start}..HEAD"
    output = run(
        [*git, "log", "--no-merges", "--encoding=UTF-8", line_format, commits, "--", str(folder)],
        what=WHAT,
    ).stdout
    entries = [line.partition(" ") for line in output.split("\n") if line]
    lines = [
        f"{commit[:7]} {_printable(subject)}"
        for commit, _, subject in entries
        if commit not in shallow
    ]
    more = len(lines) - MAX_LINES
    if more > 0:
        lines[MAX_LINES:] = [f"… and {more} commits before"]
    if since is not None and start is None:
        lines.append(f"… {since[:7]}, the release before, is not in this history")
    return tuple(lines)


def _find_commit(git: list[str], commit: str) -> str | None:
    """Return ``commit`` if it is a commit of this checkout."""
    if not COMMIT.fullmatch(commit):
        return None
    try:
        run([*git, "cat-file", "-e", f"{commit}^{{commit}}"], what=WHAT)
    except SlipwayError:
        return None
    return commit


def shallow_commits(git: list[str]) -> set[str]:
    """Return the commits whose parents a shallow clone lacks."""
    location = run(
        [*git, "rev-parse", "--path-format=absolute", "--git-path", "shallow"], what=WHAT
    )
    try:
        return set(Path(location.stdout.strip()).read_text(encoding="ascii").split())
    except FileNotFoundError:
        return set()


def _printable(subject: str) -> str:
    """Return a subject without characters that would move a terminal's cursor."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in subject
    )
