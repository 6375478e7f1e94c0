"""A folder's files without links: it is unknown what unpacks a tarball on an endpoint."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from slipway.errors import SlipwayError


def resolve_links(folder: Path) -> dict[str, Path]:
    """Return every file below ``folder`` by its name; links become copies of their targets.

    Of a shared library's names (``libz.so`` → ``libz.so.1.3`` ← ``libz.so.1``) only those remain
    that loaders use: only linkers use the first, and no program uses the second.

    Raises:
        SlipwayError: a link points out of the folder.
    """
    root = folder.resolve()
    files: dict[str, Path] = {}
    for name, path in _entries(folder):
        real = path.resolve()
        if not real.exists():
            continue  # a dangling link has nothing to copy
        if not real.is_relative_to(root):
            raise SlipwayError(
                f"the link {name} in the environment points out of it",
                fix="remove the package that contains it from requirements.txt",
            )
        if not real.is_dir():
            files[name] = real
            continue
        for below in sorted(real.rglob("*")):
            if below.is_file():
                files[f"{name}/{below.relative_to(real).as_posix()}"] = below.resolve()
    return _without_duplicate_names(files, root)


def _entries(folder: Path) -> list[tuple[str, Path]]:
    entries = []
    for parent, folders, files in os.walk(folder):
        linked = [name for name in folders if Path(parent, name).is_symlink()]
        for entry in files + linked:
            path = Path(parent, entry)
            entries.append((path.relative_to(folder).as_posix(), path))
    return entries


def _without_duplicate_names(files: dict[str, Path], root: Path) -> dict[str, Path]:
    names: dict[Path, list[str]] = {}
    for name, real in files.items():
        if ".so" in PurePosixPath(name).name:
            names.setdefault(real, []).append(name)
    unwanted: set[str] = set()
    for real, aliases in names.items():
        real_name = real.relative_to(root).as_posix()
        loader_names = {name for name in aliases if name != real_name and ".so." in name}
        if len(aliases) > 1:
            unwanted |= set(aliases) - (loader_names or {real_name})
    return {name: real for name, real in files.items() if name not in unwanted}
