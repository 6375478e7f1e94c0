"""The header of an ONNX file: inputs, outputs, opsets; the weights themselves are never read.

Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from slipway.errors import SlipwayError
from slipway.signature import wire
from slipway.signature.signature import Dim, GraphTensor, Shape, Signature
from slipway.triton import generated

# onnx.TensorProto.DataType in Triton's words, where Triton has one
DATATYPES = {
    "FLOAT": "FP32",
    "DOUBLE": "FP64",
    "FLOAT16": "FP16",
    "BFLOAT16": "BF16",
    "STRING": "BYTES",
}
# the domains whose operators ONNX itself defines
STANDARD = {"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training"}
# since this version a graph's initializers need not be inputs, and those that are may be overridden
OVERRIDABLE_SINCE = 4
FLATBUFFER = b"ORTM"  # at offset 4 of ONNX Runtime's own format


def read_onnx(file: Path) -> Signature:
    """The signature of the ONNX model in ``file``.

    Raises:
        SlipwayError: it is missing, is no ONNX model, or is cut short.
    """
    try:
        with file.open("rb") as stream:
            if not stream.read(1):
                raise _not_onnx(file, "it is empty")
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                found = _Found(data)
                try:
                    _model(found, len(data))
                except wire.MalformedError as error:
                    raise _not_onnx(file, str(error)) from error
                except UnicodeDecodeError as error:
                    raise _not_onnx(file, "a name in it is not UTF-8") from error
    except FileNotFoundError as error:
        raise SlipwayError("no such file", where=str(file), fix="put the model there") from error
    if not found.has_graph or not found.ir_version:
        raise _not_onnx(file, "it holds no graph")
    return _signature(found)


def is_flatbuffer(file: Path) -> bool:
    """Whether ``file`` is in ONNX Runtime's own format, which it serves as well."""
    with file.open("rb") as stream:
        return stream.read(8)[4:] == FLATBUFFER


def schema() -> ModuleType:
    """onnx's generated ``onnx_ml_pb2``."""
    return generated.load_module("onnx.onnx_ml_pb2")


@dataclass
class _Found:
    """What a walk through the file gathers."""

    data: mmap.mmap
    has_graph: bool = False
    ir_version: int = 0
    opsets: dict[str, int] = field(default_factory=dict)
    inputs: list[GraphTensor] = field(default_factory=list)
    outputs: list[GraphTensor] = field(default_factory=list)
    initializers: set[str] = field(default_factory=set)
    operators: set[tuple[str, str]] = field(default_factory=set)
    functions: set[tuple[str, str]] = field(default_factory=set)
    external: set[str] = field(default_factory=set)

    def text(self, start: int, end: int) -> str:
        return self.data[start:end].decode()


def _signature(found: _Found) -> Signature:
    overridable = found.ir_version >= OVERRIDABLE_SINCE
    foreign = {each for each in found.operators if each[0] not in STANDARD} - found.functions
    return Signature(
        format="onnx",
        inputs=tuple(each for each in found.inputs if each.name not in found.initializers),
        optional_inputs=tuple(
            each for each in found.inputs if overridable and each.name in found.initializers
        ),
        outputs=tuple(found.outputs),
        ir_version=found.ir_version,
        opsets=dict(sorted(found.opsets.items())),
        operators=tuple(sorted("::".join(each) for each in foreign)),
        external_data=tuple(sorted(found.external)),
    )


def _model(found: _Found, size: int) -> None:
    for number, kind, start, end in wire.fields(found.data, 0, size):
        if number == 1 and kind == wire.VARINT:
            found.ir_version = start
        elif kind != wire.BYTES:
            continue
        elif number == 7:
            found.has_graph = True
            _graph(found, start, end, outermost=True)
        elif number == 8:
            _opset(found, start, end)
        elif number == 25:
            _function(found, start, end)


def _opset(found: _Found, start: int, end: int) -> None:
    message = schema().OperatorSetIdProto.FromString(found.data[start:end])
    domain = "" if message.domain == "ai.onnx" else message.domain
    found.opsets[domain] = max(message.version, found.opsets.get(domain, 0))


def _function(found: _Found, start: int, end: int) -> None:
    name = domain = ""
    for number, kind, begin, stop in wire.fields(found.data, start, end):
        if kind != wire.BYTES:
            continue
        if number == 1:
            name = found.text(begin, stop)
        elif number == 7:
            _node(found, begin, stop)
        elif number == 10:
            domain = found.text(begin, stop)
    found.functions.add((domain, name))


def _graph(found: _Found, start: int, end: int, *, outermost: bool = False) -> None:
    for number, kind, begin, stop in wire.fields(found.data, start, end):
        if kind != wire.BYTES:
            continue
        if number == 1:
            _node(found, begin, stop)
        elif number == 5:
            name = _tensor(found, begin, stop)
            if outermost:
                found.initializers.add(name)
        elif number == 15:
            for inner, _, first, last in wire.fields(found.data, begin, stop):
                name = _tensor(found, first, last) if inner in (1, 2) else ""
                if outermost and inner == 1:
                    found.initializers.add(name)
        elif number == 11 and outermost:
            found.inputs.append(_value(found, begin, stop))
        elif number == 12 and outermost:
            found.outputs.append(_value(found, begin, stop))


def _node(found: _Found, start: int, end: int) -> None:
    operator = domain = ""
    for number, kind, begin, stop in wire.fields(found.data, start, end):
        if kind != wire.BYTES:
            continue
        if number == 4:
            operator = found.text(begin, stop)
        elif number == 7:
            domain = found.text(begin, stop)
        elif number == 5:
            _attribute(found, begin, stop)
    found.operators.add((domain, operator))


def _attribute(found: _Found, start: int, end: int) -> None:
    """What lies in another file, and which operators, in an attribute's tensors and graphs."""
    for number, kind, begin, stop in wire.fields(found.data, start, end):
        if kind != wire.BYTES:
            continue
        if number in (5, 10):
            _tensor(found, begin, stop)
        elif number in (6, 11):
            _graph(found, begin, stop)


def _tensor(found: _Found, start: int, end: int) -> str:
    """The tensor's name; its external file is noted."""
    name = ""
    for number, kind, begin, stop in wire.fields(found.data, start, end):
        if kind != wire.BYTES:
            continue
        if number == 8:
            name = found.text(begin, stop)
        elif number == 13:
            entry = schema().StringStringEntryProto.FromString(found.data[begin:stop])
            if entry.key == "location":
                found.external.add(entry.value)
    return name


def _value(found: _Found, start: int, end: int) -> GraphTensor:
    try:
        message = schema().ValueInfoProto.FromString(found.data[start:end])
    except Exception as error:  # protobuf's implementations raise different ones
        raise wire.MalformedError("an input or output cannot be read") from error
    return GraphTensor(message.name, *_type(message.type))


def _type(message: Any) -> tuple[str, Shape | None]:
    kind = message.WhichOneof("value")
    if kind == "tensor_type":
        tensor = message.tensor_type
        shape = tuple(map(_dim, tensor.shape.dim)) if tensor.HasField("shape") else None
        return _datatype(tensor.elem_type), shape
    if kind == "sparse_tensor_type":
        return f"sparse({_datatype(message.sparse_tensor_type.elem_type)})", None
    if kind in ("sequence_type", "optional_type"):
        inner, _ = _type(getattr(message, kind).elem_type)
        return f"{kind.removesuffix('_type')}({inner})", None
    if kind == "map_type":
        value, _ = _type(message.map_type.value_type)
        return f"map({_datatype(message.map_type.key_type)}, {value})", None
    return "UNDEFINED", None


def _datatype(number: int) -> str:
    data_type = schema().TensorProto.DataType
    name = data_type.Name(number) if number in data_type.values() else f"type {number}"
    return DATATYPES.get(name, name)


def _dim(dim: Any) -> Dim:
    kind = dim.WhichOneof("value")
    if kind == "dim_value":
        # exporters write -1 for what they do not know
        return int(dim.dim_value) if dim.dim_value >= 0 else None
    return str(dim.dim_param) or None if kind == "dim_param" else None


def _not_onnx(file: Path, why: str) -> SlipwayError:
    return SlipwayError(
        f"not an ONNX model: {why}",
        where=str(file),
        fix="export it again; a file of a few lines may be a pointer of git LFS: git lfs pull",
    )
