"""A clone of the repository's last commit, for what edits and builds."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from pathlib import Path

from benchmarks.subject import NAME, ROOT

# what a model's folder holds that another model of the same kind would not repeat
NOT_COPIED = shutil.ignore_patterns("training", "__pycache__", ".mypy_cache")

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


def copy_model(root: Path, name: str) -> Path:
    """Copy the sample model under another name; its lock, and so its environment, is equal."""
    folder = root / "models" / name
    shutil.copytree(root / "models" / NAME, folder, ignore=NOT_COPIED)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file():
            data = path.read_bytes()
            if NAME.encode() in data:
                path.write_bytes(data.replace(NAME.encode(), name.encode()))
        if NAME in path.name:
            path.rename(path.with_name(path.name.replace(NAME, name)))
    return folder
