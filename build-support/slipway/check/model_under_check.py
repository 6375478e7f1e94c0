"""What the rules examine: a model folder as it is on disk, valid or not, read once."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from slipway.check.config_file import ConfigFile
from slipway.check.model_repository import ModelRepository
from slipway.check.python_file import PythonFile, parse_python
from slipway.errors import SlipwayError
from slipway.model.container_folder import is_container
from slipway.model.folder import VERSION_FILE, ModelFolder
from slipway.model.pointer import Pointer, load_pointer
from slipway.triton.config import FILE_NAME, ModelConfig

PACKAGES = "site-packages"


class ModelUnderCheck:
    """One model folder under check."""

    is_single_config = False
    # whether the server gets what lies here, instead of what packing takes
    is_foreign = False

    def __init__(
        self, folder: Path, repository: ModelRepository, model: ModelFolder | None = None
    ) -> None:
        self.folder = folder
        self._model = model
        self.name = folder.resolve().name
        self.repository = repository
        self.settings = repository.settings

    @cached_property
    def is_container(self) -> bool:
        """Return whether a container of its own serves the model, by slipway.toml or its files."""
        declared = self.name in self.settings.containers
        return not (self.is_foreign or self.is_single_config) and (
            declared or is_container(self.folder)
        )

    @cached_property
    def configs(self) -> dict[str, ConfigFile]:
        """Return the folder's configs by the names of their directories, sorted."""
        paths = sorted(self.folder.glob(f"*/{FILE_NAME}"))
        messages = {} if self._model is None else self._model.configs
        return {
            path.parent.name: ConfigFile(path, messages.get(path.parent.name)) for path in paths
        }

    @cached_property
    def directories(self) -> list[Path]:
        """Return the folders that may be models, with a config or without one."""
        if not self.folder.is_dir():
            return []
        names = sorted(os.listdir(self.folder))
        return [self.folder / name for name in names if os.path.isdir(f"{self.folder}/{name}")]

    @cached_property
    def too_deep(self) -> dict[str, Path]:
        """Return the configs in version directories by the model's name; the newest version's.

        Models with a config where the server reads it are left out.
        """
        configs: dict[str, Path] = {}
        for directory in self.directories:
            if os.path.isfile(f"{directory}/{FILE_NAME}"):
                continue
            deep = [
                path
                for path in directory.glob(f"*/{FILE_NAME}")
                if path.parent.name.isascii() and path.parent.name.isdigit()
            ]
            if deep:
                configs[directory.name] = max(deep, key=lambda path: int(path.parent.name))
        return configs

    @property
    def model_names(self) -> set[str]:
        """Return the names of the models, with those that have no config where it belongs."""
        return {*self.configs, *self.too_deep}

    @cached_property
    def parsed(self) -> dict[str, tuple[ConfigFile, ModelConfig]]:
        """Return the configs that parse, with their messages as the server completes them."""
        parsed = {
            name: (config, config.message)
            for name, config in self.configs.items()
            if config.message is not None
        }
        if self.settings.explicit_tensors:
            return parsed
        from slipway.check.graph_completion import complete_config  # for few repositories

        return {
            name: (config, complete_config(config, self.pointer))
            for name, (config, _) in parsed.items()
        }

    @property
    def ensembles(self) -> list[ConfigFile]:
        """Return the configs that are meant to be ensembles."""
        return [config for config in self.configs.values() if config.is_ensemble]

    @property
    def step_names(self) -> set[str]:
        """Return the names of the models that the ensembles call."""
        return {
            step.model_name
            for _, message in self.parsed.values()
            for step in message.ensemble_scheduling.step
        }

    @property
    def served(self) -> ConfigFile | None:
        """Return the only ensemble, or the only model; ``None`` where that is ambiguous."""
        if len(self.ensembles) == 1:
            return self.ensembles[0]
        return next(iter(self.configs.values())) if len(self.configs) == 1 else None

    # the same paths each time: a path keeps its text and its hash

    @cached_property
    def version_file(self) -> Path:
        """Return the path of the file that holds the release version."""
        return self.folder / VERSION_FILE

    @cached_property
    def requirements(self) -> Path:
        """Return the path of the file with the requirements of the Python models."""
        return self.folder / "requirements.txt"

    @cached_property
    def lock(self) -> Path:
        """Return the path of the lock: the requirements, pinned and hashed."""
        return self.folder / "requirements.lock"

    @cached_property
    def modules(self) -> dict[str, list[PythonFile]]:
        """Return the Python files of each model with the Python backend, by the model's name."""
        copies: Counter[str] = Counter()
        return {
            name: [
                parse_python(path, copies)
                for path in sorted(config.directory.rglob("*.py"))
                if PACKAGES not in path.parts  # of an environment that lies here
            ]
            for name, config in self.configs.items()
            if config.backend == "python"
        }

    def pointer(self, file: Path) -> Pointer:
        """Return the content of the DVC pointer ``file``, which is read once.

        Raises:
            SlipwayError: it is malformed.
        """
        if file not in self._pointers:
            self._pointers[file] = load_pointer(file)
        return self._pointers[file]

    @cached_property
    def _pointers(self) -> dict[Path, Pointer]:
        if self._model is None:
            return {}
        try:
            return {pointer.file: pointer for pointer in self._model.pointers}
        except SlipwayError:
            return {}  # a rule reports the malformed one

    def files(self) -> Iterator[Path]:
        """Yield every file and link of the model directories, without hidden ones and caches."""
        yield from self._files

    @cached_property
    def _files(self) -> list[Path]:
        return [path for config in self.configs.values() for path in _walk(config.directory)]


class SingleConfig(ModelUnderCheck):
    """One config on its own, under any file name; the files that belong with it are ignored."""

    is_single_config = True

    def __init__(self, path: Path, repository: ModelRepository) -> None:
        super().__init__(path.parent, repository)
        self.path = path

    @cached_property
    def configs(self) -> dict[str, ConfigFile]:
        """Return this config only."""
        return {self.path.parent.name: ConfigFile(self.path)}

    def files(self) -> Iterator[Path]:
        """Yield this file only."""
        yield self.path


def _walk(directory: Path) -> Iterator[Path]:
    """Yield what is in a directory in the order of paths."""
    with os.scandir(directory) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        if not entry.name.startswith(".") and entry.name != "__pycache__":
            path = directory / entry.name
            yield path
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(path)
