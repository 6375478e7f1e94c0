"""Read a folder under ``models/`` whose model a container of its own serves, not Triton."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.errors import SlipwayError
from slipway.model.folder import (
    LEFT_OUT_ENDINGS,
    LEFT_OUT_NAMES,
    VERSION_FILE,
    read_version,
)

if TYPE_CHECKING:
    from slipway.model.pointer import Pointer

CONTENTS = "container"
MODEL = "/opt/ml/model"  # where SageMaker extracts an artifact, in the container


@dataclass(frozen=True)
class ContainerFolder:
    """The folder ``path``: what is in its ``container/`` becomes ``/opt/ml/model`` of a container
    that has the packages of ``lock``."""

    path: Path
    name: str
    version: str
    pointer_files: tuple[Path, ...]

    @property
    def contents(self) -> Path:
        """Return the folder of code and weights."""
        return self.path / CONTENTS

    @property
    def requirements(self) -> Path:
        """Return the list of the packages that the container's image has."""
        return self.path / "requirements.txt"

    @property
    def lock(self) -> Path:
        """Return the lock of these packages."""
        return self.path / "requirements.lock"

    @cached_property
    def pointers(self) -> tuple[Pointer, ...]:
        """Return the DVC pointers, each of them read once.

        Raises:
            SlipwayError: one of them is malformed.
        """
        from slipway.model.pointer import load_pointer

        return tuple(map(load_pointer, self.pointer_files))

    @property
    def artifact_name(self) -> str:
        """Return the artifact's file name: ``<name>_<release version>.tar.gz``."""
        return f"{self.name}_{self.version}.tar.gz"


def is_container(folder: Path) -> bool:
    """Return whether ``folder`` is laid out for a container: it has ``container/``, and no model of
    Triton."""
    return (folder / CONTENTS).is_dir() and next(folder.glob("*/config.pbtxt"), None) is None


def is_in_container(file: Path) -> bool:
    """Return whether a container opens ``file``: no server of Slipway has to know its format."""
    return any(
        folder.name == CONTENTS and is_container(folder.parent) for folder in file.resolve().parents
    )


def read_container_folder(path: Path) -> ContainerFolder:
    """Read the folder ``path`` of a container's model.

    Raises:
        SlipwayError: it has no ``container/``, or no release version.
    """
    if not is_container(path):
        raise SlipwayError(
            f"no {CONTENTS}/ in it, with the container's code and weights",
            where=str(path),
            fix=f"add {path / CONTENTS / 'code' / 'serve.py'}; or remove [models.{path.name}] from"
            " slipway.toml if Triton serves it",
        )
    return ContainerFolder(
        path,
        path.resolve().name,
        read_version(path / VERSION_FILE),
        tuple(sorted((path / CONTENTS).rglob("*.dvc"))),
    )


def container_files(model: ContainerFolder) -> dict[str, Path]:
    """Return the files to pack, by their path below ``/opt/ml/model``, without weights under DVC.

    Raises:
        SlipwayError: a link leads out of the model's folder.
    """
    weights = {pointer.with_suffix("") for pointer in model.pointer_files}
    files: dict[str, Path] = {}
    for file in sorted(model.contents.rglob("*")):
        relative = file.relative_to(model.contents)
        if any(part.startswith(".") or part == "__pycache__" for part in relative.parts):
            continue
        if file.is_dir() or any(file.is_relative_to(weight) for weight in weights):
            continue
        if not file.resolve().is_relative_to(model.path.resolve()):
            raise SlipwayError(
                "a link that leads out of the model's folder",
                where=str(file),
                fix="copy the file into the folder",
            )
        if file.name not in LEFT_OUT_NAMES and not file.name.endswith(LEFT_OUT_ENDINGS):
            files[relative.as_posix()] = file
    return files
