"""The graph of a neural network, made fit for Triton and written as ``model.onnx``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.errors import SlipwayError
from slipway.formats.format import Tensor
from slipway.formats.graphs.canonical import number_nodes
from slipway.formats.graphs.limits import lower
from slipway.formats.graphs.shapes import make_column

if TYPE_CHECKING:
    from onnx import AttributeProto, ModelProto, ValueInfoProto

NAME = "model.onnx"
LARGEST = 2**31 - 1  # bytes: protobuf's own limit of a message
DATATYPES = {"FLOAT": "FP32", "DOUBLE": "FP64", "FLOAT16": "FP16", "STRING": "BYTES"}
FEW_ROWS = 16
FLOAT16, BFLOAT16 = 10, 16  # of TensorProto.DataType
# of half precision: 11 bits of mantissa in each of some layers
HALF_TOLERANCE = 5e-3
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Written:
    """What ``model.onnx`` takes and gives. ``max_batch_size`` is 0 where rows cannot be joined."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    repairs: tuple[str, ...]
    notes: tuple[str, ...]
    max_batch_size: int
    tolerance: float


def write(
    model: ModelProto,
    out: Path,
    triton: str,
    known: Sequence[Tensor] = (),
    repairs: Sequence[str] = (),
) -> Written:
    """Write a graph to the folder ``out``, lowered for ``triton``; say what it takes and gives.

    Its first dimension is the batch where it is free in every input and output. ``known`` are
    inputs with their features and examples.

    Raises:
        SlipwayError: an operator is not ONNX's, a type is none of Triton's, or it has over 2 GB.
    """
    done = [*repairs, *lower(model, triton)]
    check_operators(model)
    _check_types(model)
    notes = []
    values = (*model.graph.input, *model.graph.output)
    batched = all(_free_first(value) for value in values)
    if batched:
        for value in model.graph.output:
            if len(value.type.tensor_type.shape.dim) == 1:
                done += make_column(model, value.name)
        _name_dims(model)
    else:
        fixed = next(value.name for value in values if not _free_first(value))
        notes.append(f"rows cannot be joined: the first size of {fixed} is not free")
    if model.ByteSize() > LARGEST:
        what = f"the graph has {model.ByteSize() / 1e9:.1f} GB, and a file of ONNX at most 2"
        raise SlipwayError(what, fix="serve it with --backend pytorch, or split it")
    number_nodes(model)
    (out / NAME).write_bytes(model.SerializeToString(deterministic=True))
    half = any(tensor.data_type == FLOAT16 for tensor in model.graph.initializer)
    if half:
        notes.append(f"half precision inside: compared with a tolerance of {HALF_TOLERANCE}")
    drawn = {x.name: x for x in known}
    return Written(
        inputs=tuple(_tensor(v, batched, drawn.get(v.name)) for v in model.graph.input),
        outputs=tuple(_tensor(v, batched) for v in model.graph.output),
        repairs=tuple(done),
        notes=tuple(notes),
        max_batch_size=FEW_ROWS if batched else 0,
        tolerance=HALF_TOLERANCE if half else TOLERANCE,
    )


def check_operators(model: ModelProto) -> None:
    """Raise if the graph has an operator that ONNX does not define: converters leave those in.

    Raises:
        SlipwayError: their names, and what serves the model instead.
    """
    from onnx import defs

    own = {(function.domain, function.name) for function in model.functions}
    foreign = sorted(
        {
            node.op_type
            for node in model.graph.node
            if (node.domain, node.op_type) not in own
            and not defs.has(node.op_type, node.domain if node.domain != "ai.onnx" else "")
        }
    )
    if foreign:
        what = f"ONNX has no operator for {', '.join(foreign[:5])}"
        fix = (
            "leave this step out of the saved model and do it in preprocessing, or serve it as a "
            "Python model with the framework in its environment"
        )
        raise SlipwayError(what, fix=fix)


def _check_types(model: ModelProto) -> None:
    """Raise if it computes in bfloat16: ONNX Runtime has hardly an operator for it on CPUs."""
    types = [tensor.data_type for tensor in model.graph.initializer]
    types += [attribute.i for attribute in _attributes(model) if attribute.name == "to"]
    if BFLOAT16 in types:
        what = "it computes in bfloat16, for which ONNX Runtime has no operators on CPUs"
        fix = "save the model in float32: model.float(), or keras' set_dtype_policy('float32')"
        raise SlipwayError(what, fix=fix)


def _attributes(model: ModelProto) -> Iterator[AttributeProto]:
    for node in model.graph.node:
        yield from node.attribute


def _free_first(value: ValueInfoProto) -> bool:
    dims = value.type.tensor_type.shape.dim
    return bool(dims) and not dims[0].HasField("dim_value")


def _name_dims(model: ModelProto) -> None:
    """Call the batch of every tensor the same; ONNX Runtime then checks that they agree."""
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"


def _tensor(value: ValueInfoProto, batched: bool, known: Tensor | None = None) -> Tensor:
    from onnx import TensorProto

    kind = TensorProto.DataType.Name(value.type.tensor_type.elem_type)
    datatype = DATATYPES.get(kind, kind)
    if datatype in ("COMPLEX64", "COMPLEX128", "BFLOAT16", "UNDEFINED"):
        what = f"{value.name} is of the type {kind.lower()}, which cannot be served from ONNX"
        raise SlipwayError(what, fix="convert it to float32 in the model, and save it again")
    dims = [
        d.dim_value if d.HasField("dim_value") else -1 for d in value.type.tensor_type.shape.dim
    ]
    sizes = tuple(dims[1:] if batched else dims)
    if known is None:
        return Tensor(value.name, datatype, sizes)
    return Tensor(value.name, datatype, sizes, known.features, known.example)
