"""From a model's folder to its artifact: what ``slipway build`` and the goals have in common."""

from __future__ import annotations

from pathlib import Path

from slipway import environment
from slipway.artifact.artifact import Artifact, record_checksum
from slipway.artifact.pack import pack
from slipway.environment import ExecutionEnvironment
from slipway.errors import SlipwayError
from slipway.model.folder import ModelFolder, read_model_folder
from slipway.model.weights import Weights
from slipway.settings import Settings


def build(folder: Path, settings: Settings, output: Path) -> Artifact:
    """Build the artifact of the model in ``folder`` into the folder ``output``.

    Raises:
        SlipwayError: a check finds an error, or a part is wrong; nothing is left under the
            artifact's name.
    """
    model = read_model_folder(folder)
    refuse_errors(model, settings)
    store = Weights(settings.root)
    files = {
        pointer.path / part if part else pointer.path: cached
        for pointer in model.pointers
        for part, cached in store.cached(pointer).items()
    }
    made = build_environment(model, settings)
    return pack_artifact(model, made, files, output / model.artifact_name, settings)


def refuse_errors(model: ModelFolder, settings: Settings) -> None:
    """Refuse a model folder in which ``slipway check`` finds an error.

    The rules look at what was read of ``model`` already.

    Raises:
        SlipwayError: the first error, and how many there are.
    """
    # only here: the single steps, which a build system runs many times, need no rules
    from slipway import check
    from slipway.check.model_under_check import ModelRepository

    errors = [
        found
        for found in check.check_folder(model.path, ModelRepository(settings), model)
        if found.severity == "error"
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
    """The execution environment of the model's Python models, built or from the cache."""
    if not model.python_models:
        return None
    return environment.build_environment(model.lock, settings)


def local_weights(model: ModelFolder) -> dict[Path, Path]:
    """The weights that lie beside their pointers already, by where they belong.

    Raises:
        SlipwayError: they do not.
    """
    files: dict[Path, Path] = {}
    for pointer in model.pointers:
        if not pointer.path.exists():
            raise SlipwayError(
                "its weights are not here",
                where=str(pointer.file),
                fix=f"slipway weights pull {pointer.file} --output {pointer.path}",
            )
        parts = [pointer.path] if pointer.path.is_file() else sorted(pointer.path.rglob("*"))
        files |= {path: path for path in parts if path.is_file()}
    return files


def pack_artifact(
    model: ModelFolder,
    made: ExecutionEnvironment | None,
    files: dict[Path, Path],
    output: Path,
    settings: Settings,
) -> Artifact:
    """Pack, and write the digest next to the artifact, as ``sha256sum --check`` reads it."""
    packed = pack(model, made, files, output, settings.layout)
    record_checksum(packed)
    return packed
