"""Repositories to check: the good one, and what one fixture folder changes in it.

``fixtures/good`` is a repository with one sound model. Each folder of ``fixtures/bad`` holds one
mistake: the files that differ from the good ones, by their paths in the repository; ``expected.txt``,
the findings as ``RULE path[:line[:column]]``; ``removed.txt``, where files are to be missing; and
``links.txt``, lines of a path and what it links to, because Pants carries no link that leads nowhere.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from slipway import settings
from slipway.check import Finding, check
from slipway.settings import Settings

FIXTURES = Path(__file__).parent / "fixtures"
GOOD = FIXTURES / "good"
BAD = FIXTURES / "bad"
ABOUT = {"expected.txt", "removed.txt", "links.txt"}


def names() -> list[str]:
    """The fixtures with a mistake."""
    return sorted(path.name for path in BAD.iterdir() if path.is_dir())


def make(name: str, root: Path) -> Path:
    """Write the repository of the fixture ``name``, or ``"good"``, to ``root``; its model folder."""
    shutil.copytree(GOOD, root, dirs_exist_ok=True)
    if name != "good":
        bad = BAD / name
        shutil.copytree(bad, root, dirs_exist_ok=True)
        for path in (root / about for about in ABOUT):
            path.unlink(missing_ok=True)
        removed = bad / "removed.txt"
        for line in removed.read_text().split() if removed.exists() else ():
            path = root / line
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for link, target in links(name):
            (root / link).symlink_to(target)
    return root / "models" / "sound"


def links(name: str) -> list[tuple[str, str]]:
    """The links that the fixture ``name`` adds, with what they lead to."""
    file = BAD / name / "links.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(link, target) for link, _, target in (line.partition(" ") for line in lines)]


def configured(root: Path) -> Settings:
    """The repository's settings."""
    return settings.load(root)


def expected(name: str) -> list[str]:
    """The findings that the fixture ``name`` is to have."""
    return (BAD / name / "expected.txt").read_text().splitlines()


def found(root: Path) -> list[Finding]:
    """The findings in the model ``sound`` of the repository ``root``."""
    return check([root / "models" / "sound"], configured(root))


def shown(findings: list[Finding], root: Path) -> list[str]:
    """Findings as ``expected.txt`` has them, below ``models/sound``."""
    return [f"{each.rule} {str(each.place).removeprefix(f'{root}/')}" for each in findings]
