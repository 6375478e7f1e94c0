"""A mistake: one small change of a valid model folder, as people make them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

type Maker = Callable[[Path, Random], str | None]
"""Changes something in a model folder and returns a description; ``None`` if there is nothing."""


@dataclass(frozen=True)
class Mistake:
    """``kind`` is one of ``tests.check.mutation.kinds.KINDS``; ``what`` names file and change."""

    kind: str
    what: str


def misspell(word: str, random: Random) -> str:
    """Return ``word`` with a common typing mistake; not empty."""
    at = random.randrange(len(word))
    following = word[at + 1 : at + 2]
    choices = [
        word[:at] + word[at + 1 :],
        word[:at] + following + word[at] + word[at + 2 :],
        word[:at] + word[at] + word[at:],
        word.swapcase(),
        f"{word}_1",
        f"{word}s",
    ]
    others = [choice for choice in choices if choice and choice != word]
    return random.choice(others)


def configs(folder: Path) -> list[Path]:
    """Return the configs of a model folder."""
    return sorted(folder.glob("*/config.pbtxt"))


def relative_name(path: Path, folder: Path) -> str:
    """Return a file's name for a description."""
    return path.relative_to(folder).as_posix()
