"""Build a model's artifact from its folder, for ``slipway build`` and the goals of Pants."""

from __future__ import annotations

from pathlib import Path

from slipway import environment
from slipway.artifact.artifact import Artifact, record_checksum
from slipway.artifact.pack import pack
from slipway.environment import ExecutionEnvironment
from slipway.errors import SlipwayError
from slipway.model.folder import ModelFolder, read_model_folder
from slipway.model.local_weights import reject_different
from slipway.model.weights import Weights
from slipway.settings import Settings


def build(folder: Path, settings: Settings, output: Path) -> Artifact:
    """Build the artifact of the model in ``folder`` into the folder ``output``.

    Raises:
        SlipwayError: a check finds an error, or a part is wrong; no incomplete artifact is left.
    """
    model = read_model_folder(folder)
    refuse_errors(model, settings)
    store = Weights(settings.root)
    files = {
        pointer.path / part if part else pointer.path: cached
        for pointer in model.pointers
        for part, cached in store.cached(pointer).items()
    }
    environment = build_environment(model, settings)
    return pack_artifact(model, environment, files, output / model.artifact_name, settings)


def refuse_errors(model: ModelFolder, settings: Settings) -> None:
    """Refuse a model folder in which ``slipway check`` finds an error.

    The rules use the files of ``model`` that were read already.

    Raises:
        SlipwayError: the first error, and how many there are.
    """
    # imported here: the single steps, which a build system runs many times, need no rules
    from slipway import check
    from slipway.check.model_under_check import ModelRepository

    errors = [
        finding
        for finding in check.check_folder(model.path, ModelRepository(settings), model)
        if finding.severity == "error"
    ]
    if errors:
        first, more = errors[0], len(errors) - 1
        others = f"\n{more} more: slipway check {model.path}" if more else ""
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
    """Pack the artifact and write its digest next to it, as ``sha256sum --check`` reads it."""
    artifact = pack(model, environment, files, output, settings.layout)
    record_checksum(artifact)
    return artifact
