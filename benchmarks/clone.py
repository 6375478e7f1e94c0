"""A clone of the repository's last commit, for what edits and builds."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

from benchmarks.subject import NAME, ROOT

_numbers = itertools.count()


def clone(folder: Path) -> Path:
    """Clone the repository into ``folder``."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


def edit(root: Path, name: str = NAME) -> None:
    """Change one line of a model's code."""
    code = root / "models" / name / f"{name}_preprocessing" / "1" / "model.py"
    kept = code.read_text(encoding="utf-8").split("\n# edit ")[0]
    code.write_text(f"{kept}\n# edit {next(_numbers)}\n", encoding="utf-8")
