"""Which file each backend opens in a version directory, and which versions Triton loads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from slipway.check.config_file import ConfigFile
from slipway.triton.config import ModelConfig, schema

POINTER = ".dvc"
DEFAULT_VERSIONS = 1  # the number of newest versions that are loaded without a policy
# the backends' own defaults: onnxruntime.cc, tensorrt.cc, openvino.cc, model_state.cc of
# pytorch_backend, python_be.cc, dali_backend's README, vllm_backend's model.py
NAMES = {
    "onnxruntime": ("model.onnx",),
    "tensorrt": ("model.plan",),
    "openvino": ("model.xml",),
    "pytorch": ("model.pt",),
    "python": ("model.py",),
    "dali": ("model.dali", "dali.py"),
    "vllm": ("model.json",),
}
# fil_backend, model.h and serialization.h: by the parameter model_type
FOREST_NAMES = {
    "xgboost": "xgboost.model",
    "xgboost_json": "xgboost.json",
    "xgboost_ubj": "xgboost.ubj",
    "lightgbm": "model.txt",
    "treelite_checkpoint": "checkpoint.tl",
}
GRAPHDEF, SAVED_MODEL = "model.graphdef", "model.savedmodel"


def loaded_versions(config: ConfigFile, message: ModelConfig) -> list[Path]:
    """Return the version directories that Triton loads under the config's policy, ascending."""
    paths = {int(path.name): path for path in config.versions if path.name == str(int(path.name))}
    return [paths[version] for version in chosen_versions(message, paths)]


def chosen_versions(message: ModelConfig | None, versions: Iterable[int]) -> list[int]:
    """Return those of the existing model versions that Triton loads (model_lifecycle.cc)."""
    present = sorted(versions)
    policy = (message or schema().ModelConfig()).version_policy
    chosen = policy.WhichOneof("policy_choice")
    if chosen == "all":
        return present
    if chosen == "specific":
        return [version for version in present if version in policy.specific.versions]
    newest = policy.latest.num_versions if chosen == "latest" else DEFAULT_VERSIONS
    return present[-newest:] if newest else []


def expected_names(config: ConfigFile, message: ModelConfig) -> tuple[str, ...]:
    """Return the names of which the backend needs one in a version directory; empty if unknown."""
    backend = config.backend
    if message.default_model_filename:
        fallback = ("dali.py",) if backend == "dali" else ()
        is_known = backend in NAMES or backend in ("fil", "tensorflow")
        return (message.default_model_filename, *fallback) if is_known else ()
    if backend == "fil":
        kind = message.parameters.get("model_type")
        name = FOREST_NAMES.get(kind.string_value if kind is not None else "xgboost")
        return (name,) if name is not None else ()
    if backend == "tensorflow":
        platform = message.platform.removeprefix("tensorflow_")
        names = {"graphdef": (GRAPHDEF,), "savedmodel": (SAVED_MODEL,)}
        return names.get(platform, (SAVED_MODEL, GRAPHDEF))
    if backend == "pytorch" and message.runtime == "model.py":
        return ("model.py", "model.pt")
    if backend == "pytorch" and message.platform == "torch_aoti":
        return ("model.pt2",)
    if message.platform == "ensemble" or (message.runtime and backend != "python"):
        return ()
    return NAMES.get(backend, ())


def is_present(file: Path) -> bool:
    """Return whether a file or directory exists, or a DVC pointer to it."""
    return file.exists() or file.with_name(file.name + POINTER).exists()
