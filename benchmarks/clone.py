"""Clone the repository's last commit, for benchmarks that edit and build."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from pathlib import Path

from benchmarks.context import NAME, ROOT

# files in a model's folder that a copy does not need
NOT_COPIED = shutil.ignore_patterns(
    "training", "training.toml", "folded", "__pycache__", ".mypy_cache"
)

COMMITTER = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost"]

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


def copy_model(root: Path, name: str, of: str = NAME) -> Path:
    """Copy a sample model under another name; lock and environment stay equal."""
    folder = root / "models" / name
    shutil.copytree(root / "models" / of, folder, ignore=NOT_COPIED)
    word = re.compile(rb"(?<![A-Za-z0-9])" + of.encode())
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file():
            data = path.read_bytes()
            if of.encode() in data:
                path.write_bytes(word.sub(name.encode(), data))
        if path.name.startswith((of, f"test_{of}")):
            path.rename(path.with_name(path.name.replace(of, name, 1)))
    return folder


def commit(root: Path) -> None:
    """Commit everything."""
    for arguments in (
        ["add", "--all"],
        [*COMMITTER, "commit", "--quiet", "--allow-empty", "--message=all"],
    ):
        subprocess.run(["git", *arguments], cwd=root, check=True)
