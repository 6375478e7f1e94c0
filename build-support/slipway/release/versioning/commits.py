"""A line for each commit that touched a model since its release before."""

from __future__ import annotations

import re
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.process import run

MOST = 100  # lines; a first release may have a long history
DIRTY = "-dirty"
COMMIT = re.compile(r"[0-9a-f]{7,64}")
WHAT = "asking git for the commits"


def list_commits(root: Path, folder: Path, since: str | None) -> tuple[str, ...]:
    """``<seven hex digits> <subject>`` of each commit after ``since`` that touched ``folder``, the
    newest first; merges are left out.

    ``since`` is the commit of the release before, as its record has it; ``None`` means from the
    beginning. A commit that this checkout does not know (a shallow clone, a history that was
    rewritten) does not stop a release: then all commits that are here count, and a last line that
    begins with ``…`` says so. Empty outside of git.
    """
    try:
        return _changes(["git", "-C", str(root)], folder.resolve(), since)
    except SlipwayError:
        return ()


def _changes(git: list[str], folder: Path, since: str | None) -> tuple[str, ...]:
    known = None if since is None else _known(git, since.removesuffix(DIRTY))
    format = "--format=%H %s"
    # the oldest commits of a shallow clone look as if they had added every file
    cut_off = _cut_off(git)
    commits = "HEAD" if known is None else f"{known}..HEAD"
    listed = run(
        [*git, "log", "--no-merges", "--encoding=UTF-8", format, commits, "--", str(folder)],
        what=WHAT,
    ).stdout
    found = [line.partition(" ") for line in listed.split("\n") if line]
    lines = [
        f"{commit[:7]} {_plain(subject)}" for commit, _, subject in found if commit not in cut_off
    ]
    more = len(lines) - MOST
    if more > 0:
        lines[MOST:] = [f"… and {more} commits before"]
    if since is not None and known is None:
        lines.append(f"… {since[:7]}, the release before, is not in this history")
    return tuple(lines)


def _known(git: list[str], commit: str) -> str | None:
    """``commit``, if it is one and is here."""
    if not COMMIT.fullmatch(commit):
        return None
    try:
        run([*git, "cat-file", "-e", f"{commit}^{{commit}}"], what=WHAT)
    except SlipwayError:
        return None
    return commit


def _cut_off(git: list[str]) -> set[str]:
    """The commits whose parents a shallow clone lacks."""
    place = run([*git, "rev-parse", "--path-format=absolute", "--git-path", "shallow"], what=WHAT)
    try:
        return set(Path(place.stdout.strip()).read_text(encoding="ascii").split())
    except FileNotFoundError:
        return set()


def _plain(subject: str) -> str:
    """A subject without characters that would move a terminal's cursor."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in subject
    )
