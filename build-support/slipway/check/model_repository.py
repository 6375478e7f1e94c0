"""All model folders of a checkout: what a check of one may ask of the others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from slipway.check.finding import Location
from slipway.check.ignored_files import IgnoredFiles
from slipway.model.folder import VERSION_FILE
from slipway.settings import Settings
from slipway.triton.config import FILE_NAME

ALL = "*"  # among the asked names: the names of all folders


class ModelRepository:
    """All model folders of a checkout, for what must be unique among them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.calls: dict[Path, Mapping[str, Location]] = {}  # of bls_calls.py, by folder
        self.asked: set[str] = set()  # the names that were looked up among the models

    @cached_property
    def ignored_files(self) -> IgnoredFiles:
        """Return the files of the models that git ignores."""
        return IgnoredFiles(self.settings.root / "models")

    @cached_property
    def folders(self) -> list[Path]:
        """Return the folders in ``models/`` that have a release version or a config."""
        marks = (VERSION_FILE, *(f"{depth}{FILE_NAME}" for depth in ("", "*/", "*/*/")))
        return [
            folder
            for folder in sorted((self.settings.root / "models").glob("*/"))
            if any(next(folder.glob(mark), None) for mark in marks)
        ]

    def owners_of(self, name: str) -> list[Path]:
        """Return the checkout's Triton model directories of a name."""
        self.asked.add(name)
        return self._owners.get(name, [])

    def folder_names(self) -> set[str]:
        """Return the names of all model folders."""
        self.asked.add(ALL)
        return {folder.name for folder in self.folders}

    @cached_property
    def _owners(self) -> Mapping[str, list[Path]]:
        directories: dict[str, list[Path]] = {}
        models = self.settings.root / "models"
        for folder in _subfolders(models):
            for name in _subfolders(models / folder):
                if os.path.exists(f"{models}/{folder}/{name}/{FILE_NAME}"):
                    directories.setdefault(name, []).append(models / folder / name)
        return directories


def _subfolders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            listed = list(entries)
    except OSError:  # it is missing, or may not be read
        return []
    folders = (e for e in listed if e.is_dir(follow_symlinks=False) or os.path.isdir(e.path))
    return sorted(folder.name for folder in folders)
