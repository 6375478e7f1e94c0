"""Read the interface of a model from its config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from slipway.model.folder import ENSEMBLE
from slipway.model.interface import Interface, Tensor
from slipway.triton import config
from slipway.triton.config import ModelConfig


def interface_of_config(model_config: ModelConfig) -> Interface:
    """Return the interface that a model's config declares."""
    return Interface(
        model_config.max_batch_size, _tensors(model_config.input), _tensors(model_config.output)
    )


def interface_of_folder(folder: Path) -> Interface:
    """Return the interface of the model that is served from an unpacked artifact."""
    configs = [config.load_config(path) for path in sorted(folder.glob(f"*/{config.FILE_NAME}"))]
    ensembles = [parsed for parsed in configs if parsed.platform == ENSEMBLE]
    return interface_of_config((ensembles or configs)[0])


def _tensors(declarations: Any) -> dict[str, Tensor]:
    return {
        tensor.name: Tensor(
            config.dtype_name(tensor.data_type),
            tuple(tensor.dims),
            bool(getattr(tensor, "optional", False)),
        )
        for tensor in declarations
    }
