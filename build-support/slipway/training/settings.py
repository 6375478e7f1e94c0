"""``training.toml`` of a model. It is read by :mod:`slipway.model.training_settings`, so that the
check, which is a layer below, reads it as well."""

from __future__ import annotations

from slipway.model.training_settings import (
    FILE_NAME,
    SageMakerSettings,
    TrainingSettings,
    load_training_settings,
)

__all__ = ["FILE_NAME", "SageMakerSettings", "TrainingSettings", "load_training_settings"]
