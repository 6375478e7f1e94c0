"""Read an ONNX graph as it will be served, with its tensors as ONNX Runtime reports them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.signature import GraphTensor as Declared
from slipway.signature import Shape, Signature, onnx

BYTES = "BYTES"
# Triton has BF16, but neither its ONNX backend nor numpy does
UNSERVED = {"BF16"}
FATAL = (
    4  # ONNX Runtime's log level: an error raises an exception here, and the log would repeat it
)


@dataclass(frozen=True)
class OnnxTensor:
    """An input or output of the graph; ``datatype`` is Triton's name.

    ``shape`` has ``None`` for an unknown size and text for a named one; it is ``None`` if the rank
    is unknown. ``stated`` is false if ONNX Runtime infers more than the file declares.
    """

    name: str
    datatype: str
    shape: tuple[int | str | None, ...] | None
    stated: bool = True


@dataclass(frozen=True)
class Graph:
    """The graph in ``file``; ``external`` are the files in its folder that hold tensors.

    ``optional`` are names of inputs with a default value in the graph, which is always used.
    """

    file: Path
    inputs: tuple[OnnxTensor, ...]
    outputs: tuple[OnnxTensor, ...]
    optional: tuple[str, ...]
    external: tuple[str, ...]
    session: Any  # onnxruntime.InferenceSession

    def run(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Return the outputs by name. ONNX Runtime's exceptions have no common public root."""
        names = [tensor.name for tensor in self.outputs]
        return dict(zip(names, self.session.run(names, inputs), strict=True))


def read_graph(file: Path) -> Graph:
    """Return the graph in ``file``, opened with the ONNX Runtime that the local server uses.

    Raises:
        SlipwayError: it is not an ONNX model, ONNX Runtime cannot open it, its files are outside
            its folder, or Triton cannot serve the type or shape of an input or output.
    """
    signature = onnx.read_onnx(file)
    for side, declarations in (("input", signature.inputs), ("output", signature.outputs)):
        for declared in declarations:
            _refuse_type(file, side, declared)
    _refuse_external(file, signature)
    session = _session(file)
    inputs = _tensors(signature.inputs, session.get_inputs())
    outputs = _tensors(signature.outputs, session.get_outputs())
    if not inputs:
        raise SlipwayError(
            "the graph has no required input: an ensemble starts a step only when it has an input",
            where=str(file),
            fix="make one of its constants an input",
        )
    for tensor in inputs:
        _refuse_shape(file, "input", tensor)
    for tensor in outputs:
        _refuse_shape(file, "output", tensor)
    optional = tuple(tensor.name for tensor in signature.optional_inputs)
    return Graph(file, inputs, outputs, optional, signature.external_data, session)


def _tensors(declared: tuple[Declared, ...], nodes: list[Any]) -> tuple[OnnxTensor, ...]:
    """Return tensors with the types of the header and the shapes that ONNX Runtime infers.

    The native backend compares the config with the inferred shapes (onnxruntime_utils.cc).
    """
    shapes = {node.name: node.shape for node in nodes}
    tensors = []
    for tensor in declared:
        shape = shapes.get(tensor.name) or ()
        inferred = tuple(dim if isinstance(dim, int) else dim or None for dim in shape)
        ranked = bool(shape) or tensor.shape is not None
        stated = tensor.shape is not None and _sizes(tensor.shape) == _sizes(inferred)
        tensors.append(
            OnnxTensor(tensor.name, tensor.datatype, inferred if ranked else None, stated)
        )
    return tuple(tensors)


def _sizes(shape: Shape) -> list[int]:
    return [dim if isinstance(dim, int) else -1 for dim in shape]


def _session(file: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = FATAL
    options.intra_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(str(file), options, ["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no common public root
        message = " ".join(str(error).split()).replace(f" from {file} ", " ")
        raise SlipwayError(
            f"ONNX Runtime {onnxruntime.__version__} cannot open it: {message}",
            where=str(file),
            fix="export it with an opset and operators that this release supports",
        ) from error


def _refuse_type(file: Path, side: str, tensor: Declared) -> None:
    if not tensor.carried or tensor.datatype in UNSERVED:
        raise SlipwayError(
            f"{side} {tensor.name!r} is {tensor.datatype}, which Triton does not support",
            where=str(file),
            fix="export the graph with plain tensors of bool, int, uint, float16/32/64 or string",
        )


def _refuse_external(file: Path, signature: Signature) -> None:
    folder = file.resolve().parent
    for name in signature.external_data:
        path = Path(name)
        if path.is_absolute() or not (folder / path).resolve().is_relative_to(folder):
            raise SlipwayError(
                f"its tensors are in {name!r}, outside its folder: only files in it are packed",
                where=str(file),
                fix="save its external data in the same folder",
            )
        if not (folder / path).is_file():
            raise SlipwayError(
                f"its tensors are in {name!r}, which does not exist",
                where=str(file),
                fix=f"copy that file to {file.parent}",
            )


def _refuse_shape(file: Path, side: str, tensor: OnnxTensor) -> None:
    if tensor.shape is not None and 0 in tensor.shape:
        raise SlipwayError(
            f"{side} {tensor.name!r} has a size of 0 in {list(tensor.shape)}: Triton's dims are at"
            " least 1",
            where=str(file),
            fix="export it without that tensor, or with a free size in its place",
        )
    if side == "input" and tensor.shape is None:
        raise SlipwayError(
            f"the graph does not declare how many dimensions input {tensor.name!r} has: Triton's"
            " ONNX backend would pass a scalar",
            where=str(file),
            fix="export it with the input's shape, with free sizes for varying dimensions",
        )
    if side == "input" and tensor.shape == () and tensor.datatype == BYTES:
        raise SlipwayError(
            f"input {tensor.name!r} is a scalar string, which Triton's ONNX backend cannot pass",
            where=str(file),
            fix="export it with the shape [1]",
        )
