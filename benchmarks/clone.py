"""Clone the repository's last commit, for benchmarks that edit and build."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from pathlib import Path

from benchmarks.context import NAME, ROOT

# files in a model's folder that a copy does not need
NOT_COPIED = shutil.ignore_patterns("training", "__pycache__", ".mypy_cache")

_numbers = itertools.count()


def clone(folder: Path) -> Path:
    """Clone the repository into ``folder``."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


def edit(root: Path, name: str = NAME) -> None:
    """Change one line of a model's code."""
    code = root / "models" / name / f"{name}_preprocessing" / "1" / "model.py"
    content = code.read_text(encoding="utf-8").split("\n# edit ")[0]
    code.write_text(f"{content}\n# edit {next(_numbers)}\n", encoding="utf-8")


def copy_model(root: Path, name: str) -> Path:
    """Copy the sample model under another name; lock and environment stay equal."""
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
