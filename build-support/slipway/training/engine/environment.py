"""The packages of a training: ``training/requirements.lock``, installed once per content.

In the container of a training they are in its image already.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from slipway.cache import mark_used, trim_above_limit
from slipway.environment.packages import uv_program
from slipway.errors import SlipwayError
from slipway.files import atomic_write, cache_dir, locked, sha256_of

LOCK = "training/requirements.lock"  # in the model's folder
IMAGE = "SLIPWAY_TRAINING_ENVIRONMENT"  # the folder in an image, with a copy of its lock
KIND = "training"  # of the cache


def provide_environment(folder: Path) -> Path:
    """Return the environment's folder with the packages of the model in ``folder``.

    Safe when several processes ask at once.

    Raises:
        SlipwayError: there is no lock, or the image has another one; the index cannot be reached,
            or has other files.
    """
    lock = folder / LOCK
    if not lock.is_file():
        raise SlipwayError(
            "its training has no locked packages",
            where=str(lock),
            fix=f"uv pip compile --generate-hashes -o {lock} {lock.with_suffix('.txt')}",
        )
    if built_in := os.environ.get(IMAGE):
        return _of_image(Path(built_in), lock)
    # a virtual environment links to the Python that made it
    parts = [lock.read_bytes(), sys.version.encode(), sys.base_prefix.encode()]
    name = hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]
    environment = cache_dir(KIND) / name
    if not environment.is_dir():
        with locked(environment.with_name(f"{name}.guard")):
            if not environment.is_dir():
                with atomic_write(environment) as sibling:
                    _install(lock, sibling)
                trim_above_limit()
    mark_used(environment)
    return environment


def lock_digest(folder: Path) -> str:
    """Return the SHA-256 of the training's lock in hex; empty if there is none."""
    lock = folder / LOCK
    return sha256_of(lock) if lock.is_file() else ""


def _install(lock: Path, environment: Path) -> None:
    what = f"installing {lock.parent.parent.name}/{LOCK}"
    base: list[str | Path] = [
        "venv",
        "--quiet",
        "--no-project",
        "--relocatable",
        "--python",
        sys.executable,
    ]
    uv_program([*base, environment], what=what)
    python = environment / "bin" / "python"
    install: list[str | Path] = [
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "-r",
        lock,
    ]
    try:
        uv_program([*install, "--python", python], what=what)
    except SlipwayError as error:
        raise SlipwayError(
            error.what,
            where=str(lock),
            fix="reach the package index, then run it again; after a change of a package, lock it "
            "again",
        ) from error


def _of_image(environment: Path, lock: Path) -> Path:
    installed = environment / Path(LOCK).name
    if not installed.is_file() or sha256_of(installed) != sha256_of(lock):
        raise SlipwayError(
            f"the image's packages, {installed}, are not those of this lock",
            where=str(lock),
            fix="build the image of this commit: ci/image training",
        )
    return environment
