"""SW23x: backends and platforms."""

from __future__ import annotations

import os.path
from collections.abc import Iterator

from slipway.check.finding import Found
from slipway.check.flow import nearest
from slipway.check.rule import rule
from slipway.check.subject import PLATFORMS, Config, Subject
from slipway.model.folder import ENSEMBLE

CORE = "Triton core, model_config_utils.cc (ValidateModelConfig), and seen on 24.10"
FIND = "Triton core, backend_model.cc (GetBackendLibraryProperties), and seen on 24.10"
# of NVIDIA's container nvcr.io/nvidia/tritonserver:YY.MM-py3 (Triton server, build.py, enable_all)
BACKENDS = {
    "dali",
    "fil",
    "identity",
    "onnxruntime",
    "openvino",
    "python",
    "pytorch",
    "repeat",
    "square",
    "tensorrt",
}
LAST_RELEASE = {"tensorflow": "25.02"}
# in containers of their own
ELSEWHERE = {"vllm", "tensorrtllm"}
# file names by which the server knows the backend (AutoCompleteBackendFields)
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
def unknown_backend(subject: Subject) -> Iterator[Found]:
    """A backend that neither Triton's container nor the model directory has."""
    known = BACKENDS | set(LAST_RELEASE) | ELSEWHERE
    for each, message in subject.parsed.values():
        name = message.backend
        if not name or name in known or message.platform == ENSEMBLE or _own_library(each):
            continue
        close = nearest(name, known)
        custom = subject.lone or subject.settings.docker_image is not None
        if close or not custom:
            yield Found(
                each.value_place("backend"),
                f"there is no backend {name!r}",
                (
                    f"did you mean {close!r}?"
                    if close
                    else f"one of {', '.join(sorted(BACKENDS))}; or libtriton_{name}.so in its folder"
                ),
            )


@rule(
    "SW232",
    "backend-not-in-release",
    reason="the load fails: “unable to find backend library for backend”",
    source="Triton server, build.py of each release branch: TensorFlow's backend ends with 25.02",
)
def backend_not_in_release(subject: Subject) -> Iterator[Found]:
    """A backend that the configured release has no more."""
    for each, _ in subject.parsed.values():
        last = LAST_RELEASE.get(each.backend, "99.99")
        release = subject.settings.triton_release
        if last < release and not _own_library(each) and subject.settings.docker_image is None:
            yield Found(
                each.place("backend" if ("backend",) in each.fields.spans else "platform"),
                f"Triton {release} has no {each.backend!r}: {last} was the last",
                "convert the model to ONNX, or serve with an older release",
            )


@rule(
    "SW235",
    "no-backend",
    reason="the load fails: “Could not determine backend for model”, or “unable to find backend”",
    source="Triton core, model_config_utils.cc (AutoCompleteBackendFields), and seen on 24.10",
)
def no_backend(subject: Subject) -> Iterator[Found]:
    """No backend, no platform, and no file by which the server would know it."""
    for each in _without_backend(subject):
        if not _by_file(each) and "." not in each.name:  # x.identity is read as a backend's name
            yield Found(
                each.place(),
                "it names no backend",
                f'backend: "python", or another: {", ".join(sorted(BACKENDS))}',
            )


@rule(
    "SW236",
    "backend-left-out",
    severity="warning",
    reason="the server goes by the file's name, and packing gives it no execution environment",
    source="Triton core, model_config_utils.cc (AutoCompleteBackendFields), and seen on 24.10",
)
def backend_left_out(subject: Subject) -> Iterator[Found]:
    """No backend, and a file that tells it."""
    for each in _without_backend(subject):
        backend = _by_file(each)
        if backend:
            yield Found(
                each.place(),
                f"it names no backend: the server takes {backend!r} from the file's name",
                f'backend: "{backend}"',
                (each.added(f'backend: "{backend}"\n'),),
            )


@rule(
    "SW237",
    "platform",
    reason="the load fails: “unexpected platform type”, or “unexpected 'platform' and 'backend'”",
    source=CORE,
)
def platform(subject: Subject) -> Iterator[Found]:
    """A platform that there is not, or that is another backend's."""
    for each, message in subject.parsed.values():
        name, backend = message.platform, message.backend
        if not name or name == ENSEMBLE or message.HasField("ensemble_scheduling"):
            continue
        wanted = [known for known, its in PLATFORMS.items() if its == backend]
        if not backend and name not in PLATFORMS and name not in ("libtorch", "torch_aoti"):
            close = nearest(name, [*PLATFORMS, ENSEMBLE])
            instead = PLATFORMS.get(close or "", name if name in BACKENDS else "…")
            fix = f'platform: "{ENSEMBLE}"' if close == ENSEMBLE else f'backend: "{instead}"'
            yield Found(each.value_place("platform"), f"there is no platform {name!r}", fix)
        elif wanted and name not in wanted and backend != "pytorch":
            yield Found(
                each.value_place("platform"),
                f"the platform {name!r} is not one of the backend {backend!r}",
                f'remove it, or platform: "{wanted[0]}"',
            )


@rule(
    "SW238",
    "runtime",
    reason="the load fails: “unable to find backend library”",
    source=FIND,
)
def runtime(subject: Subject) -> Iterator[Found]:
    """``runtime`` names a library that neither the backend nor the model directory has."""
    for each, message in subject.parsed.values():
        name, backend = message.runtime, message.backend
        custom = subject.lone or subject.settings.docker_image is not None
        if not name or backend not in BACKENDS:
            continue
        inside = os.path.normpath(f"{backend}/{name}").startswith(f"{backend}/")
        missing = name != f"libtriton_{backend}.so" and (name != "model.py" or backend == "python")
        if not inside or missing and not custom and not _own_library(each):
            yield Found(
                each.value_place("runtime"),
                f"the backend {backend!r} has no runtime {name!r}",
                "remove it, or put the library into the model directory",
            )


def _without_backend(subject: Subject) -> Iterator[Config]:
    for each, message in subject.parsed.values() if not subject.lone else ():
        named = message.backend or message.platform or each.is_ensemble
        if not named and not each.fields.unknown:
            yield each


def _by_file(each: Config) -> str:
    """The backend that the server would take from a file's name; empty for none."""
    said = each.message.default_model_filename if each.message is not None else ""
    for version in each.versions[:1]:
        there = {path.name.removesuffix(POINTER) for path in version.iterdir()}
        names = {said} if said else there
        return next((FILES[name] for name in FILES if name in names), "")
    return ""


def _own_library(each: Config) -> bool:
    """Whether the backend's library is the model's own, or is named in ``runtime``."""
    message = each.message
    name = message.backend if message is not None else ""
    library = (message.runtime if message is not None else "") or f"libtriton_{name}.so"
    return any((folder / library).is_file() for folder in (each.directory, *each.versions))
