"""SW350–SW354: the files of forests, against what FIL of the serving release reads and answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from slipway.check.config_file import ConfigFile
from slipway.check.finding import Location, RuleHit
from slipway.check.model_files import FOREST_NAMES, expected_names, loaded_versions
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.triton.checkpoint_head import (
    LAST_BEFORE,
    LAYOUT,
    SIZE,
    CheckpointHead,
    read_checkpoint_head,
)
from slipway.triton.config import ModelConfig
from slipway.triton.image.forest_libraries import (
    BROKEN_RELEASES,
    CATEGORY_NAMES_SINCE,
    RENAMED_SINCE,
    UBJSON_SINCE,
    UNKNOWN_MAX_INDEX,
    forest_library_of,
)

FIL = "triton-inference-server/fil_backend"
OUTPUT = "output__0"
# the key that XGBoost writes since 3.1, in JSON and in UBJSON
CATS = (b'"cats"', b"\x04cats{")
CONVERT = "slipway new --from the file writes checkpoint.tl; treelite's Model.serialize does too"


@rule(
    "SW350",
    "forest-file-too-new",
    reason="the load fails: 'key \"cats\" is not recognized!'",
    source="treelite 4.0.0 to 4.7.0 with files of XGBoost 2.1 to 3.4, seen;"
    f" {FIL}, get_treelite.cmake of each branch",
)
def forest_file_too_new(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find XGBoost's files that the release's treelite cannot read."""
    release = model.settings.triton_release
    for config, message in _forests(model):
        kind = _parameter(message, "model_type")
        if kind == "xgboost_ubj" and release < UBJSON_SINCE:
            yield RuleHit(
                config.location("parameters", "model_type", "value"),
                f"FIL of Triton {release} has no type {kind}; {UBJSON_SINCE} was the first",
                CONVERT,
            )
            continue
        if kind not in ("xgboost_json", "xgboost_ubj") or release >= CATEGORY_NAMES_SINCE:
            continue
        for file in _files(config, message):
            content = file.read_bytes()
            if any(key in content for key in CATS):
                yield RuleHit(
                    Location(file),
                    f"a file of XGBoost 3.1 or later; FIL reads them since {CATEGORY_NAMES_SINCE},"
                    f" and Triton {release} serves",
                    CONVERT,
                )


@rule(
    "SW351",
    "forest-backend-broken",
    reason="the load fails: “unable to load shared library: librapids_logger.so”",
    source="Triton server, issue 8438",
)
def forest_backend_broken(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find forests for a release whose FIL does not start."""
    release = model.settings.triton_release
    if release not in BROKEN_RELEASES or model.settings.docker_image is not None:
        return
    for config, _ in _forests(model):
        yield RuleHit(
            config.value_location("backend"),
            f"FIL of Triton {release} does not start: {BROKEN_RELEASES[release]}",
            "serve it with another release, or as ONNX: slipway new --from … --backend onnxruntime",
        )


@rule(
    "SW352",
    "checkpoint-of-another-treelite",
    reason="the load fails: 'Cannot load model from a different major Treelite version'",
    source=f"treelite, src/serializer.cc; {FIL}, docs/model_support.md",
)
def checkpoint_of_another_treelite(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find checkpoints of another major version than the release's treelite."""
    release = model.settings.triton_release
    library = forest_library_of(release)
    for file, head in _checkpoints(model) if library is not None else ():
        assert library is not None
        is_read = head.version[:2] == LAST_BEFORE and library.major == LAYOUT
        if head.version[0] != library.major and not is_read:
            version = ".".join(map(str, head.version))
            yield RuleHit(
                Location(file),
                f"a checkpoint of treelite {version}, and FIL of Triton {release} has"
                f" {library.version}",
                f"write it again with treelite=={library.version}, or serve another release",
            )


@rule(
    "SW353",
    "forest-classes-on-cpu",
    reason="each request fails: “Post-processor named 'max_index' not found”",
    source=f"{FIL}, src/tl_model.h until 25.08; treelite 4, src/gtil/postprocessor.cc",
)
def forest_classes_on_cpu(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find forests of several classes that are to answer the class, on CPUs of 24.03 to 25.08."""
    release = model.settings.triton_release
    if not UNKNOWN_MAX_INDEX <= release < RENAMED_SINCE:
        return
    for config, message in _forests(model):
        wants_class = _parameter(message, "output_class") == "true"
        if not wants_class or _parameter(message, "predict_proba") == "true" or _on_gpu(message):
            continue
        for file in _files(config, message):
            head = _head(file)
            if head is not None and head.classes > 1:
                yield RuleHit(
                    config.location("parameters", "output_class", "value"),
                    f"{file.name} has {head.classes} classes, and FIL of Triton {release} cannot"
                    " answer their numbers on a CPU",
                    f'predict_proba "true" with dims: [ {head.classes} ]; the class is the'
                    " highest probability",
                )


@rule(
    "SW354",
    "forest-probability-of-one",
    reason="the answers are wrong: every other row's probability is written over the one before",
    source=f"{FIL}, src/tl_model.h (predict) until 25.08",
)
def forest_probability_of_one(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find one probability where FIL writes two, that of each of two classes."""
    if model.settings.triton_release >= RENAMED_SINCE:
        return
    for config, message in _forests(model):
        if _parameter(message, "predict_proba") != "true":
            continue
        for number, tensor in enumerate(message.output):
            if tensor.name != OUTPUT or list(tensor.dims) != [1]:
                continue
            for file in _files(config, message):
                head = _head(file)
                if head is not None and head.classes == 1:
                    yield RuleHit(
                        config.location("output", number, "dims"),
                        f"{file.name} has two classes, and FIL answers the probability of each",
                        "dims: [ 2 ]",
                    )


def _forests(model: ModelUnderCheck) -> Iterator[tuple[ConfigFile, ModelConfig]]:
    for config, message in model.parsed.values():
        if config.backend == "fil":
            yield config, message


def _checkpoints(model: ModelUnderCheck) -> Iterator[tuple[Path, CheckpointHead]]:
    for config, message in _forests(model):
        for file in _files(config, message):
            head = _head(file)
            if head is not None:
                yield file, head


def _files(config: ConfigFile, message: ModelConfig) -> Iterator[Path]:
    """Yield the files that are here, and not only their pointers."""
    for version in loaded_versions(config, message):
        for name in expected_names(config, message):
            if (version / name).is_file():
                yield version / name


def _head(file: Path) -> CheckpointHead | None:
    """Return the head of a checkpoint; ``None`` of a file of another type."""
    if file.suffix in {Path(name).suffix for name in FOREST_NAMES.values()} - {".tl"}:
        return None
    with file.open("rb") as stream:
        return read_checkpoint_head(stream.read(SIZE))


def _parameter(message: ModelConfig, name: str) -> str:
    return message.parameters[name].string_value if name in message.parameters else ""


def _on_gpu(message: ModelConfig) -> bool:
    return any(group.kind == group.KIND_GPU for group in message.instance_group)
