"""A folder under ``models/``, whatever serves its model: Triton, or a container of its own."""

from __future__ import annotations

from pathlib import Path

from slipway.model.container_folder import (
    ContainerFolder,
    container_files,
    is_container,
    read_container_folder,
)
from slipway.model.folder import ModelFolder, read_model_folder, source_files

type AnyFolder = ModelFolder | ContainerFolder


def read_any_folder(path: Path) -> AnyFolder:
    """Read the model folder ``path``.

    Raises:
        SlipwayError: a part is missing or contradicts another; names the file.
    """
    return read_container_folder(path) if is_container(path) else read_model_folder(path)


def packed_root(model: AnyFolder) -> Path:
    """Return the folder that becomes the artifact's root."""
    return model.contents if isinstance(model, ContainerFolder) else model.path


def packed_sources(model: AnyFolder) -> dict[str, Path]:
    """Return the files to pack from the folder, by their name in the artifact, without weights.

    Raises:
        SlipwayError: a link leads out of the model's folder.
    """
    return container_files(model) if isinstance(model, ContainerFolder) else source_files(model)
