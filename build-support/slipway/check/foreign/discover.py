"""Find the Triton models below a path, wherever their repositories begin."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from slipway.check.foreign.config_text import ConfigText, read_config
from slipway.check.model_files import FOREST_NAMES, GRAPHDEF, NAMES, POINTER, SAVED_MODEL
from slipway.errors import SlipwayError
from slipway.triton.config import FILE_NAME, ModelConfig, schema

# deeper folders are those of a project in which a repository is only a part
DEEPEST = 8
IGNORED = {"node_modules", "site-packages", "__pycache__", "venv", "env"}
# names under which people keep a config that is not complete yet
OTHER_NAMES = ("config.pbtxt.", "config.pbtext", "config.prototxt", "config.txt")
LOOKS_LIKE = re.compile(r"^\s*(backend|platform|ensemble_scheduling)\b", re.MULTILINE)
WEIGHTS = {
    *(name for names in NAMES.values() for name in names),
    *FOREST_NAMES.values(),
    GRAPHDEF,
    SAVED_MODEL,
}


@dataclass(frozen=True)
class SourceModel:
    """A Triton model directory of the source; ``config`` lies in it or in a version directory."""

    directory: Path
    config: ConfigText | None

    @property
    def name(self) -> str:
        """Return the name of the directory, by which the server knows the model."""
        return self.directory.name

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names by which others may call it: its directory's and its config's."""
        return tuple(dict.fromkeys(filter(None, (self.name, self.message.name))))

    @property
    def message(self) -> ModelConfig:
        """Return its config; an empty one if there is none that can be read."""
        return self.config.message if self.config is not None else schema().ModelConfig()

    @property
    def is_ensemble(self) -> bool:
        """Return whether it is meant to be an ensemble."""
        return self.config is not None and self.config.is_ensemble

    @property
    def backend(self) -> str:
        """Return the backend that its config names, or else the one that its files belong to."""
        named = self.config.backend if self.config is not None else ""
        return named if named or self.is_ensemble else self._backend_of_files

    @cached_property
    def versions(self) -> tuple[int, ...]:
        """Return the numbers of its version directories, ascending."""
        return tuple(sorted(int(path.name) for path in _version_directories(self.directory)))

    @cached_property
    def _backend_of_files(self) -> str:
        folders = [self.directory, *_version_directories(self.directory)]
        names = {path.name for folder in folders for path in folder.iterdir()}
        for backend, files in NAMES.items():
            if any(file in names or file + POINTER in names for file in files):
                return backend
        return "fil" if names & set(FOREST_NAMES.values()) else ""


def find_source_models(path: Path, values: Mapping[str, str]) -> list[SourceModel]:
    """Return the Triton models in ``path``, which is a repository, is above one, or is a model.

    Links to folders are not followed. ``values`` fill the templates in configs.

    Raises:
        SlipwayError: there is no folder, or no model.
    """
    if not path.is_dir():
        archive = path.is_file() and path.name.endswith((".tar.gz", ".tgz", ".tar"))
        raise SlipwayError(
            "not a folder" if path.exists() else "no such folder",
            where=str(path),
            fix=(
                f"mkdir DIR && tar -xf {path} -C DIR, then slipway adopt DIR"
                if archive
                else "name the folder of a Triton model repository"
            ),
        )
    models = [_read_model(directory, values) for directory in _walk(path, 0)]
    if not models:
        pulled = "dvc pull there first; or " if next(path.rglob(f"*{POINTER}"), None) else ""
        raise SlipwayError(
            f"no Triton model in it: no folder has a {FILE_NAME}, or a version directory with a"
            " model's file",
            where=str(path),
            fix=f"{pulled}name the folder that tritonserver's --model-repository names; for one"
            " file of weights: slipway new NAME --from FILE",
        )
    return models


def models_in(repository: Path) -> list[SourceModel]:
    """Return the Triton models that lie in the folder ``repository``, not those in its folders."""
    return [_read_model(folder, {}) for folder in _folders(repository) if is_model(folder)]


def _read_model(directory: Path, values: Mapping[str, str]) -> SourceModel:
    file = config_file(directory)
    return SourceModel(directory, read_config(file, values) if file is not None else None)


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    is_one = is_model(folder)
    if is_one and (_version_directories(folder) or _is_ensemble(folder)):
        yield folder
        return
    below = [
        model
        for path in (_folders(folder) if depth < DEEPEST else ())
        if not path.name.startswith(".") and path.name not in IGNORED
        for model in _walk(path, depth + 1)
    ]
    # a stray config above a repository is no model
    yield from [folder] if is_one and not below else below


def _is_ensemble(folder: Path) -> bool:
    file = config_file(folder)
    return file is not None and read_config(file, {}).is_ensemble


def is_model(folder: Path) -> bool:
    """Return whether a folder is that of a Triton model, with or without a config."""
    if folder.name.isdigit():
        return False
    versions = _version_directories(folder)
    if config_file(folder) is not None:
        return True
    names = {
        entry.name.removesuffix(POINTER) for version in versions for entry in version.iterdir()
    }
    return bool(names & WEIGHTS)


def config_file(folder: Path) -> Path | None:
    """Return the config file of a model directory, which may be one level too deep or misnamed."""
    versions = list(reversed(_version_directories(folder)))
    for candidate in (folder, *versions):
        if (candidate / FILE_NAME).is_file():
            return candidate / FILE_NAME
    misnamed = [
        path
        for path in sorted(folder.iterdir())
        if path.name.lower().startswith(OTHER_NAMES) and path.is_file()
    ]
    if not versions:
        misnamed = [
            path for path in misnamed if LOOKS_LIKE.search(path.read_text("utf-8", "replace"))
        ]
    elif not misnamed:
        others = [path for path in sorted(folder.glob("*.pbtxt")) if path.is_file()]
        misnamed = others if len(others) == 1 else []
    return misnamed[0] if misnamed else None


def _version_directories(folder: Path) -> list[Path]:
    numeric = [path for path in _folders(folder) if path.name.isascii() and path.name.isdigit()]
    return sorted(numeric, key=lambda path: int(path.name))


def _folders(folder: Path) -> list[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except PermissionError:
        return []
    return [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
