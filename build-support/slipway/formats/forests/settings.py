"""The settings of forests, ``--set KEY=VALUE``, the same for XGBoost, LightGBM and checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from slipway.errors import SlipwayError

KNOWN = {
    "trees": "best or all: up to the iteration where early stopping would have ended, or all",
    "missing": "a number that stands for a missing value, besides NaN",
    "output": "probability or class (FIL)",
    "threshold": "the probability above which class 1 is answered (FIL, output=class)",
    "contributions": "true: an output with the contribution of each feature (FIL)",
    "gpu": "true: on GPUs (FIL)",
    "storage_type": "DENSE, SPARSE, SPARSE8 or AUTO: trees in a GPU's memory (FIL before 25.09)",
}


@dataclass(frozen=True)
class ForestSettings:
    """What a user has set."""

    all_trees: bool = False
    missing: float | None = None
    label_only: bool = False
    threshold: float = 0.5
    contributions: bool = False
    gpu: bool = False
    storage_type: str = "AUTO"


def read_settings(settings: Mapping[str, str]) -> ForestSettings:
    """Return the settings of a conversion.

    Raises:
        SlipwayError: an unknown setting, or a value that is none of its values.
    """
    for name in settings:
        if name not in KNOWN:
            known = "; ".join(f"{key} ({text})" for key, text in KNOWN.items())
            raise SlipwayError(f"there is no setting {name!r} of forests", fix=f"one of: {known}")
    return ForestSettings(
        _one_of(settings, "trees", ("best", "all")) == "all",
        float(_number(settings, "missing")) if "missing" in settings else None,
        _one_of(settings, "output", ("probability", "class")) == "class",
        _number(settings, "threshold") if "threshold" in settings else 0.5,
        _one_of(settings, "contributions", ("false", "true")) == "true",
        _one_of(settings, "gpu", ("false", "true")) == "true",
        _one_of(settings, "storage_type", ("AUTO", "DENSE", "SPARSE", "SPARSE8")),
    )


def _one_of(settings: Mapping[str, str], name: str, values: tuple[str, ...]) -> str:
    value = settings.get(name, values[0])
    if value not in values:
        raise SlipwayError(f"{name} is {value!r}", fix=f"--set {name}={' or '.join(values)}")
    return value


def _number(settings: Mapping[str, str], name: str) -> float:
    try:
        return float(settings[name])
    except ValueError as error:
        fix = f"--set {name}=NUMBER, such as --set {name}=-999"
        raise SlipwayError(f"{name} is {settings[name]!r}, not a number", fix=fix) from error
