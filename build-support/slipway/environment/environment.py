"""A built execution environment, in the cache or next to an artifact that is being packed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from slipway.archive import index
from slipway.errors import SlipwayError
from slipway.unchanged import remembered

ARCHIVE = "environment.tar.gz"
METADATA = "environment.json"
FILES = (ARCHIVE, ARCHIVE + index.SUFFIX, METADATA)


@dataclass(frozen=True)
class Package:
    """A package in an environment.

    ``source`` is "pip", the conda channel, or folder and digest of a package of the repository:
    ``libs/words@sha256:<64 digits>``.
    """

    name: str
    version: str
    source: str


@dataclass(frozen=True)
class LeftOut:
    """What ``pruned.txt`` left out: ``digest`` is that of the list, ``size`` in bytes."""

    digest: str
    files: int
    size: int


@dataclass(frozen=True)
class ExecutionEnvironment:
    """``folder`` holds the archive, its index and ``environment.json``, with the other fields.

    ``zipped`` has the modules of each package that is in the zip, ``unzipped`` why others are not.
    """

    folder: Path
    sha256: str  # of the archive
    python: str  # "3.12.1"
    platform: str  # conda's name, "linux-64"
    interpreter: str  # where Python came from: "local CPython 3.12.1", or its channel
    packages: tuple[Package, ...]
    lock: str  # SHA-256 of the lock's content
    size: int  # bytes of the archive
    unpacked: int  # bytes of its files
    files: int
    zipped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unzipped: Mapping[str, str] = field(default_factory=dict)
    pruned: LeftOut | None = None

    @property
    def archive(self) -> Path:
        """Return the path of the canonical archive, whose root holds ``bin/activate``."""
        return self.folder / ARCHIVE


@remembered
def load_environment(folder: Path) -> ExecutionEnvironment:
    """Read the environment in ``folder``.

    Raises:
        SlipwayError: a file is missing or ``environment.json`` was not written by this version.
    """
    for name in FILES:
        if not (folder / name).is_file():
            raise SlipwayError(
                f"no execution environment here: {name} is missing",
                where=str(folder),
                fix="build it: slipway environment build models/NAME/requirements.lock",
            )
    metadata = folder / METADATA
    try:
        values = json.loads(metadata.read_text(encoding="utf-8"))
        packages = tuple(Package(**package) for package in values.pop("packages"))
        zipped = {name: tuple(modules) for name, modules in values.pop("zipped").items()}
        left_out = values.pop("pruned")
        return ExecutionEnvironment(
            folder=folder,
            packages=packages,
            zipped=zipped,
            pruned=LeftOut(**left_out) if left_out else None,
            **values,
        )
    except (ValueError, TypeError, KeyError) as error:
        raise SlipwayError(
            f"not written by this version of Slipway: {error}",
            where=str(metadata),
            fix="build the environment again",
        ) from error


def save_environment(environment: ExecutionEnvironment) -> None:
    """Write ``environment.json``."""
    values = asdict(environment)
    del values["folder"]
    text = json.dumps(values, indent=2, sort_keys=True) + "\n"
    (environment.folder / METADATA).write_text(text, encoding="utf-8")
