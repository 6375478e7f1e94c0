"""Correct the shapes that a graph declares, and give labels a column of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto


def declare(model: ModelProto, name: str, dims: Sequence[int | str | None]) -> tuple[str, ...]:
    """Declare another shape of an input or output: onnxmltools writes LightGBM's label as [1]."""
    from onnx import helper

    for value in (*model.graph.input, *model.graph.output):
        if value.name == name:
            before = _dims(value)
            kind = value.type.tensor_type.elem_type
            value.CopyFrom(helper.make_tensor_value_info(name, kind, list(dims)))
            if _dims(value) != before:
                return (f"{name} is declared as {_dims(value)} instead of {before}",)
            return ()
    raise KeyError(name)


def make_column(model: ModelProto, name: str) -> tuple[str, ...]:
    """Make an output of one value a row, [rows], a column, [rows, 1].

    Triton counts the first dimension as the batch, and wants one behind it.
    """
    from onnx import TensorProto, helper

    output = next(value for value in model.graph.output if value.name == name)
    inner = f"{name}_flat"
    for node in model.graph.node:
        node.output[:] = [inner if made == name else made for made in node.output]
        node.input[:] = [inner if read == name else read for read in node.input]
    column = f"{name}_column"
    shape = helper.make_tensor(column, TensorProto.INT64, [2], [-1, 1])
    model.graph.node.append(helper.make_node("Constant", [], [column], value=shape))
    model.graph.node.append(helper.make_node("Reshape", [inner, column], [name]))
    kind = output.type.tensor_type.elem_type
    before = _dims(output)
    output.CopyFrom(helper.make_tensor_value_info(name, kind, ["N", 1]))
    return (f"{name} has the shape [rows, 1] instead of {before}",)


def free_rows(model: ModelProto) -> tuple[str, ...]:
    """Free the first dimension of inputs and outputs, where the converter fixed it to one row."""
    repairs = []
    for value in (*model.graph.input, *model.graph.output):
        shape = value.type.tensor_type.shape
        if shape.dim and shape.dim[0].HasField("dim_value"):
            fixed = shape.dim[0].dim_value
            shape.dim[0].dim_param = "N"
            repairs.append(f"{value.name} takes any number of rows instead of {fixed}")
    return tuple(repairs)


def _dims(value: ValueInfoProto) -> list[int | str]:
    dims = value.type.tensor_type.shape.dim
    return [d.dim_value if d.HasField("dim_value") else d.dim_param or "?" for d in dims]
