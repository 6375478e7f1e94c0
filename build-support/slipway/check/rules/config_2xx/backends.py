"""SW23x: backends and platforms."""

from __future__ import annotations

import os.path
from collections.abc import Iterator

from slipway.check.config_file import PLATFORMS, ConfigFile
from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.tensors.flow import nearest
from slipway.check.unfilled import is_template
from slipway.model.folder import ENSEMBLE
from slipway.triton.image.backends import BACKENDS, LAST_RELEASE, OTHER_IMAGES

CORE = "Triton core, model_config_utils.cc (ValidateModelConfig), and seen on 24.10"
FIND = "Triton core, backend_model.cc (GetBackendLibraryProperties), and seen on 24.10"
# file names from which the server derives the backend (AutoCompleteBackendFields)
FILES = {
    "model.plan": "tensorrt",
    "model.onnx": "onnxruntime",
    "model.xml": "openvino",
    "model.pt": "pytorch",
    "model.py": "python",
    "model.savedmodel": "tensorflow",
    "model.graphdef": "tensorflow",
}
POINTER = ".dvc"


@rule(
    "SW231",
    "unknown-backend",
    reason="the load fails: “unable to find backend library for backend”",
    source=FIND,
)
def unknown_backend(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find backends that neither Triton's container nor the model directory has."""
    known_backends = BACKENDS | set(LAST_RELEASE) | set(OTHER_IMAGES)
    for config, message in model.parsed.values():
        name = message.backend
        if (
            not name
            or name in known_backends
            or message.platform == ENSEMBLE
            or config.has_own_library
            or is_template(name)  # SW260 reports it
        ):
            continue
        close = nearest(name, known_backends)
        custom = model.is_single_config or model.settings.docker_image is not None
        if close or not custom:
            yield RuleHit(
                config.value_location("backend"),
                f"there is no backend {name!r}",
                (
                    f"did you mean {close!r}?"
                    if close
                    else f"one of {', '.join(sorted(BACKENDS))};"
                    f" or put libtriton_{name}.so into its folder"
                ),
            )


@rule(
    "SW232",
    "backend-not-in-release",
    reason="the load fails: “unable to find backend library for backend”",
    source="Triton server, build.py of each release branch: TensorFlow's backend ends with 25.02",
)
def backend_not_in_release(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find backends that the configured release no longer has."""
    for config, _ in model.parsed.values():
        last = LAST_RELEASE.get(config.backend, "99.99")
        release = model.settings.triton_release
        if last < release and not config.has_own_library and model.settings.docker_image is None:
            yield RuleHit(
                config.location("backend" if ("backend",) in config.fields.spans else "platform"),
                f"Triton {release} has no {config.backend!r}: {last} was the last",
                "convert the model to ONNX, or serve with an older release",
            )


@rule(
    "SW235",
    "no-backend",
    reason="the load fails: “Could not determine backend for model”, or “unable to find backend”",
    source="Triton core, model_config_utils.cc (AutoCompleteBackendFields), and seen on 24.10",
)
def no_backend(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find configs without a backend, a platform, or a file from which the server derives it."""
    for config in _without_backend(model):
        if (
            not _by_file(config) and "." not in config.name
        ):  # x.identity is read as a backend's name
            yield RuleHit(
                config.location(),
                "it names no backend",
                f'backend: "python", or another: {", ".join(sorted(BACKENDS))}',
            )


@rule(
    "SW236",
    "backend-left-out",
    scope="slipway",
    severity="warning",
    reason="the server derives it from the file's name, and packing adds no execution environment",
    source="Triton core, model_config_utils.cc (AutoCompleteBackendFields), and seen on 24.10",
)
def backend_left_out(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find configs without a backend whose file determines it."""
    for config in _without_backend(model):
        backend = _by_file(config)
        if backend:
            yield RuleHit(
                config.location(),
                f"it names no backend: the server derives {backend!r} from the file's name",
                f'backend: "{backend}"',
                (config.append_field(f'backend: "{backend}"\n'),),
            )


@rule(
    "SW237",
    "platform",
    reason="the load fails: “unexpected platform type”, or “unexpected 'platform' and 'backend'”",
    source=CORE,
)
def platform(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find platforms that do not exist, or that belong to another backend."""
    for config, message in model.parsed.values():
        name, backend = message.platform, message.backend
        if (
            not name
            or name == ENSEMBLE
            or message.HasField("ensemble_scheduling")
            or is_template(f"{name}{backend}")  # SW260 reports it
        ):
            continue
        platforms = [
            known_backends
            for known_backends, platform_backend in PLATFORMS.items()
            if platform_backend == backend
        ]
        if not backend and name not in PLATFORMS and name not in ("libtorch", "torch_aoti"):
            close = nearest(name, [*PLATFORMS, ENSEMBLE])
            replacement = PLATFORMS.get(close or "", name if name in BACKENDS else "…")
            fix = f'platform: "{ENSEMBLE}"' if close == ENSEMBLE else f'backend: "{replacement}"'
            certain = name in BACKENDS  # a backend's name in the other field
            yield RuleHit(
                config.value_location("platform"),
                f"there is no platform {name!r}",
                fix,
                (config.replace_field(("platform",), fix),) if certain else (),
            )
        elif platforms and name not in platforms and backend != "pytorch":
            yield RuleHit(
                config.value_location("platform"),
                f"the platform {name!r} is not one of the backend {backend!r}",
                f'remove it, or platform: "{platforms[0]}"',
                config.remove_field(("platform",)),
            )


@rule(
    "SW238",
    "runtime",
    reason="the load fails: “unable to find backend library”",
    source=FIND,
)
def runtime(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a ``runtime`` that names a library of neither the backend nor the model directory."""
    for config, message in model.parsed.values():
        name, backend = message.runtime, message.backend
        custom = model.is_single_config or model.settings.docker_image is not None
        if not name or backend not in BACKENDS:
            continue
        inside = os.path.normpath(f"{backend}/{name}").startswith(f"{backend}/")
        missing = name != f"libtriton_{backend}.so" and (name != "model.py" or backend == "python")
        if not inside or missing and not custom and not config.has_own_library:
            yield RuleHit(
                config.value_location("runtime"),
                f"the backend {backend!r} has no runtime {name!r}",
                "remove it, or put the library into the model directory",
            )


def _without_backend(model: ModelUnderCheck) -> Iterator[ConfigFile]:
    for config, message in model.parsed.values() if not model.is_single_config else ():
        has_backend = message.backend or message.platform or config.is_ensemble
        if not has_backend and not config.fields.unknown:
            yield config


def _by_file(config: ConfigFile) -> str:
    """Return the backend that the server derives from a file's name; empty for none."""
    file_name = config.message.default_model_filename if config.message is not None else ""
    for version in config.versions[:1]:
        files = {path.name.removesuffix(POINTER) for path in version.iterdir()}
        names = {file_name} if file_name else files
        return next((FILES[name] for name in FILES if name in names), "")
    return ""
