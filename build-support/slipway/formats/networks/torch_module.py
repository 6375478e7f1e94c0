"""A module of PyTorch with flat outputs: its answers, their names, and what its tables hold."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.formats.format import Array, Converted, Tensor
from slipway.formats.networks.examples import column
from slipway.formats.networks.torch_inputs import DATATYPES
from slipway.formats.rows import answer_in_batches


def quiet() -> None:
    """Silence PyTorch's exporters, and keep it off the GPU. Before its first import."""
    import logging
    import os
    import warnings

    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    os.environ["TORCH_LOGS"] = "-all"
    warnings.filterwarnings("ignore", module="torch")
    warnings.filterwarnings("ignore", category=FutureWarning)
    logging.getLogger("torch").setLevel(logging.CRITICAL)
    logging.getLogger("onnxscript").setLevel(logging.CRITICAL)


def load_script(source: Path) -> tuple[Any, bool]:
    """Return a TorchScript module in evaluation mode, and whether it was saved in training mode.

    Raises:
        SlipwayError: PyTorch cannot load it.
    """
    quiet()
    import torch

    try:
        module = torch.jit.load(source, map_location="cpu")
    except RuntimeError as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        what = f"PyTorch {torch.__version__} cannot load it: {lines[-1][:250]}"
        raise SlipwayError(what, fix="save it again, or copy the file again") from error
    training = bool(module.training)
    return module.eval(), training


def script_arguments(module: Any) -> list[str]:
    """Return the names of the tensors that a TorchScript module's ``forward`` needs."""
    return [a.name for a in _needed(module) if "Tensor" in str(a.type)]


def fixed(module: Any, settings: Mapping[str, str]) -> tuple[Any, tuple[str, ...]]:
    """Return a module without its arguments that are no tensors: settings give their values.

    Raises:
        SlipwayError: one has no value.
    """
    import torch

    plain = [a.name for a in _needed(module) if "Tensor" not in str(a.type)]
    for name in plain:
        if name not in settings:
            what = f"it takes {name}, which is not a tensor: Triton sends tensors only"
            raise SlipwayError(what, fix=f"--set {name}=VALUE fixes it")
    if not plain:
        return module, ()
    values = {name: ast.literal_eval(settings[name]) for name in plain}

    class Fixed(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def forward(self, *tensors: Any) -> Any:
            return self.module(*tensors, **values)

    return Fixed().eval(), tuple(f"{name} is always {value!r}" for name, value in values.items())


def _needed(module: Any) -> list[Any]:
    return [a for a in module.forward.schema.arguments[1:] if not a.has_default_value()]


def flat(made: Any) -> dict[str, Any]:
    """Return the tensors of a module's answer by name.

    Keys of dictionaries and fields of named tuples are names; else ``output``, or ``output_0`` ….

    Raises:
        SlipwayError: there is something else than tensors in it.
    """
    import torch

    if isinstance(made, torch.Tensor):
        return {"output": made}
    if isinstance(made, Mapping):
        pairs = list(made.items())
    elif hasattr(made, "_fields"):
        pairs = list(zip(made._fields, made, strict=True))
    elif hasattr(made, "to_tuple"):  # outputs of transformers, which are dictionaries too
        pairs = list(dict(made).items())
    elif isinstance(made, list | tuple):
        pairs = [(f"output_{i}", part) for i, part in enumerate(made)]
    else:
        pairs = [("output", made)]
    tensors: dict[str, Any] = {}
    for name, part in pairs:
        if part is None:
            continue
        if isinstance(part, torch.Tensor):
            tensors[str(name)] = part
        elif isinstance(part, Mapping | list | tuple):
            tensors |= {f"{name}_{inner}": value for inner, value in flat(part).items()}
        else:
            what = f"the model returns {type(part).__name__} as {name}, not a tensor"
            raise SlipwayError(what, fix="return tensors only, or serve it as a Python model")
    return tensors


def wrapped(module: Any) -> Any:
    """Return a module that returns a tuple of the tensors, each with its rows in a column."""
    import torch

    class Flat(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def forward(self, *arguments: Any) -> Any:
            made = flat(self.module(*arguments)).values()
            return tuple(part[:, None] if part.dim() == 1 else part for part in made)

    return Flat()


def run(module: Any, tensors: Sequence[Any]) -> dict[str, Any]:
    """Return a module's tensors by name.

    Raises:
        SlipwayError: it fails with inputs of these sizes and types.
    """
    import torch

    with torch.no_grad():
        try:
            return flat(module(*tensors))
        except (RuntimeError, TypeError, ValueError, IndexError, AssertionError) as error:
            sizes = "; ".join(f"{list(t.shape)} {str(t.dtype)[6:]}" for t in tensors)
            lines = [line for line in str(error).splitlines() if line.strip()]
            what = f"the model fails with inputs of {sizes} (rows first): {lines[-1][:200]}"
            fix = "--set input=… describes others, as NAME:TYPE:SIZES"
            raise SlipwayError(what, fix=fix) from error


def check_repeatable(module: Any, tensors: Sequence[Any]) -> None:
    """Raise if two calls with the same tensors differ.

    Raises:
        SlipwayError: dropout is on, it draws random numbers, or it keeps a state.
    """
    import torch

    first, second = run(module, tensors), run(module, tensors)
    for name, made in first.items():
        if not torch.equal(made.nan_to_num(), second[name].nan_to_num()):
            what = (
                f"{name} differs from call to call: dropout is on, it draws random numbers, or it "
                "keeps a state, which clients would share"
            )
            fix = (
                "nn.Dropout instead of F.dropout(…, training=True), model.eval() before a trace; "
                "a state has to be an input and an output"
            )
            raise SlipwayError(what, fix=fix)


def answers(module: Any, converted: Converted, rows: Mapping[str, Array]) -> dict[str, Array]:
    """Return a module's answers to rows as arrays, by the names of the outputs."""
    import torch

    inputs, outputs = converted.inputs, converted.outputs
    max_batch_size = converted.max_batch_size

    def answer(part: Mapping[str, Array]) -> dict[str, Array]:
        given = [torch.from_numpy(np.ascontiguousarray(part[x.name])) for x in inputs]
        made = list(run(module, given).values())
        arrays = [column(tensor.numpy(), max_batch_size) for tensor in made]
        return {x.name: array for x, array in zip(outputs, arrays, strict=True)}

    return answer_in_batches(answer, dict(rows), max_batch_size)


def described(made: Mapping[str, Any], dims: Mapping[str, Sequence[int]]) -> tuple[Tensor, ...]:
    """Return tensors of an answer as outputs; ``dims`` are those of one row."""
    outputs = []
    for name, part in made.items():
        kind = str(part.dtype).removeprefix("torch.")
        if kind not in DATATYPES:
            what = f"the output {name} is of {kind}, which Triton's clients cannot read"
            raise SlipwayError(what, fix=f"return {name}.float() in the model")
        outputs.append(Tensor(name, DATATYPES[kind], tuple(dims[name])))
    return tuple(outputs)


def smallest_table(module: Any) -> int | None:
    """Return the number of rows of its smallest table of embeddings."""
    sizes = [
        part.weight.shape[0]
        for part in module.modules()
        if (getattr(part, "original_name", None) or type(part).__name__) == "Embedding"
    ]
    return min(sizes, default=None)
