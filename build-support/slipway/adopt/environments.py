"""Recognise shipped execution environments, and the versions of the packages in them."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from packaging.utils import canonicalize_name

from slipway.check.foreign.discover import SourceModel

MODEL_DIRECTORY = "$$TRITON_MODEL_DIRECTORY"
ARCHIVES = (".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tar.xz", ".zip")
# what conda-pack, venv and virtualenv write
MARKS = ("bin/activate", "conda-meta/history", "bin/conda-unpack", "pyvenv.cfg")
FIRST = 2_000  # members of an archive of unknown purpose that are looked at
INSTALLED = re.compile(r"site-packages/([A-Za-z0-9_.]+)-([^-/]+)\.(?:dist|egg)-info(?:/|$)")


def named_environment(model: SourceModel) -> Path | None:
    """Return the archive or folder that ``EXECUTION_ENV_PATH`` names, if it is in the source."""
    value = model.config.environment if model.config is not None else ""
    if not value.startswith(MODEL_DIRECTORY):
        return None
    path = model.directory / value.removeprefix(MODEL_DIRECTORY).lstrip("/")
    return path.resolve() if path.exists() else None


def is_environment(path: Path) -> bool:
    """Return whether a file or folder is an execution environment, whatever its name."""
    if path.is_dir():
        return any((path / mark).exists() for mark in MARKS)
    if not path.name.endswith(ARCHIVES):
        return False
    names = {name.removeprefix("./") for name in islice(_members(path), FIRST)}
    return any(name.endswith(MARKS) or name.endswith("/python3") for name in names)


def installed_versions(path: Path) -> dict[str, str]:
    """Return the versions of the Python packages in an environment, by their canonical names."""
    names: Iterable[str] = _members(path)
    if path.is_dir():
        names = (f"site-packages/{found.name}" for found in path.glob("lib/*/site-packages/*-info"))
    matches = filter(None, map(INSTALLED.search, names))
    return {canonicalize_name(match[1]): match[2] for match in matches}


def _members(path: Path) -> Iterator[str]:
    """Yield the names in an archive; none if it is not one, or until it is cut off."""
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                yield member.name
    except (tarfile.TarError, OSError, EOFError):
        return
