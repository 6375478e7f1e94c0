"""SW32x: the file that each backend opens; a DVC pointer counts as the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from slipway.check.config_file import ConfigFile
from slipway.check.finding import Location, RuleHit
from slipway.check.model_files import (
    FOREST_NAMES,
    NAMES,
    POINTER,
    expected_names,
    is_present,
    loaded_versions,
)
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.rules.config_2xx.backends import FILES
from slipway.model.folder import LEFT_OUT_ENDINGS, LEFT_OUT_NAMES
from slipway.signature.reading import GRAPH


@rule(
    "SW321",
    "model-file-missing",
    reason="the load fails: 'unable to find …' that file",
    source="each backend's own default: check/model_files.py names the sources",
)
def model_file_missing(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find version directories without the file that the backend opens."""
    for config, message in model.parsed.values():
        names = expected_names(config, message)
        for version in loaded_versions(config, message) if names else ():
            files = _packed_paths(version)
            # SW121 reports a version directory of which packing takes nothing
            is_empty = not files and not model.is_foreign
            if any(is_present(version / name) for name in names) or is_empty:
                continue
            yield RuleHit(
                Location(version),
                f"no {' or '.join(names)}, which the backend {config.backend!r} opens",
                _advice(config, version, names, files),
            )


@rule(
    "SW322",
    "model-file-incomplete",
    reason="the load fails: the other file that belongs to the model is missing",
    source="OpenVINO's IR, TensorFlow's SavedModel and Triton's directory of an ONNX model",
)
def model_file_incomplete(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find weights in several files of which one is missing."""
    for config, message in model.parsed.values():
        for version in loaded_versions(config, message):
            for name in expected_names(config, message):
                missing = _missing_companion(config.backend, version / name)
                if missing is not None:
                    yield RuleHit(
                        Location(version / name),
                        f"no {missing.relative_to(version)}, which belongs to it",
                        f"copy it from where {name} was exported",
                    )


@rule(
    "SW323",
    "named-file-missing",
    severity="warning",
    reason="on a GPU of that compute capability the load fails: the file is not there",
    source="triton-inference-server/backend, src/backend_model_instance.cc",
)
def named_file_missing(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find files of ``cc_model_filenames`` that a version does not hold."""
    for config, message in model.parsed.values():
        for capability, name in sorted(message.cc_model_filenames.items()):
            for version in loaded_versions(config, message):
                if not is_present(version / name):
                    yield RuleHit(
                        config.location("cc_model_filenames", capability, "value"),
                        f"no {version.name}/{name}, for compute capability {capability}",
                        "put it there or remove the entry",
                    )


def _packed_paths(version: Path) -> list[Path]:
    """Return the files of a version directory with the names that they have when packed."""
    paths = []
    for path in sorted(version.iterdir()):
        if path.suffix == POINTER:
            paths.append(path.with_suffix(""))
        elif not (
            path.name.startswith(".")
            or path.name in LEFT_OUT_NAMES
            or path.name.endswith(LEFT_OUT_ENDINGS)
        ):
            paths.append(path)
    return paths


def _advice(config: ConfigFile, version: Path, names: Sequence[str], files: Sequence[Path]) -> str:
    """Return how to fix it, by the most similar file: misplaced, or with another name."""
    for name in names:
        folders = (version.parent, *(path for path in files if path.is_dir()))
        for folder in folders:
            if folder.name != name and is_present(folder / name):
                return f"move {folder / name} to {version / name}"
    for kind, name in FOREST_NAMES.items() if names[0] in FOREST_NAMES.values() else ():
        if is_present(version / name):
            return f'model_type "{kind}", which opens {name}'
    for name, backend in FILES.items() if config.backend in NAMES else ():
        if is_present(version / name):
            return f'backend: "{backend}", which opens {name}, or put {names[0]} there'
    endings = {Path(name).suffix for name in names}
    similar = [path.name for path in files if path.suffix in endings and path.name not in names]
    if similar:
        return f'rename {similar[0]} to {names[0]}, or default_model_filename: "{similar[0]}"'
    return f"put the model at {version / names[0]}"


def _missing_companion(backend: str, file: Path) -> Path | None:
    """Return the missing companion of ``file``, next to it or below it, if ``file`` exists."""
    if backend == "openvino" and file.suffix == ".xml" and is_present(file):
        weights = file.with_suffix(".bin")
        return None if is_present(weights) else weights
    below = {"tensorflow": "saved_model.pb", "onnxruntime": GRAPH}.get(backend)
    if below is None or not file.is_dir():
        return None
    alternatives = (
        (file / below, file / "saved_model.pbtxt") if backend == "tensorflow" else (file / below,)
    )
    return None if any(map(is_present, alternatives)) else file / below
