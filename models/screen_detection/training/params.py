"""params.yaml, by section."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
MODEL = HERE.parent


def params(section: str) -> dict[str, Any]:
    """One section of params.yaml."""
    values: dict[str, Any] = yaml.safe_load((HERE / "params.yaml").read_text())[section]
    return values


@dataclass(frozen=True)
class Prepare:
    """See params.yaml; sizes are width and height in pixels."""

    seed: int
    pairs: int
    frames: list[tuple[int, int]]
    pitch: tuple[float, float]
    quality: tuple[int, int]
    halftone: float


@dataclass(frozen=True)
class Train:
    """See params.yaml; crop is in pixels."""

    seed: int
    crop: int
    crops: int
    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
