"""A folder's files without its links: what unpacks a tarball on an endpoint is not known."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from slipway.errors import SlipwayError


def resolved(folder: Path) -> dict[str, Path]:
    """Every file below ``folder`` by its name, through links, which become copies.

    Of a shared library's several names (``libz.so`` → ``libz.so.1.3`` ← ``libz.so.1``) only those
    stay that loaders ask for: linkers want the first, nobody the second.

    Raises:
        SlipwayError: a link leads out of the folder.
    """
    root = folder.resolve()
    files: dict[str, Path] = {}
    for name, path in _entries(folder):
        real = path.resolve()
        if not real.exists():
            continue  # a dangling link has nothing to copy
        if not real.is_relative_to(root):
            raise SlipwayError(
                f"{name} in the environment leads out of it",
                fix="remove the package that brings it from requirements.txt",
            )
        if not real.is_dir():
            files[name] = real
            continue
        for below in sorted(real.rglob("*")):
            if below.is_file():
                files[f"{name}/{below.relative_to(real).as_posix()}"] = below.resolve()
    return _one_name_each(files, root)


def _entries(folder: Path) -> list[tuple[str, Path]]:
    found = []
    for above, folders, files in os.walk(folder):
        linked = [name for name in folders if Path(above, name).is_symlink()]
        for entry in files + linked:
            path = Path(above, entry)
            found.append((path.relative_to(folder).as_posix(), path))
    return found


def _one_name_each(files: dict[str, Path], root: Path) -> dict[str, Path]:
    names: dict[Path, list[str]] = {}
    for name, real in files.items():
        if ".so" in PurePosixPath(name).name:
            names.setdefault(real, []).append(name)
    unwanted: set[str] = set()
    for real, several in names.items():
        own = real.relative_to(root).as_posix()
        loaded = {name for name in several if name != own and ".so." in name}
        if len(several) > 1:
            unwanted |= set(several) - (loaded or {own})
    return {name: real for name, real in files.items() if name not in unwanted}
