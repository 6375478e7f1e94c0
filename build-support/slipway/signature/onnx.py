"""Read the header of an ONNX file: inputs, outputs, opsets; the weights themselves are skipped.

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
from slipway.signature.formats import recognize_format
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
# ONNX Runtime asks the machine for a locale when it loads this operator, even if it changes no case
OF_A_LOCALE = "StringNormalizer"
DEFAULT_LOCALE = "en_US.UTF-8"  # ONNX Runtime's, on Linux: string_normalizer.cc
FLATBUFFER = b"ORTM"  # at offset 4 of ONNX Runtime's own format


def read_onnx(file: Path) -> Signature:
    """Return the signature of the ONNX model in ``file``.

    Raises:
        SlipwayError: it is missing, truncated, or not an ONNX model.
    """
    if file.is_dir():
        raise _not_onnx(file, "it is a folder")
    try:
        with file.open("rb") as stream:
            if not stream.read(1):
                raise _not_onnx(file, "it is empty")
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                header = _Header(data)
                try:
                    _model(header, len(data))
                except wire.MalformedError as error:
                    raise _not_onnx(file, str(error)) from error
                except UnicodeDecodeError as error:
                    raise _not_onnx(file, "a name in it is not UTF-8") from error
    except FileNotFoundError as error:
        raise SlipwayError("no such file", where=str(file), fix="put the model there") from error
    if not header.has_graph or not header.ir_version:
        raise _not_onnx(file, "it holds no graph")
    return _signature(header)


def is_flatbuffer(file: Path) -> bool:
    """Return whether ``file`` is in ONNX Runtime's own format, which it serves as well."""
    with file.open("rb") as stream:
        return stream.read(8)[4:] == FLATBUFFER


def schema() -> ModuleType:
    """Return onnx's generated ``onnx_ml_pb2``."""
    return generated.load_module("onnx.onnx_ml_pb2")


@dataclass
class _Header:
    """The parts of a file that reading it collects."""

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
    locales: set[str] = field(default_factory=set)

    def text(self, start: int, end: int) -> str:
        return self.data[start:end].decode()


def _signature(header: _Header) -> Signature:
    overridable = header.ir_version >= OVERRIDABLE_SINCE
    foreign = {
        operator for operator in header.operators if operator[0] not in STANDARD
    } - header.functions
    return Signature(
        format="onnx",
        inputs=tuple(tensor for tensor in header.inputs if tensor.name not in header.initializers),
        optional_inputs=tuple(
            tensor for tensor in header.inputs if overridable and tensor.name in header.initializers
        ),
        outputs=tuple(header.outputs),
        ir_version=header.ir_version,
        opsets=dict(sorted(header.opsets.items())),
        operators=tuple(sorted("::".join(operator) for operator in foreign)),
        external_data=tuple(sorted(header.external)),
        locales=tuple(sorted(header.locales)),
    )


def _model(header: _Header, size: int) -> None:
    for number, kind, start, end in wire.fields(header.data, 0, size):
        if number == 1 and kind == wire.VARINT:
            header.ir_version = start
        elif kind != wire.BYTES:
            continue
        elif number == 7:
            header.has_graph = True
            _graph(header, start, end, outermost=True)
        elif number == 8:
            _opset(header, start, end)
        elif number == 25:
            _function(header, start, end)


def _opset(header: _Header, start: int, end: int) -> None:
    message = schema().OperatorSetIdProto.FromString(header.data[start:end])
    domain = "" if message.domain == "ai.onnx" else message.domain
    header.opsets[domain] = max(message.version, header.opsets.get(domain, 0))


def _function(header: _Header, start: int, end: int) -> None:
    name = domain = ""
    for number, kind, begin, stop in wire.fields(header.data, start, end):
        if kind != wire.BYTES:
            continue
        if number == 1:
            name = header.text(begin, stop)
        elif number == 7:
            _node(header, begin, stop)
        elif number == 10:
            domain = header.text(begin, stop)
    header.functions.add((domain, name))


def _graph(header: _Header, start: int, end: int, *, outermost: bool = False) -> None:
    for number, kind, begin, stop in wire.fields(header.data, start, end):
        if kind != wire.BYTES:
            continue
        if number == 1:
            _node(header, begin, stop)
        elif number == 5:
            name = _tensor(header, begin, stop)
            if outermost:
                header.initializers.add(name)
        elif number == 15:
            for inner, _, first, last in wire.fields(header.data, begin, stop):
                name = _tensor(header, first, last) if inner in (1, 2) else ""
                if outermost and inner == 1:
                    header.initializers.add(name)
        elif number == 11 and outermost:
            header.inputs.append(_value(header, begin, stop))
        elif number == 12 and outermost:
            header.outputs.append(_value(header, begin, stop))


def _node(header: _Header, start: int, end: int) -> None:
    operator = domain = locale = ""
    for number, kind, begin, stop in wire.fields(header.data, start, end):
        if kind != wire.BYTES:
            continue
        if number == 4:
            operator = header.text(begin, stop)
        elif number == 7:
            domain = header.text(begin, stop)
        elif number == 5:
            locale = _attribute(header, begin, stop) or locale
    header.operators.add((domain, operator))
    if operator == OF_A_LOCALE:
        header.locales.add(locale or DEFAULT_LOCALE)


def _attribute(header: _Header, start: int, end: int) -> str:
    """Read the external files and the operators of an attribute's tensors and graphs.

    Return the text of the attribute "locale".
    """
    name = text = ""
    for number, kind, begin, stop in wire.fields(header.data, start, end):
        if kind != wire.BYTES:
            continue
        if number == 1:
            name = header.text(begin, stop)
        elif number == 4 and name == "locale":
            text = header.text(begin, stop)
        elif number in (5, 10):
            _tensor(header, begin, stop)
        elif number in (6, 11):
            _graph(header, begin, stop)
    return text


def _tensor(header: _Header, start: int, end: int) -> str:
    """Return the tensor's name; record its external file."""
    name = ""
    for number, kind, begin, stop in wire.fields(header.data, start, end):
        if kind != wire.BYTES:
            continue
        if number == 8:
            name = header.text(begin, stop)
        elif number == 13:
            entry = schema().StringStringEntryProto.FromString(header.data[begin:stop])
            if entry.key == "location":
                header.external.add(entry.value)
    return name


def _value(header: _Header, start: int, end: int) -> GraphTensor:
    try:
        message = schema().ValueInfoProto.FromString(header.data[start:end])
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
    """Return the error that names the file's format, or if it is none that is known, ``why``."""
    known = recognize_format(file)
    what = f"not an ONNX model: {why}" if known is None else f"not an ONNX model, but {known.name}"
    fix = "export the model again" if known is None else known.fix
    return SlipwayError(what, where=str(file), fix=fix)
