"""Build a model's artifact from its folder, for ``slipway build`` and the goals of Pants."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Literal

from slipway import environment
from slipway.artifact.artifact import Artifact, record_checksum
from slipway.artifact.pack import pack
from slipway.artifact.pack_container import pack_container
from slipway.environment import ExecutionEnvironment, check_lock
from slipway.environment.shared.locked import locked_packages
from slipway.errors import SlipwayError
from slipway.model.container_folder import is_container, read_container_folder
from slipway.model.folder import ModelFolder, read_model_folder
from slipway.model.local_weights import reject_different
from slipway.model.pointer import Pointer
from slipway.model.weights import Weights
from slipway.settings import Settings


def build(folder: Path, settings: Settings, output: Path) -> Artifact:
    """Build the artifact of the model in ``folder`` into the folder ``output``.

    Raises:
        SlipwayError: a check finds an error, or a part is wrong; no incomplete artifact is left.
    """
    if is_container(folder):
        return _build_container(folder, settings, output)
    model = read_model_folder(folder)
    refuse_errors(model, settings)
    files = pulled_weights(model, settings)
    environment = build_environment(model, settings)
    return pack_artifact(model, environment, files, output / model.artifact_name, settings)


def _build_container(folder: Path, settings: Settings, output: Path) -> Artifact:
    """Build the artifact of a model that a container of its own serves."""
    refuse_errors_in(folder, settings)
    model = read_container_folder(folder)
    check_lock(model.requirements, model.lock)
    for locked in locked_packages(model.lock):
        raise SlipwayError(
            f"{locked.package.name} is a package of this repository, and the lock of a container"
            " travels without it",
            where=str(model.lock),
            fix=f"copy its code into {model.contents / 'code'}, and remove it from"
            f" {model.requirements.name}",
        )
    files = _weights(model.pointers, settings)
    entry = settings.containers[model.name].entry
    artifact = pack_container(model, entry, files, output / model.artifact_name)
    record_checksum(artifact)
    return artifact


def pulled_weights(model: ModelFolder, settings: Settings) -> dict[Path, Path]:
    """Return the files of a model's weights in DVC's cache, by the path they belong at."""
    return _weights(model.pointers, settings)


def _weights(pointers: Iterable[Pointer], settings: Settings) -> dict[Path, Path]:
    """Return the files of the weights in DVC's cache, by the path they belong at."""
    store = Weights(settings.root)
    return {
        pointer.path / part if part else pointer.path: cached
        for pointer in pointers
        for part, cached in store.cached(pointer).items()
    }


def refuse_errors(model: ModelFolder, settings: Settings, *, but: Collection[str] = ()) -> None:
    """Refuse a model folder in which ``slipway check`` finds an error.

    The rules use the files of ``model`` that were read already. ``but`` are the ids of rules whose
    findings the caller is about to mend.

    Raises:
        SlipwayError: the first error, and how many there are.
    """
    refuse_errors_in(model.path, settings, model, but=but)


def refuse_errors_in(
    folder: Path,
    settings: Settings,
    model: ModelFolder | None = None,
    *,
    but: Collection[str] = (),
) -> None:
    """Refuse the folder of any model in which ``slipway check`` finds an error.

    Raises:
        SlipwayError: the first error, and how many there are.
    """
    # imported here: the single steps, which a build system runs many times, need no rules
    from slipway import check
    from slipway.check.model_repository import ModelRepository

    errors = [
        finding
        for finding in check.check_folder(folder, ModelRepository(settings), model)
        if finding.severity == "error" and finding.rule not in but
    ]
    if errors:
        first, more = errors[0], len(errors) - 1
        others = f"\n{more} more: slipway check {folder}" if more else ""
        raise SlipwayError(
            f"{first.rule} {first.name}: {first.what}{others}",
            where=str(first.location),
            fix=first.fix,
        )


def build_environment(model: ModelFolder, settings: Settings) -> ExecutionEnvironment | None:
    """Return the execution environment of the Python models, built or from the cache."""
    if not model.python_models:
        return None
    return environment.build_environment(model.lock, settings)


def local_weights(model: ModelFolder, root: Path) -> dict[Path, Path]:
    """Return the weights that are already next to their pointers, by the path they belong at.

    ``root`` is the repository's folder.

    Raises:
        SlipwayError: weights are missing there, or are not those of their pointer.
    """
    files: dict[Path, Path] = {}
    for pointer in model.pointers:
        if not pointer.path.exists():
            raise SlipwayError(
                "its weights are missing",
                where=str(pointer.file),
                fix=f"slipway weights pull {pointer.file} --output {pointer.path}",
            )
        reject_different(pointer, pointer.path, root)
        parts = [pointer.path] if pointer.path.is_file() else sorted(pointer.path.rglob("*"))
        files |= {path: path for path in parts if path.is_file()}
    return files


def pack_artifact(
    model: ModelFolder,
    environment: ExecutionEnvironment | None,
    files: dict[Path, Path],
    output: Path,
    settings: Settings,
) -> Artifact:
    """Pack the artifact and write its digest next to it, as ``sha256sum --check`` reads it.

    An environment that the images of both stages have is left out.
    """
    layout: Literal["directory", "archive", "image"] = settings.layout
    if environment is not None and environment.sha256 in settings.base_environments:
        layout = "image"
    artifact = pack(model, environment, files, output, layout)
    record_checksum(artifact)
    return artifact
