"""Repositories to check: the good one, and the good one with the mistake of a fixture folder.

``fixtures/good`` is a repository with one valid model. Each folder of ``fixtures/bad`` holds one
mistake:

- the files that differ from the good ones, by their paths in the repository;
- ``expected.txt``, the findings as ``RULE path[:line[:column]]``;
- ``removed.txt``, the paths that are missing;
- ``gitignore.txt``, the ``.gitignore`` of the repository, which is one of git then;
- ``links.txt``, lines of a path and its link target, because Pants copies no dangling link.

Without ``slipway.toml``, ``models/sound`` is a foreign repository, which is judged where it lies.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from slipway import settings
from slipway.check import Finding, check, check_foreign
from slipway.check.foreign.model import find_foreign_models, foreign_settings
from slipway.settings import Settings

FIXTURES = Path(__file__).parent / "fixtures"
GOOD = FIXTURES / "good"
BAD = FIXTURES / "bad"
ABOUT = {"expected.txt", "removed.txt", "links.txt", "gitignore.txt"}


def names() -> list[str]:
    """Return the names of the fixtures with a mistake."""
    return sorted(path.name for path in BAD.iterdir() if path.is_dir())


def make(name: str, root: Path) -> Path:
    """Write the repository of the fixture ``name`` or ``"good"``; return its model folder."""
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
        if (bad / "gitignore.txt").exists():
            shutil.copyfile(bad / "gitignore.txt", root / ".gitignore")
            subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    return root / "models" / "sound"


def links(name: str) -> list[tuple[str, str]]:
    """Return the links that the fixture ``name`` adds, with their targets."""
    file = BAD / name / "links.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(link, target) for link, _, target in (line.partition(" ") for line in lines)]


def load_settings(root: Path) -> Settings:
    """Return the repository's settings."""
    return settings.load(root) if is_checkout(root) else foreign_settings(None)


def expected_findings(name: str) -> list[str]:
    """Return the findings that the fixture ``name`` should have."""
    return (BAD / name / "expected.txt").read_text().splitlines()


def find_all(root: Path) -> list[Finding]:
    """Return the findings in the model ``sound`` of the repository ``root``."""
    return find_in(root / "models" / "sound", root)


def find_in(folder: Path, root: Path) -> list[Finding]:
    """Return the findings in one model ``folder`` of the repository ``root``."""
    if is_checkout(root):
        return check([folder], load_settings(root))
    models = find_foreign_models(folder, load_settings(root))
    return [finding for model in models for finding in check_foreign(model)[0]]


def is_checkout(root: Path) -> bool:
    """Return whether a repository is one of Slipway."""
    return (root / settings.FILE_NAME).is_file()


def format_findings(findings: list[Finding], root: Path) -> list[str]:
    """Return the findings in the format of ``expected.txt``, with paths relative to ``root``."""
    prefix = f"{root}/"
    return [f"{f.rule} {str(f.location).removeprefix(prefix)}" for f in findings]
