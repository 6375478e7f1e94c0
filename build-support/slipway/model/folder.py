"""Read a folder under ``models/``: one Triton model repository and the sources it is built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import semver

from slipway.errors import SlipwayError
from slipway.triton import config
from slipway.triton.config import ModelConfig

if TYPE_CHECKING:
    from slipway.model.pointer import Pointer

VERSION_FILE = "model_version.txt"
ENSEMBLE = "ensemble"
# files for git, DVC, Pants or Python in a model's folder, which do not belong in an artifact
LEFT_OUT_NAMES = {"BUILD", "BUILD.pants", "README.md", "py.typed"}
SIGNATURE = ".signature.json"  # suffix of the file that describes a pointer's weights
LEFT_OUT_ENDINGS = (".pyc", ".dvc", SIGNATURE)


@dataclass(frozen=True)
class ModelFolder:
    """A model repository under ``models/``.

    ``ensemble`` is the model that an endpoint serves: the ensemble, or the only model of the
    folder. ``composing`` are the others, in the order of the ensemble's steps.
    """

    path: Path
    name: str
    version: str
    ensemble: str
    composing: tuple[str, ...]
    configs: Mapping[str, ModelConfig]
    requirements: Path
    lock: Path
    pointer_files: tuple[Path, ...]

    @cached_property
    def pointers(self) -> tuple[Pointer, ...]:
        """Return the DVC pointers, each of them read once.

        Raises:
            SlipwayError: one of them is malformed.
        """
        # imports a YAML library, which most uses of a folder do not need
        from slipway.model.pointer import load_pointer

        return tuple(map(load_pointer, self.pointer_files))

    @property
    def models(self) -> tuple[str, ...]:
        """Return every Triton model of the folder, composing models first."""
        return (*self.composing, self.ensemble) if self.composing else (self.ensemble,)

    @property
    def python_models(self) -> tuple[str, ...]:
        """Return the models of the Python backend, in the order of the steps."""
        return tuple(name for name in self.models if self.configs[name].backend == "python")

    @property
    def artifact_name(self) -> str:
        """Return the artifact's file name: ``<name>_<release version>.tar.gz``."""
        return f"{self.name}_{self.version}.tar.gz"


def find_models(root: Path) -> list[Path]:
    """Return the model folders below ``root/models``, sorted."""
    return sorted(file.parent for file in (root / "models").glob(f"*/{VERSION_FILE}"))


def read_model_folder(path: Path) -> ModelFolder:
    """Read the model folder ``path``.

    Raises:
        SlipwayError: a part is missing or contradicts another; names the file.
    """
    if not path.is_dir():
        raise SlipwayError("no such model folder", where=str(path), fix="name a folder of models/")
    directories = sorted(file.parent for file in path.glob(f"*/{config.FILE_NAME}"))
    if not directories:
        raise SlipwayError(
            f"no model in it: no subfolder has a {config.FILE_NAME}",
            where=str(path),
            fix=f"add {path.name}_pipeline/{config.FILE_NAME} and its composing models",
        )
    configs = {
        directory.name: config.load_config(directory / config.FILE_NAME)
        for directory in directories
    }
    ensemble = _served_model(path, configs)
    _refuse_other_names(path, configs, ensemble)
    return ModelFolder(
        path=path,
        name=path.resolve().name,
        version=read_version(path / VERSION_FILE),
        ensemble=ensemble,
        composing=_steps(path / ensemble, configs, ensemble),
        configs=configs,
        requirements=path / "requirements.txt",
        lock=path / "requirements.lock",
        pointer_files=tuple(
            sorted(file for name in configs for file in (path / name).rglob("*.dvc"))
        ),
    )


def source_files(model: ModelFolder) -> dict[str, Path]:
    """Return the files to pack, by their name in the artifact, without weights under DVC.

    Raises:
        SlipwayError: a link leads out of the model's folder.
    """
    files: dict[str, Path] = {}
    inside = model.path.resolve()
    weights = {pointer.with_suffix("") for pointer in model.pointer_files}
    for name in model.models:
        for file in sorted((model.path / name).rglob("*")):
            relative = file.relative_to(model.path)
            if any(part.startswith(".") or part == "__pycache__" for part in relative.parts):
                continue
            if any(file.is_relative_to(weight) for weight in weights):
                continue  # DVC may link them into its cache
            if not file.resolve().is_relative_to(inside):
                raise SlipwayError(
                    "a link that leads out of the model's folder",
                    where=str(file),
                    fix="copy the file into the folder",
                )
            if file.is_dir():
                continue
            if file.name in LEFT_OUT_NAMES or file.name.endswith(LEFT_OUT_ENDINGS):
                continue
            files[relative.as_posix()] = file
    return files


def _refuse_other_names(path: Path, configs: Mapping[str, ModelConfig], served: str) -> None:
    """Refuse a composing model with another name than its directory's, by which it is found.

    The endpoint maps the name of the served model, which may differ.
    """
    for name, parsed in configs.items():
        if parsed.name and name not in (parsed.name, served):
            raise SlipwayError(
                f"its name is {parsed.name!r}, its folder's {name!r}: Triton refuses that",
                where=str(path / name / config.FILE_NAME),
                fix=f'name: "{name}"',
            )


def read_version(path: Path) -> str:
    """Return the release version that the file ``path`` holds.

    Raises:
        SlipwayError: it is missing, or not a semantic version.
    """
    try:
        version = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError as error:
        raise SlipwayError("no such file", where=str(path), fix="write 0.1.0 into it") from error
    if not semver.Version.is_valid(version):
        raise SlipwayError(
            f"{version!r} is not a semantic version",
            where=f"{path}:1",
            fix="use a version such as 1.2.0",
        )
    return version


def _served_model(path: Path, configs: Mapping[str, ModelConfig]) -> str:
    ensembles = [name for name, parsed in configs.items() if parsed.platform == ENSEMBLE]
    if len(ensembles) == 1:
        return ensembles[0]
    if len(configs) == 1:
        return next(iter(configs))
    if ensembles:
        raise SlipwayError(
            f"{len(ensembles)} ensembles ({', '.join(ensembles)}): an endpoint serves one",
            where=str(path),
            fix="keep one here and give the other a folder of its own",
        )
    raise SlipwayError(
        f"{len(configs)} models and no ensemble: an arbitrary one would be served",
        where=str(path),
        fix="give each model a folder of its own; or, if they belong together, add an ensemble: a"
        f' {config.FILE_NAME} with platform: "ensemble"',
    )


def _steps(directory: Path, configs: Mapping[str, ModelConfig], ensemble: str) -> tuple[str, ...]:
    if configs[ensemble].platform != ENSEMBLE:
        return ()
    steps = list(dict.fromkeys(s.model_name for s in configs[ensemble].ensemble_scheduling.step))
    for number, name in enumerate(steps, start=1):
        if name not in configs:
            raise SlipwayError(
                f"step {number}: no model {name!r} in {directory.parent}/",
                where=str(directory / config.FILE_NAME),
                fix=f"add {directory.parent}/{name}/ or correct model_name in the step",
            )
    # a model that another one's code calls (BLS) is not a step, but is packed with the others
    return (*steps, *sorted(set(configs) - set(steps) - {ensemble}))
