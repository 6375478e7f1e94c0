"""What Triton serves of a module or program of PyTorch: a graph of ONNX, or TorchScript."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.formats.format import Converted, Options, Tensor
from slipway.formats.networks import (
    onnx_file,
    torch_module,
    torch_onnx,
    torch_program,
    torch_script,
)
from slipway.formats.networks.torch_inputs import example

PACKAGES = ("torch", "onnxscript", "onnx", "numpy")


def of_program(program: Any, out: Path, options: Options) -> Converted:
    """Write what ``options.backend`` serves of an exported program."""
    inputs, batched, most = torch_program.inputs(program)
    caller = torch_program.caller(program)
    if options.backend == "pytorch":
        if not batched:
            what = "the program takes one fixed number of rows, and cannot be traced for others"
            raise SlipwayError(what, fix="--backend onnxruntime, or export it with a dynamic batch")
        return scripted(caller, inputs, out, options, None, most=most)
    rows: tuple[str, ...] = () if batched else (_fixed(),)
    names = list(torch_module.run(caller, _examples(program, inputs)))
    try:
        graph = torch_onnx.of_program(program, inputs, names)
    except SlipwayError:
        if not batched:
            raise
        # of sizes that depend on each other; the module alone leaves them free
        graph, rows = torch_onnx.of_module(caller, inputs)
    return _onnx(graph, inputs, out, options, rows, most)


def of_module(
    module: Any,
    inputs: tuple[Tensor, ...],
    out: Path,
    options: Options,
    repairs: tuple[str, ...] = (),
) -> Converted:
    """Write what ``options.backend`` serves of a module in evaluation mode."""
    torch_module.check_repeatable(module, example(inputs))
    if options.backend == "pytorch":
        return scripted(module, inputs, out, options, None, repairs)
    graph, notes = torch_onnx.of_module(module, inputs)
    return _onnx(graph, inputs, out, options, notes, 0, repairs)


def scripted(
    module: Any,
    inputs: tuple[Tensor, ...],
    out: Path,
    options: Options,
    original: Path | None,
    repairs: tuple[str, ...] = (),
    most: int = 0,
) -> Converted:
    """Write ``model.pt`` for the pytorch backend."""
    if options.backend != "pytorch":
        raise _backend(options.backend)
    torch_module.check_repeatable(module, example(inputs))
    script = torch_script.write(module, inputs, out, original)
    return Converted(
        backend="pytorch",
        files=(torch_script.NAME,),
        inputs=script.inputs,
        outputs=script.outputs,
        served=script.served,
        repairs=repairs,
        notes=("traced: one way through the code is kept",) if script.traced else (),
        versions=versions(),
        max_batch_size=min(most or onnx_file.FEW_ROWS, onnx_file.FEW_ROWS),
        tolerance=onnx_file.TOLERANCE,
    )


def versions() -> dict[str, str]:
    """Return the versions of the programs that took part."""
    from importlib.metadata import version

    return {name: version(name) for name in PACKAGES}


def _onnx(
    graph: Any,
    inputs: tuple[Tensor, ...],
    out: Path,
    options: Options,
    notes: tuple[str, ...] = (),
    most: int = 0,
    repairs: tuple[str, ...] = (),
) -> Converted:
    if options.backend != "onnxruntime":
        raise _backend(options.backend)
    written = onnx_file.write(graph, out, options.triton, inputs, repairs)
    return Converted(
        backend="onnxruntime",
        files=(onnx_file.NAME,),
        inputs=written.inputs,
        outputs=written.outputs,
        repairs=written.repairs,
        notes=(*written.notes, *notes),
        versions=versions(),
        max_batch_size=min(written.max_batch_size, most) if most else written.max_batch_size,
        tolerance=written.tolerance,
    )


def _examples(program: Any, inputs: tuple[Tensor, ...]) -> tuple[Any, ...]:
    """Return the tensors that it was exported with, else some of its sizes."""
    from torch.utils import _pytree as tree

    given = getattr(program, "example_inputs", None)
    leaves = tree.tree_leaves(given) if given else []
    return tuple(leaves) if len(leaves) == len(inputs) else example(inputs)


def _fixed() -> str:
    return (
        "exported for one number of rows: dynamic_shapes=({0: torch.export.Dim.DYNAMIC},) would "
        "let Triton join requests"
    )


def _backend(backend: str) -> SlipwayError:
    what = f"a model of PyTorch cannot be served by the backend {backend}"
    return SlipwayError(what, fix="--backend onnxruntime or --backend pytorch")
