"""SW32x: the file that each backend opens, at its place; a DVC pointer counts as the file."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from slipway.check.finding import Found, Place
from slipway.check.model_files import FOREST_NAMES, POINTER, expected, is_there, loaded_versions
from slipway.check.rule import rule
from slipway.check.subject import Subject
from slipway.model.folder import LEFT_OUT_ENDINGS, LEFT_OUT_NAMES
from slipway.signature.reading import GRAPH

INDEXED = re.compile(r".+__[0-9]+")


@rule(
    "SW321",
    "model-file-missing",
    reason="the load fails: 'unable to find …' that file",
    source="each backend's own default: check/model_files.py names where it stands",
)
def model_file_missing(subject: Subject) -> Iterator[Found]:
    """A version directory without the file that the backend opens."""
    for read, message in subject.parsed.values():
        names = expected(read, message)
        for version in loaded_versions(read, message) if names else ():
            files = _files(version)
            if any(is_there(version / name) for name in names) or not files:
                continue  # an empty version directory is another rule's
            yield Found(
                Place(version),
                f"no {' or '.join(names)}, which the backend {read.backend!r} opens",
                _advice(version, names, files),
            )


@rule(
    "SW322",
    "model-file-incomplete",
    reason="the load fails: the other file that belongs to the model is missing",
    source="OpenVINO's IR, TensorFlow's SavedModel and Triton's directory of an ONNX model",
)
def model_file_incomplete(subject: Subject) -> Iterator[Found]:
    """Weights of several files of which the one needed beside is missing."""
    for read, message in subject.parsed.values():
        for version in loaded_versions(read, message):
            for name in expected(read, message):
                lacking = _lacking(read.backend, version / name)
                if lacking is not None:
                    yield Found(
                        Place(version / name),
                        f"no {lacking.relative_to(version)} to go with it",
                        f"put it there, from where {name} was made",
                    )


@rule(
    "SW323",
    "named-file-missing",
    severity="warning",
    reason="on a GPU of that compute capability the load fails: the file is not there",
    source="triton-inference-server/backend, src/backend_model_instance.cc",
)
def named_file_missing(subject: Subject) -> Iterator[Found]:
    """A file of ``cc_model_filenames`` that a version does not hold."""
    for read, message in subject.parsed.values():
        for capability, name in sorted(message.cc_model_filenames.items()):
            for version in loaded_versions(read, message):
                if not is_there(version / name):
                    yield Found(
                        read.place("cc_model_filenames", capability, "value"),
                        f"no {version.name}/{name}, for compute capability {capability}",
                        "put it there or remove the entry",
                    )


@rule(
    "SW324",
    "mixed-pytorch-names",
    reason="one output outside of the convention and all go by their order in the config:"
    " the numbers in the others' names are ignored",
    source="triton-inference-server/pytorch_backend, model_instance_state.cc: GetNamingConvention",
)
def mixed_pytorch_names(subject: Subject) -> Iterator[Found]:
    """Outputs of a TorchScript model of which some follow ``<name>__<index>`` and some do not."""
    for read, message in subject.parsed.values():
        names = [output.name for output in message.output] if read.backend == "pytorch" else []
        follows = [bool(INDEXED.fullmatch(name)) for name in names]
        if any(follows) and not all(follows):
            index = follows.index(False)
            yield Found(
                read.place("output", index, "name"),
                f"output {names[index]!r} does not follow <name>__<index>, as others do",
                f"such as OUTPUT__{index}, with its position among what forward() returns",
            )


@rule(
    "SW325",
    "unknown-forest-type",
    reason="the load fails: '… not recognized as a valid serialization format'",
    source="triton-inference-server/fil_backend, src/serialization.h",
)
def unknown_forest_type(subject: Subject) -> Iterator[Found]:
    """A ``model_type`` that the FIL backend does not have."""
    for read, message in subject.parsed.values():
        kind = message.parameters.get("model_type") if read.backend == "fil" else None
        if kind is not None and kind.string_value not in FOREST_NAMES:
            nearest = difflib.get_close_matches(kind.string_value, FOREST_NAMES, n=1, cutoff=0)
            yield Found(
                read.place("parameters", "model_type", "value"),
                f"model_type {kind.string_value!r} is none of {', '.join(FOREST_NAMES)}",
                f'string_value: "{nearest[0]}"',
            )


def _files(version: Path) -> list[Path]:
    """What lies in a version directory by the names that it has when packed."""
    found = []
    for path in sorted(version.iterdir()):
        if path.suffix == POINTER:
            found.append(path.with_suffix(""))
        elif not (
            path.name.startswith(".")
            or path.name in LEFT_OUT_NAMES
            or path.name.endswith(LEFT_OUT_ENDINGS)
        ):
            found.append(path)
    return found


def _advice(version: Path, names: Sequence[str], files: Sequence[Path]) -> str:
    """How to mend it, by the file that is nearest: misplaced, or named otherwise."""
    for name in names:
        beside = (version.parent, *(path for path in files if path.is_dir()))
        for folder in beside:
            if folder.name != name and is_there(folder / name):
                return f"move {folder / name} to {version / name}"
    for kind, name in FOREST_NAMES.items() if names[0] in FOREST_NAMES.values() else ():
        if is_there(version / name):
            return f'model_type "{kind}", which opens {name}'
    endings = {Path(name).suffix for name in names}
    alike = [path.name for path in files if path.suffix in endings and path.name not in names]
    if alike:
        return f'rename {alike[0]} to {names[0]}, or default_model_filename: "{alike[0]}"'
    return f"put the model at {version / names[0]}"


def _lacking(backend: str, file: Path) -> Path | None:
    """The file that is missing beside or below ``file``, which is there itself."""
    if backend == "openvino" and file.suffix == ".xml" and is_there(file):
        weights = file.with_suffix(".bin")
        return None if is_there(weights) else weights
    below = {"tensorflow": "saved_model.pb", "onnxruntime": GRAPH}.get(backend)
    if below is None or not file.is_dir():
        return None
    others = (
        (file / below, file / "saved_model.pbtxt") if backend == "tensorflow" else (file / below,)
    )
    return None if any(map(is_there, others)) else file / below
