"""TorchScript for Triton's pytorch backend: ``model.pt``, tensors called INPUT__0 and OUTPUT__0.

Source of the names: pytorch_backend's README, "Important Notes" on the naming convention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.formats.format import Tensor
from slipway.formats.networks.torch_inputs import ROWS, example
from slipway.formats.networks.torch_module import described, run, wrapped
from slipway.formats.networks.torch_onnx import cause

NAME = "model.pt"


@dataclass(frozen=True)
class Script:
    """What ``model.pt`` takes and gives; ``served``: the backend's names of its tensors."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    served: dict[str, str]
    traced: bool


def write(module: Any, inputs: tuple[Tensor, ...], out: Path, original: Path | None) -> Script:
    """Write ``model.pt``: ``original`` as it is where the backend takes it, else saved or traced.

    A trace holds the way of one call: the comparison of answers finds what depends on values.

    Raises:
        SlipwayError: it cannot be traced.
    """
    import torch

    outputs = measured(module, inputs)
    traced = False
    if original is not None:
        (out / NAME).write_bytes(original.read_bytes())
    elif isinstance(module, torch.jit.ScriptModule) and passes(module, inputs):
        torch.jit.save(module, out / NAME)
    else:
        try:
            with torch.no_grad():
                made = torch.jit.trace(wrapped(module), example(inputs), check_trace=False)
            torch.jit.save(made, out / NAME)
            traced = True
        except (RuntimeError, TypeError, ValueError) as error:
            what = f"PyTorch cannot trace it: {cause(error)}"
            raise SlipwayError(what, fix="--backend onnxruntime") from error
    served = {x.name: f"INPUT__{i}" for i, x in enumerate(inputs)}
    served |= {x.name: f"OUTPUT__{i}" for i, x in enumerate(outputs)}
    return Script(inputs, outputs, served, traced)


def measured(module: Any, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Return the outputs of a module: sizes that follow those of inputs are free.

    Raises:
        SlipwayError: the first size of an output is not the number of rows.
    """
    first = run(module, example(inputs))
    free = any(size < 0 for x in inputs for size in x.dims)
    other = run(module, _larger(inputs)) if free else first
    dims: dict[str, tuple[int, ...]] = {}
    for name, made in first.items():
        if not made.dim() or made.shape[0] != ROWS:
            what = f"the output {name} is {list(made.shape)} for {ROWS} rows: not one for each"
            raise SlipwayError(what, fix="return one row for each, with the rows first")
        sizes = zip(made.shape[1:], other[name].shape[1:], strict=True)
        dims[name] = tuple(a if a == b else -1 for a, b in sizes) or (1,)
    return described(first, dims)


def passes(module: Any, inputs: Sequence[Tensor]) -> bool:
    """Return whether the backend takes a module's answer as it is: a tensor, or a tuple of them.

    Each needs a dimension behind the batch.
    """
    import torch

    with torch.no_grad():
        made = module(*example(inputs))
    parts = [made] if isinstance(made, torch.Tensor) else made
    return isinstance(parts, list | tuple) and all(
        isinstance(part, torch.Tensor) and part.dim() > 1 for part in parts
    )


def _larger(inputs: Sequence[Tensor]) -> tuple[Any, ...]:
    """Return an example whose free sizes are others: each is doubled."""
    import torch

    return tuple(
        torch.cat([made] * 2, dim=1 + x.dims.index(-1)) if -1 in x.dims else made
        for x, made in zip(inputs, example(inputs), strict=True)
    )
