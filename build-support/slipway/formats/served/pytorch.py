"""Answer rows with PyTorch: TorchScript, or a program of ``torch.export``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from slipway.formats.format import Array, Converted
from slipway.formats.rows import answer_in_batches


def answer(folder: Path, rows: Mapping[str, Array], converted: Converted) -> dict[str, Array]:
    """Return the answers of the first file; inputs are passed in the order of their declaration."""
    model = _load(folder / converted.files[0])

    def run(part: dict[str, Array]) -> dict[str, Array]:
        tensors = [torch.from_numpy(np.ascontiguousarray(part[i.name])) for i in converted.inputs]
        with torch.no_grad():
            outputs = model(*tensors)
        if isinstance(outputs, dict):
            outputs = [outputs[converted.served.get(o.name, o.name)] for o in converted.outputs]
        elif isinstance(outputs, torch.Tensor):
            outputs = [outputs]
        pairs = zip(converted.outputs, outputs, strict=True)
        return {tensor.name: np.asarray(output) for tensor, output in pairs}

    return answer_in_batches(run, dict(rows), converted.max_batch_size)


def _load(file: Path) -> Callable[..., Any]:
    if file.suffix == ".pt2":
        module: Callable[..., Any] = torch.export.load(file).module()
        return module
    scripted: Callable[..., Any] = torch.jit.load(str(file), map_location="cpu").eval()
    return scripted


def versions() -> dict[str, str]:
    """Return the versions of what answered."""
    return {"torch": torch.__version__}
