"""The config's parameters, as the native backend of a release reads them.

fil_backend, src/shared_state.h (load); rapidsai/rapids-triton, model/shared_state.hpp
(get_config_param). The messages are theirs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

# the default file of each model_type (src/model.h, model_file)
FILES = {
    "xgboost": "xgboost.model",
    "xgboost_json": "xgboost.json",
    "xgboost_ubj": "xgboost.ubj",
    "lightgbm": "model.txt",
    "treelite_checkpoint": "checkpoint.tl",
}
UBJ_SINCE = "24.10"
# output_class is called is_classifier, and others are only warned of
RENAMED_SINCE = "25.09"
GPU = "slipway.kind_gpu"  # set by server/cpu_fallback.py in the copy under test
WORD = re.compile(r"\s*(\S+)")
NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
INTEGER = re.compile(r"\s*([+-]?\d+)")


@dataclass(frozen=True)
class Parameters:
    """What one model's config says; ``threads`` of -1 are all of the machine.

    ``on_gpu``: the model is for a GPU, on which some releases answer otherwise.
    """

    model_type: str
    classifies: bool
    probabilities: bool
    threshold: float
    allow_unknown_field: bool
    herring: bool
    threads: int
    on_gpu: bool


def read_parameters(values: Mapping[str, str], release: str) -> Parameters:
    """Return the parameters of a config for ``release``.

    Raises:
        ValueError: the load fails, with this message.
    """
    probabilities = _boolean(values, "predict_proba", default=False)
    model_type = _read(values, "model_type", WORD, str, "xgboost")
    known = [name for name in FILES if name != "xgboost_ubj" or release >= UBJ_SINCE]
    if model_type not in known:
        raise ValueError(f"{model_type} not recognized as a valid serialization format.")
    allow_unknown_field = _boolean(values, "xgboost_allow_unknown_field", default=False)
    classifies = _classifies(values, release)
    return Parameters(
        model_type,
        classifies,
        probabilities,
        _read(values, "threshold", NUMBER, float) if classifies else 0.5,
        allow_unknown_field,
        _boolean(values, "use_experimental_optimizations", default=False),
        _read(values, "cpu_nthread", INTEGER, int, -1),
        GPU in values,
    )


def model_file(folder: Path, file_name: str, model_type: str) -> Path:
    """Return the file that is opened in the version directory ``folder``."""
    path = folder / file_name
    return path / FILES[model_type] if path.is_dir() else path


def _classifies(values: Mapping[str, str], release: str) -> bool:
    if release < RENAMED_SINCE:
        return _boolean(values, "output_class")
    old = values.get("output_class")
    return old == "true" if old in ("true", "false") else _boolean(values, "is_classifier")


def _boolean(values: Mapping[str, str], name: str, default: bool | None = None) -> bool:
    if name not in values:
        return _default(name, default)
    if values[name] not in ("true", "false"):
        raise ValueError(
            f"Expected 'true' or 'false' for parameter '{name}', got: '{values[name]}'"
        )
    return values[name] == "true"


def _read[T](
    values: Mapping[str, str],
    name: str,
    pattern: re.Pattern[str],
    convert: Callable[[str], T],
    default: T | None = None,
) -> T:
    """Return the value that the parameter begins with, as a C++ stream reads it; what cannot be
    read is the default, in silence."""
    if name not in values:
        return _default(name, default)
    match = pattern.match(values[name])
    if match is not None:
        return convert(match[1])
    if default is None:
        raise ValueError(f"Bad input for parameter {name}")
    return default


def _default[T](name: str, default: T | None) -> T:
    if default is None:
        raise ValueError(f"Required parameter {name} not found in config")
    return default
