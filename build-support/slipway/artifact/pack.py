"""Pack a model folder, its weights and its environment into one artifact, as a stream."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from importlib.util import cache_from_source
from pathlib import Path
from typing import Literal

import slipway
from slipway.archive.writer import TarGzWriter
from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import FILE_NAME, Manifest
from slipway.environment import ExecutionEnvironment, bytecode
from slipway.errors import SlipwayError
from slipway.files import HashingWriter, atomic_write
from slipway.model.capture_rules import load_capture_rules, refuse_unknown_tensors
from slipway.model.folded import is_folded, load_fold
from slipway.model.folder import ModelFolder, source_files
from slipway.model.original import FOLDER, load_record, replaced_files, served_md5
from slipway.profile.of_folder import read_profile_file
from slipway.profile.profile import FILE_NAME as PROFILE
from slipway.triton import config
from slipway.triton.environment_path import ENVIRONMENT, PARAMETER, environment_value
from slipway.triton.image.environments import image_path


def pack(
    model: ModelFolder,
    environment: ExecutionEnvironment | None,
    weight_files: Mapping[Path, Path],
    output: Path,
    layout: Literal["directory", "archive", "image"] = "directory",
) -> Artifact:
    """Write ``model``'s artifact to ``output``.

    With the layout ``image`` it is code and weights alone: its configs name the environment's place
    in the image that serves, by the environment's digest.

    ``weight_files`` maps the path of each file of the weights below ``model.path`` to the file with
    its verified bytes. The environment's compressed members are copied as they are.

    Raises:
        SlipwayError: a model has no version directory with a file in it, a config has an
            ``EXECUTION_ENV_PATH`` of its own, or Python models lack an environment; its profile is
            damaged; or its ``capture.toml`` is invalid, or names a tensor that it does not have.
    """
    files = source_files(model)
    contents = {name: file.read_bytes() for name, file in files.items()}
    weights = _weights(model, weight_files)
    profile = read_profile_file(model.path)
    description: dict[str, object] | None = None
    if model.python_models:
        if environment is None:
            raise SlipwayError(
                "its Python models need an execution environment",
                where=str(model.path),
                fix=f"add {model.requirements.name}, then slipway lock {model.path}",
            )
        home = f"{model.python_models[0]}/{_environment_name(environment, layout)}"
        if layout == "image":
            home = image_path(environment.sha256)
        description = {**asdict(environment), "layout": layout, "path": home}
        description.pop("folder")
        for name in model.python_models:
            _add_parameter(contents, model, name, home)
    _check_versions(model, contents, weights)
    place = _manifest_name(model, [*contents, *weights])
    if profile is not None:
        contents[f"{place.rpartition('/')[0]}/{PROFILE}"] = profile
    manifest = Manifest(
        name=model.name,
        version=model.version,
        serves=model.ensemble,
        sources={name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
        weights=_provenance(model),
        environment=description,
        builder=f"slipway {slipway.__version__}",
        conversion=_conversion(model),
        fold=_fold(model),
        capture=_capture(model),
    )
    bytecodes = _compile(files)
    # nearly all of it, and more than is written where the weights compress
    size = sum(path.stat().st_size for path in weights.values())
    size += environment.size if environment and layout != "image" else 0
    with atomic_write(output, size) as temporary, temporary.open("wb") as file:
        hashing = HashingWriter(file)
        with TarGzWriter(hashing) as writer:
            writer.add_bytes(place, manifest.dump())
            for name, data in sorted((contents | bytecodes).items()):
                writer.add_bytes(name, data)
            for name, path in sorted(weights.items()):
                writer.add_file(name, path)
            if environment is not None and description is not None:
                if layout == "directory":
                    writer.add_members(environment.archive, f"{description['path']}/")
                elif layout == "archive":
                    writer.add_file(str(description["path"]), environment.archive)
    return Artifact(output, sha256=hashing.sha256, size=hashing.size, manifest=manifest)


def packed_config(data: bytes, name: str, home: str) -> bytes:
    """Return the ``config.pbtxt`` of the Python model ``name`` as it is packed: ``data``, and the
    path of the environment at ``home`` in the artifact."""
    value = environment_value(name, home)
    line = f'parameters {{ key: "{PARAMETER}" value {{ string_value: "{value}" }} }}\n'
    return data.rstrip(b"\n") + b"\n" + line.encode()


def _environment_name(environment: ExecutionEnvironment, layout: str) -> str:
    if layout == "directory":
        return ENVIRONMENT
    # the server's cache key is path and mtime, and the mtime is fixed: the name has to differ
    return f"{ENVIRONMENT}_{environment.sha256[:12]}.tar.gz"


def _weights(model: ModelFolder, weight_files: Mapping[Path, Path]) -> dict[str, Path]:
    return {
        path.relative_to(model.path).as_posix(): source for path, source in weight_files.items()
    }


def _compile(files: Mapping[str, Path]) -> dict[str, bytes]:
    """Return the bytecode of every Python source, by the path where imports look for it.

    Without it the first load writes ``__pycache__``, which changes the directory's time: Triton
    then considers the model changed and restarts it when another one is loaded.
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
            path: target.read_bytes()
            for path, (target, _) in compiled.items()
            if target.exists()  # a file of invalid Python has no bytecode
        }


def _provenance(model: ModelFolder) -> dict[str, dict[str, object]]:
    return {
        pointer.path.relative_to(model.path).as_posix(): {"md5": pointer.md5, "size": pointer.size}
        for pointer in model.pointers
    }


def _conversion(model: ModelFolder) -> dict[str, object] | None:
    """Return the record of the conversion, if it is what is served.

    Raises:
        SlipwayError: the served files are not those that were converted.
    """
    record = load_record(model.path)
    replaced = replaced_files(model.path, record) if record is not None else []
    if replaced:
        raise SlipwayError(
            f"not what was converted from the original: {', '.join(map(str, replaced))}",
            where=str(model.path),
            fix=f"slipway weights convert {model.name} --add serves that;"
            f" to serve other weights, remove {model.path / FOLDER} and dvc.yaml",
        )
    return record


def _fold(model: ModelFolder) -> dict[str, object] | None:
    """Return the record of the fold, if its graph is what is served.

    Raises:
        SlipwayError: another graph is served.
    """
    if not is_folded(model.path):
        return None
    record = load_fold(model.path)
    if served_md5(model.path / record.graph) != record.md5:
        raise SlipwayError(
            f"not what was folded: {record.graph}",
            where=str(model.path),
            fix=f"slipway fold {model.name}; to serve another graph, remove {model.path}/folded",
        )
    return {**vars(record), "sources": dict(record.sources)}


def _capture(model: ModelFolder) -> dict[str, object] | None:
    """Return what ``capture.toml`` says of the served model's tensors.

    Raises:
        SlipwayError: it is invalid, or names a tensor that the model does not have.
    """
    rules = load_capture_rules(model.path)
    if rules is None:
        return None
    served = model.configs[model.ensemble]
    inputs, outputs = ([t.name for t in side] for side in (served.input, served.output))
    refuse_unknown_tensors(rules, inputs, outputs, model.path)
    return rules.dump()


def _add_parameter(contents: dict[str, bytes], model: ModelFolder, name: str, home: str) -> None:
    """Append the environment's path to a Python model's config; keep the rest as it is written."""
    file = f"{name}/{config.FILE_NAME}"
    value = environment_value(name, home)
    parameters = model.configs[name].parameters
    if PARAMETER in parameters:
        if parameters[PARAMETER].string_value == value:
            return
        raise SlipwayError(
            f"{PARAMETER} is {parameters[PARAMETER].string_value!r}, packing writes {value!r}",
            where=str(model.path / file),
            fix=f"remove the parameter {PARAMETER}: packing adds it",
        )
    contents[file] = packed_config(contents[file], name, home)


def _check_versions(
    model: ModelFolder, contents: Mapping[str, bytes], weights: Mapping[str, Path]
) -> None:
    for name in model.models:
        if name == model.ensemble and model.composing:
            continue  # its version directory holds the manifest
        if not _versions(name, [*contents, *weights]):
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
    return f"{model.ensemble}/{versions[-1]}/{FILE_NAME}"
