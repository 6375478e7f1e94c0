"""Count the commits to a model between two of its releases, for a thousand models at once."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.process import run

type Counts = tuple[int, int]
WORKERS = 4


def count_commits(root: Path, pairs: Mapping[str, tuple[str, str]]) -> dict[str, Counts]:
    """Return, for each model and its two commits in ``pairs``, the number of commits to it that
    only the first has, and of those that only the second has; without merges. A model is left out
    if the repository at ``root`` lacks one of its commits."""
    known = _known_commits(root, {commit for pair in pairs.values() for commit in pair})
    chosen = {name: pair for name, pair in pairs.items() if known.issuperset(pair)}
    with ThreadPoolExecutor(WORKERS) as pool:
        counts = pool.map(lambda item: _count(root, item[0], *item[1]), chosen.items())
        return {name: count for name, count in zip(chosen, counts, strict=True) if count}


def _known_commits(root: Path, commits: set[str]) -> set[str]:
    """Return those of ``commits`` that the repository has; none without git or a repository."""
    if not commits:
        return set()
    ordered = sorted(commits)
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), "cat-file", "--batch-check=%(objecttype)"],
            input="".join(f"{commit}^{{commit}}\n" for commit in ordered),
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return set()
    lines = answer.stdout.splitlines()
    return {commit for commit, line in zip(ordered, lines, strict=True) if line == "commit"}


def _count(root: Path, name: str, new: str, old: str) -> Counts | None:
    try:
        counts = run(
            ["git", "-C", str(root), "rev-list", "--count", "--left-right", "--no-merges"]
            + [f"{new}...{old}", "--", str(root / "models" / name)],
            what="counting the commits between two releases",
        ).stdout.split()
        return int(counts[0]), int(counts[1])
    except (SlipwayError, ValueError, IndexError):
        return None  # a shallow clone
