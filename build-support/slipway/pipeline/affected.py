"""What a commit affects: everything if the build system changed, else the models it touches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.model import folder as repository
from slipway.pipeline.merge_base import Base
from slipway.process import run

# A change of one of these can change any artifact or how it is tested, and `--changed-since` sees
# none of it: folders end in a slash. `dvc.yaml` and what the pointers' remote holds change no artifact.
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
# for Pants: https://www.pantsbuild.org/docs/advanced-target-selection
EVERYTHING = ("::",)
TRANSITIVELY = "--changed-dependents=transitive"


@dataclass(frozen=True)
class Affected:
    """``models`` are names of folders of ``models/`` that are there, ``deleted`` of those that were;
    ``everything`` says that all there are count, ``why`` in words."""

    base: str | None
    why: str
    everything: bool
    models: tuple[str, ...]
    deleted: tuple[str, ...]

    def targets(self) -> tuple[str, ...]:
        """The arguments that select the same in Pants."""
        if self.everything or self.base is None:
            return EVERYTHING
        return (f"--changed-since={self.base}", TRANSITIVELY)


def affected(root: Path, base: Base) -> Affected:
    """What the working tree in ``root`` changes of ``base``: commits, uncommitted changes and
    files that git does not know yet.

    Raises:
        SlipwayError: ``root`` is no git checkout, or git does not answer.
    """
    there = tuple(folder.name for folder in repository.find(root))
    if base.commit is None:
        return Affected(None, base.why, True, there, ())
    paths = _changed(root, base.commit)
    deleted = tuple(sorted(_models_of(root, base.commit) - set(there)))
    system = next((path for path in paths if _of_build_system(path)), None)
    if system is not None:
        why = f"{system} is part of the build system and changed since {base.commit[:12]}"
        return Affected(base.commit, why, True, there, deleted)
    touched = {path.split("/")[1] for path in paths if path.count("/") >= 2 and _of_models(path)}
    chosen = tuple(name for name in there if name in touched)
    why = f"changed since {base.commit[:12]}: {base.why}"
    return Affected(base.commit, why, False, chosen, deleted)


def _of_build_system(path: str) -> bool:
    return any(path.startswith(p) if p.endswith("/") else path == p for p in BUILD_SYSTEM)


def _of_models(path: str) -> bool:
    return path.startswith(f"{MODELS}/")


def _changed(root: Path, commit: str) -> list[str]:
    """Paths of both sides of every change; a rename is a removal and an addition."""
    git = ["git", "-C", str(root)]
    told = "asking git what changed"
    # against the working tree, not HEAD: what is not committed is built as well
    tracked = run([*git, "diff", "--name-only", "--no-renames", "-z", commit, "--"], what=told)
    new = run([*git, "ls-files", "--others", "--exclude-standard", "-z"], what=told)
    return sorted({path for path in (tracked.stdout + new.stdout).split("\0") if path})


def _models_of(root: Path, commit: str) -> set[str]:
    """The model folders that a commit has."""
    listing = ["git", "-C", str(root), "ls-tree", "-r", "-z", "--name-only", commit, f"{MODELS}/"]
    try:
        paths = run(listing, what="asking git for its models").stdout.split("\0")
    except SlipwayError:
        return set()
    parts = [path.split("/") for path in paths]
    return {p[1] for p in parts if len(p) == 3 and p[2] == repository.VERSION_FILE}
