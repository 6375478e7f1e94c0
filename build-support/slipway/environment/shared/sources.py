"""The files that a package of the repository is built from, and their digest.

They are those that every checkout of a commit has: a wheel built here has the bytes of one built
in a pipeline.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from slipway.environment.repository_root import repository_root
from slipway.errors import SlipwayError
from slipway.files import sha256_of
from slipway.process import run
from slipway.unchanged import remembered

# at the package's root: what builds and tests leave there, or what no wheel needs
LEFT_OUT_AT_ROOT = {"build", "dist", "tests"}
LEFT_OUT_ANYWHERE = {"__pycache__", "BUILD", "BUILD.pants"}
LEFT_OUT_ENDINGS = (".pyc", ".egg-info")


@remembered
def source_files(folder: Path) -> dict[str, Path]:
    """Return the files of the package in ``folder`` by their names in it, sorted.

    Caches, hidden files, ``tests/`` and what git ignores are left out.

    Raises:
        SlipwayError: a link leads out of the folder, or git fails.
    """
    files: dict[str, Path] = {}
    inside = folder.resolve()
    for path in _candidates(folder):
        name = path.relative_to(folder).as_posix()
        if is_left_out(name) or not path.is_file():
            continue
        if not path.resolve().is_relative_to(inside):
            raise SlipwayError(
                "a link that leads out of the package",
                where=str(path),
                fix="copy the file into the package",
            )
        files[name] = path
    return dict(sorted(files.items()))


def is_left_out(name: str) -> bool:
    """Return whether the file ``name`` of a package is not built, nor part of its digest."""
    parts = PurePosixPath(name).parts
    return parts[0] in LEFT_OUT_AT_ROOT or any(
        part in LEFT_OUT_ANYWHERE or part.startswith(".") or part.endswith(LEFT_OUT_ENDINGS)
        for part in parts
    )


@remembered
def digest_of_sources(folder: Path) -> str:
    """Return the SHA-256 of the package's files: their names, modes and content."""
    digest = hashlib.sha256()
    for name, path in source_files(folder).items():
        digest.update(f"{name}\0{_mode(path):o}\0{sha256_of(path)}\n".encode())
    return digest.hexdigest()


def copy_sources(folder: Path, target: Path) -> None:
    """Copy the package's files to ``target``, with modes that do not depend on the umask."""
    for name, path in source_files(folder).items():
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        copy.chmod(_mode(path))


def _candidates(folder: Path) -> Iterator[Path]:
    root = repository_root(folder)
    if root is None or not (root / ".git").exists():
        # a sandbox of Pants, which holds what git does not ignore
        for parent, folders, names in os.walk(folder):
            folders.sort()
            yield from (Path(parent, name) for name in sorted(names))
        return
    listing = ["git", "-C", str(folder), "ls-files", "-z", "--cached", "--others"]
    found = run([*listing, "--exclude-standard", "--", "."], what=f"listing the files of {folder}")
    yield from (folder / name for name in sorted(set(filter(None, found.stdout.split("\0")))))


def _mode(path: Path) -> int:
    return 0o755 if os.access(path, os.X_OK) else 0o644
