"""A model folder, its weights and its environment, streamed into one artifact."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from importlib.util import cache_from_source
from pathlib import Path
from typing import BinaryIO, Literal, cast

import slipway
from slipway.archive.writer import TarGzWriter
from slipway.artifact import manifest
from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import Manifest
from slipway.environment import ExecutionEnvironment, bytecode
from slipway.errors import SlipwayError
from slipway.files import atomic_write
from slipway.model.folder import ModelFolder, source_files
from slipway.triton import config

ENVIRONMENT = "python_env"
KEYWORD = "$$TRITON_MODEL_DIRECTORY"  # the value has to begin with it (Triton's Python backend)
PARAMETER = "EXECUTION_ENV_PATH"


def pack(
    model: ModelFolder,
    environment: ExecutionEnvironment | None,
    weight_files: Mapping[Path, Path],
    output: Path,
    layout: Literal["directory", "archive"] = "directory",
) -> Artifact:
    """Write ``model``'s artifact to ``output``.

    ``weight_files`` maps each file of the weights, where it belongs below ``model.path``, to where
    its verified bytes are. The environment's compressed members are copied as they are.

    Raises:
        SlipwayError: a model has no version directory with a file in it, a config has an
            ``EXECUTION_ENV_PATH`` of its own, or Python models lack an environment.
    """
    files = source_files(model)
    contents = {name: file.read_bytes() for name, file in files.items()}
    placed = _weights(model, weight_files)
    described: dict[str, object] | None = None
    if model.python_models:
        if environment is None:
            raise SlipwayError(
                "its Python models need an execution environment",
                where=str(model.path),
                fix=f"add {model.requirements.name}, then slipway lock {model.path}",
            )
        home = f"{model.python_models[0]}/{_place(environment, layout)}"
        described = {**asdict(environment), "layout": layout, "path": home}
        described.pop("folder")
        for name in model.python_models:
            _point(contents, model, name, home)
    _check_versions(model, contents, placed)
    served = Manifest(
        name=model.name,
        version=model.version,
        serves=model.ensemble,
        sources={name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
        weights=_provenance(model),
        environment=described,
        builder=f"slipway {slipway.__version__}",
    )
    compiled = _compiled(files)
    with atomic_write(output) as aside, aside.open("wb") as file:
        hashed = _Hashed(file)
        with TarGzWriter(cast(BinaryIO, hashed)) as writer:
            writer.add_bytes(_manifest_name(model, [*contents, *placed]), served.dump())
            for name, data in sorted((contents | compiled).items()):
                writer.add_bytes(name, data)
            for name, path in sorted(placed.items()):
                writer.add_file(name, path)
            if environment is not None and described is not None:
                if layout == "directory":
                    writer.add_members(environment.archive, f"{described['path']}/")
                else:
                    writer.add_file(str(described["path"]), environment.archive)
    digest = hashed.sha256.hexdigest()
    return Artifact(output, sha256=digest, size=hashed.size, manifest=served)


def environment_value(name: str, home: str) -> str:
    """What ``EXECUTION_ENV_PATH`` says in the model ``name``, of an environment that lies at
    ``home`` in the artifact."""
    owner, _, rest = home.partition("/")
    return f"{KEYWORD}/{rest}" if owner == name else f"{KEYWORD}/../{home}"


class _Hashed:
    """A file whose bytes are hashed on their way."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        self.size += len(data)
        return self._file.write(data)


def _place(environment: ExecutionEnvironment, layout: str) -> str:
    if layout == "directory":
        return ENVIRONMENT
    # the server's cache key is path and mtime, and ours is fixed: the name has to tell contents
    return f"{ENVIRONMENT}_{environment.sha256[:12]}.tar.gz"


def _weights(model: ModelFolder, weight_files: Mapping[Path, Path]) -> dict[str, Path]:
    return {
        place.relative_to(model.path).as_posix(): source for place, source in weight_files.items()
    }


def _compiled(files: Mapping[str, Path]) -> dict[str, bytes]:
    """The bytecode of every Python source, where the import system looks for it.

    Without it the first load writes ``__pycache__``, which changes the directory's time: Triton
    then takes the model for changed and restarts it when another one is loaded.
    """
    with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
        compiled = {
            Path(cache_from_source(name)).as_posix(): (Path(folder, name + "c"), name)
            for name in files
            if name.endswith(".py")
        }
        bytecode.compile_all(
            [bytecode.SourceFile(files[name], name, target) for target, name in compiled.values()]
        )
        return {
            place: target.read_bytes()
            for place, (target, _) in compiled.items()
            if target.exists()  # what is not valid Python has no bytecode
        }


def _provenance(model: ModelFolder) -> dict[str, dict[str, object]]:
    return {
        pointer.path.relative_to(model.path).as_posix(): {"md5": pointer.md5, "size": pointer.size}
        for pointer in model.pointers
    }


def _point(contents: dict[str, bytes], model: ModelFolder, name: str, home: str) -> None:
    """Append the environment's path to a Python model's config; the rest stays as it is written."""
    file = f"{name}/{config.FILE_NAME}"
    value = environment_value(name, home)
    own = model.configs[name].parameters
    if PARAMETER in own:
        if own[PARAMETER].string_value == value:
            return
        raise SlipwayError(
            f"{PARAMETER} is {own[PARAMETER].string_value!r}, packing writes {value!r}",
            where=str(model.path / file),
            fix=f"remove the parameter {PARAMETER}: packing adds it",
        )
    line = f'parameters {{ key: "{PARAMETER}" value {{ string_value: "{value}" }} }}\n'
    contents[file] = contents[file].rstrip(b"\n") + b"\n" + line.encode()


def _check_versions(
    model: ModelFolder, contents: Mapping[str, bytes], placed: Mapping[str, Path]
) -> None:
    for name in model.models:
        if name == model.ensemble and model.composing:
            continue  # its version directory holds the manifest
        if not _versions(name, [*contents, *placed]):
            raise SlipwayError(
                "no model version: it needs a folder named by a number, with a file in it",
                where=str(model.path / name),
                fix=f"put the model's files into {model.path / name / '1'}/",
            )


def _versions(name: str, files: list[str]) -> list[int]:
    parts = [file.split("/") for file in files]
    return sorted(int(p[1]) for p in parts if p[0] == name and len(p) > 2 and p[1].isdigit())


def _manifest_name(model: ModelFolder, files: list[str]) -> str:
    versions = _versions(model.ensemble, files) or [1]
    return f"{model.ensemble}/{versions[-1]}/{manifest.FILE_NAME}"
