"""A module or an exported program of PyTorch as a graph of ONNX."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from slipway.errors import SlipwayError
from slipway.formats.format import Tensor
from slipway.formats.graphs.traces import drop_traces
from slipway.formats.networks.torch_inputs import example
from slipway.formats.networks.torch_module import run, wrapped

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 18  # that of the exporter's own operators; others it converts
OLD_OPSET = 17  # of the exporter that traces
FIX = "--backend pytorch serves it as TorchScript"


def of_program(program: Any, inputs: Sequence[Tensor], outputs: Sequence[str]) -> ModelProto:
    """Return the graph of a ``torch.export.ExportedProgram``, with these names.

    Raises:
        SlipwayError: an operator has no counterpart in ONNX.
    """
    import torch

    with _silent():
        try:
            made = torch.onnx.export(
                program,
                (),
                None,
                dynamo=True,
                opset_version=OPSET,
                input_names=[x.name for x in inputs],
                output_names=list(outputs),
                external_data=False,
                verbose=False,
            )
        except Exception as error:  # torch raises its own errors, which have no common root
            what = f"PyTorch cannot export it to ONNX: {cause(error)}"
            raise SlipwayError(what, fix=FIX) from error
    model: ModelProto = made.model_proto
    drop_traces(model)
    return model


def of_module(module: Any, inputs: Sequence[Tensor]) -> tuple[ModelProto, tuple[str, ...]]:
    """Return the graph of a module for any number of rows, and notes on how it was made.

    ``torch.export`` finds what depends on sizes; where it gives up (recurrent layers, scripted
    code), the older exporter traces one call.

    Raises:
        SlipwayError: neither can.
    """
    import torch

    tensors = example(inputs)
    names = list(run(module, tensors))
    flat = wrapped(module)
    first = "it is compiled code" if _compiled(module) else ""
    if not first:
        shapes = {"arguments": tuple(_dynamic(x) for x in inputs)}
        try:
            with _silent():
                program = torch.export.export(flat, tensors, dynamic_shapes=shapes, strict=False)
            return of_program(program, inputs, names), ()
        except SlipwayError as error:
            first = error.what
        except Exception as error:  # torch raises its own errors, which have no common root
            first = cause(error)
    try:
        return _traced(flat, tensors, inputs, names), (f"traced, since {first}",)
    except Exception as error:  # as above
        what = f"PyTorch cannot export it to ONNX: {first}; traced: {cause(error)}"
        raise SlipwayError(what, fix=FIX) from error


def cause(error: BaseException) -> str:
    """Return the line of an error of PyTorch that says something, without its advice."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [
        x for x in lines if not x.startswith(("Failed to", "##", "-", "⬆", "(Refer", "<class"))
    ]
    return (telling or lines or [type(error).__name__])[0][:250]


def _traced(flat: Any, tensors: Any, inputs: Sequence[Tensor], names: list[str]) -> ModelProto:
    import onnx
    import torch

    axes = {
        x.name: {0: "batch"} | {i + 1: f"{x.name}_{i}" for i, n in enumerate(x.dims) if n < 0}
        for x in inputs
    }
    file = io.BytesIO()
    with _silent(), torch.no_grad():
        torch.onnx.export(
            flat,
            tensors,
            file,
            dynamo=False,
            opset_version=OLD_OPSET,
            input_names=[x.name for x in inputs],
            output_names=names,
            dynamic_axes=axes | {name: {0: "batch"} for name in names},
        )
    model = onnx.load_from_string(file.getvalue())
    drop_traces(model)
    return model


def _dynamic(x: Tensor) -> dict[int, Any]:
    import torch

    free = torch.export.Dim.DYNAMIC
    return {0: free} | {i + 1: free for i, size in enumerate(x.dims) if size < 0}


def _compiled(module: Any) -> bool:
    import torch

    return any(isinstance(part, torch.jit.ScriptModule) for part in module.modules())


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep the exporters' reports off the output, and fused kernels out of the graph."""
    import torch

    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    sink = io.StringIO()
    try:
        with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
