"""SW127 and SW128: every file of a model directory is in its artifact, and in the commit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from slipway.check.finding import Location, RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.model.folder import LEFT_OUT_NAMES
from slipway.triton.config import FILE_NAME

# what git, DVC, editors, file systems and caches write, and no model reads
HOUSEKEEPING = (
    ".git*",
    ".dvcignore",
    ".keep",
    ".DS_Store",
    "._*",
    ".nfs*",
    ".*.sw?",
    ".~lock*",
    ".#*",
    ".aside-*",
    ".idea",
    ".vscode",
    ".*_cache",
    ".ipynb_checkpoints",
)
POINTER = ".dvc"
WEIGHTS = (".onnx", ".pt", ".plan", ".bin", ".npz", ".safetensors", ".tl", ".ubj", ".pkl")


@rule(
    "SW127",
    "left-out-file",
    scope="slipway",
    severity="warning",
    reason="packing leaves out hidden files and compiled Python, so this is not in the artifact",
    source="Slipway, model/folder.py (source_files)",
)
def left_out_file(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find hidden files and ``.pyc`` modules in model directories."""
    for config in model.configs.values() if not model.is_single_config else ():
        for path in _hidden(config.directory):
            yield RuleHit(
                Location(path),
                "it is hidden, so packing leaves it out",
                "rename it so that it begins with no dot, or remove it",
            )
    for path in model.files() if not model.is_single_config else ():
        if path.suffix == ".pyc":
            yield RuleHit(
                Location(path),
                "compiled Python without its source: packing leaves it out",
                f"add {path.stem}.py, or remove it",
            )


@rule(
    "SW128",
    "ignored-by-git",
    scope="slipway",
    reason="another checkout, CI and Pants build another artifact under the same commit",
    source="git, gitignore(5); Pants, pants_ignore_use_gitignore",
)
def ignored_by_git(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find files of the artifact that git ignores and does not track."""
    if model.is_single_config or not model.configs:
        return
    ignored = model.repository.ignored_files.within(model.folder)
    if not ignored:
        return
    sources = [path for path in _sources(model) if path.resolve() in ignored]
    if any(path.name == FILE_NAME for path in sources) and model.version_file in sources:
        yield RuleHit(
            Location(model.folder),
            "git ignores the whole model",
            f"correct .gitignore (git check-ignore -v {model.version_file}), then git add it",
        )
        return
    for path in sources:
        add = f"git add --force {path}"
        is_weights = path.suffix in WEIGHTS
        yield RuleHit(
            Location(path),
            "git ignores it, so the commit lacks it",
            f"slipway weights add {path}, or {add}" if is_weights else add,
        )


def _hidden(directory: Path) -> Iterator[Path]:
    with os.scandir(directory) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        if entry.name.startswith("."):
            if not any(fnmatch(entry.name, pattern) for pattern in HOUSEKEEPING):
                yield directory / entry.name
        elif entry.is_dir(follow_symlinks=False) and entry.name != "__pycache__":
            yield from _hidden(directory / entry.name)


def _sources(model: ModelUnderCheck) -> Iterator[Path]:
    """Yield the files that decide the artifact's bytes, without the weights under DVC."""
    for file in (model.version_file, model.requirements, model.lock):
        if file.is_file():
            yield file
    files = list(model.files())
    weights = {path.with_suffix("") for path in files if path.suffix == POINTER}
    for path in files:
        if not path.is_file() or path.name in LEFT_OUT_NAMES or path.suffix == ".pyc":
            continue
        if not any(parent in weights for parent in (path, *path.parents)):
            yield path
