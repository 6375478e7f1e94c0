"""What a commit affects: everything if the build system changed, else the models it changes."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from slipway.environment.shared.requirements import named_folders
from slipway.environment.shared.sources import is_left_out
from slipway.errors import SlipwayError
from slipway.model.folder import VERSION_FILE, find_models
from slipway.pipeline.confined import is_confined
from slipway.pipeline.merge_base import Base
from slipway.process import run

# A change of one of these can change any artifact or how it is tested, and `--changed-since` misses
# all of it. Folders end in a slash. `dvc.yaml` and the content of DVC's remote change no artifact.
BUILD_SYSTEM = (
    ".ci/",
    ".dvc/",
    ".dvcignore",
    ".gitattributes",
    ".gitlab-ci.yml",
    ".pants.bootstrap",
    "BUILD",
    "build-support/",
    "ci/",
    "interpreter.lock",
    "models/BUILD",
    "models/conftest.py",
    "pants",
    "pants.ci.toml",
    "pants.toml",
    "pyproject.toml",
    "slipway.toml",
)
MODELS = "models"
REQUIREMENTS = "requirements.txt"
# in any line that names a folder above or next to the model's own
ELSEWHERE = re.compile(rb"[/\\]|\.\.|^\s*-", re.MULTILINE)
# Pants' arguments: https://www.pantsbuild.org/docs/advanced-target-selection
EVERYTHING = ("::",)
TRANSITIVELY = "--changed-dependents=transitive"


@dataclass(frozen=True)
class Affected:
    """``models`` are the affected models, ``deleted`` those that no longer exist.

    ``everything`` is set if all models are affected; ``why`` is the reason in words. ``confined``
    is set if nothing outside of the models' folders can depend on what changed.
    """

    base: str | None
    why: str
    everything: bool
    models: tuple[str, ...]
    deleted: tuple[str, ...]
    confined: bool = False

    def targets(self) -> tuple[str, ...]:
        """Return the arguments that select the same in Pants."""
        if self.everything or self.base is None:
            return EVERYTHING
        if self.confined:
            return tuple(f"{MODELS}/{name}::" for name in self.models)
        return (f"--changed-since={self.base}", TRANSITIVELY)


def find_affected(root: Path, base: Base) -> Affected:
    """Return what the working tree in ``root`` changes since ``base``: by commits, uncommitted
    changes and untracked files.

    Raises:
        SlipwayError: ``root`` is not a git checkout, or git fails.
    """
    existing = tuple(folder.name for folder in find_models(root))
    if base.commit is None:
        return Affected(None, base.why, True, existing, ())
    paths = _changed(root, base.commit)
    deleted = tuple(sorted(_models_of(root, base.commit) - set(existing)))
    system = next((path for path in paths if _is_build_system(path)), None)
    if system is not None:
        why = f"{system} is part of the build system and changed since {base.commit[:12]}"
        return Affected(base.commit, why, True, existing, deleted)
    changed = {path.split("/")[1] for path in paths if path.count("/") >= 2 and _is_in_models(path)}
    changed |= {name for name in existing if _shares_a_changed_package(root, name, paths)}
    chosen = tuple(name for name in existing if name in changed)
    why = f"changed since {base.commit[:12]}: {base.why}"
    confined = not deleted and is_confined(root, paths, chosen)
    return Affected(base.commit, why, False, chosen, deleted, confined)


def _is_build_system(path: str) -> bool:
    return any(path.startswith(p) if p.endswith("/") else path == p for p in BUILD_SYSTEM)


def _shares_a_changed_package(root: Path, name: str, paths: list[str]) -> bool:
    """Return whether one of the ``paths`` is in a package of the repository that a model names."""
    requirements = root / MODELS / name / REQUIREMENTS
    # to read a thousand files is nothing, to parse them takes as long as everything else
    if not requirements.is_file() or not ELSEWHERE.search(requirements.read_bytes()):
        return False
    for folder in named_folders(requirements):
        prefix = f"{os.path.relpath(folder, root)}/"
        if any(
            path.startswith(prefix) and not is_left_out(path.removeprefix(prefix)) for path in paths
        ):
            return True
    return False


def _is_in_models(path: str) -> bool:
    return path.startswith(f"{MODELS}/")


def _changed(root: Path, commit: str) -> list[str]:
    """Return the paths of both sides of every change; a rename is a removal and an addition."""
    git = ["git", "-C", str(root)]
    step = "listing the changes"
    # compared with the working tree, not HEAD: uncommitted changes are built as well
    tracked = run([*git, "diff", "--name-only", "--no-renames", "-z", commit, "--"], what=step)
    new = run([*git, "ls-files", "--others", "--exclude-standard", "-z"], what=step)
    return sorted({path for path in (tracked.stdout + new.stdout).split("\0") if path})


def _models_of(root: Path, commit: str) -> set[str]:
    """Return the model folders in a commit."""
    listing = ["git", "-C", str(root), "ls-tree", "-r", "-z", "--name-only", commit, f"{MODELS}/"]
    try:
        paths = run(listing, what="listing the models of a commit").stdout.split("\0")
    except SlipwayError:
        return set()
    parts = [path.split("/") for path in paths]
    return {p[1] for p in parts if len(p) == 3 and p[2] == VERSION_FILE}
