"""An ONNX graph as it will be served, with its tensors as ONNX Runtime reports them."""

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
FATAL = 4  # ONNX Runtime's log level: what fails is an exception here, and its log says it again


@dataclass(frozen=True)
class OnnxTensor:
    """An input or output of the graph; ``datatype`` is Triton's word.

    ``shape`` has ``None`` for an unknown size and text for a named one; it is ``None`` where the
    rank is not known. ``stated`` is false where ONNX Runtime infers more than the file says.
    """

    name: str
    datatype: str
    shape: tuple[int | str | None, ...] | None
    stated: bool = True


@dataclass(frozen=True)
class Graph:
    """The graph in ``file``; ``external`` are the files beside it that hold tensors.

    ``optional`` are names of inputs with a value in the graph, which is what serves.
    """

    file: Path
    inputs: tuple[OnnxTensor, ...]
    outputs: tuple[OnnxTensor, ...]
    optional: tuple[str, ...]
    external: tuple[str, ...]
    session: Any  # onnxruntime.InferenceSession

    def run(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Outputs by name; ONNX Runtime's exceptions have no common public root."""
        names = [tensor.name for tensor in self.outputs]
        return dict(zip(names, self.session.run(names, inputs), strict=True))


def read(file: Path) -> Graph:
    """The graph in ``file``, opened with the ONNX Runtime that the local server uses.

    Raises:
        SlipwayError: it is no ONNX model, ONNX Runtime cannot open it, its files lie elsewhere, or
            an input or output is of a type or shape that Triton cannot serve.
    """
    signature = onnx.read_onnx(file)
    for side, declared in (("input", signature.inputs), ("output", signature.outputs)):
        for tensor in declared:
            _refuse_type(file, side, tensor)
    _refuse_external(file, signature)
    session = _session(file)
    inputs = _tensors(signature.inputs, session.get_inputs())
    outputs = _tensors(signature.outputs, session.get_outputs())
    if not inputs:
        raise SlipwayError(
            "the graph has no input that has to be given: an ensemble starts no step without one",
            where=str(file),
            fix="make one of its constants an input",
        )
    for given in inputs:
        _refuse_shape(file, "input", given)
    for answered in outputs:
        _refuse_shape(file, "output", answered)
    optional = tuple(tensor.name for tensor in signature.optional_inputs)
    return Graph(file, inputs, outputs, optional, signature.external_data, session)


def _tensors(declared: tuple[Declared, ...], nodes: list[Any]) -> tuple[OnnxTensor, ...]:
    """What the header says of types, and what ONNX Runtime infers of shapes.

    The native backend compares the config with the inferred ones (onnxruntime_utils.cc).
    """
    shapes = {node.name: node.shape for node in nodes}
    found = []
    for tensor in declared:
        shape = shapes.get(tensor.name) or ()
        known = tuple(dim if isinstance(dim, int) else dim or None for dim in shape)
        ranked = bool(shape) or tensor.shape is not None
        stated = tensor.shape is not None and _sizes(tensor.shape) == _sizes(known)
        found.append(OnnxTensor(tensor.name, tensor.datatype, known if ranked else None, stated))
    return tuple(found)


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
        said = " ".join(str(error).split()).replace(f" from {file} ", " ")
        raise SlipwayError(
            f"ONNX Runtime {onnxruntime.__version__} does not open it: {said}",
            where=str(file),
            fix="export it again, for an opset and with operators that this release has",
        ) from error


def _refuse_type(file: Path, side: str, tensor: Declared) -> None:
    if not tensor.carried or tensor.datatype in UNSERVED:
        raise SlipwayError(
            f"{side} {tensor.name!r} is {tensor.datatype}, which Triton does not carry",
            where=str(file),
            fix="export the graph with plain tensors of bool, int, uint, float16/32/64 or string",
        )


def _refuse_external(file: Path, signature: Signature) -> None:
    folder = file.resolve().parent
    for name in signature.external_data:
        path = Path(name)
        if path.is_absolute() or not (folder / path).resolve().is_relative_to(folder):
            raise SlipwayError(
                f"its tensors lie in {name!r}, outside of its folder: nothing there is packed",
                where=str(file),
                fix="save it with its external data beside it",
            )
        if not (folder / path).is_file():
            raise SlipwayError(
                f"its tensors lie in {name!r}, which is not there",
                where=str(file),
                fix=f"put that file into {file.parent}",
            )


def _refuse_shape(file: Path, side: str, tensor: OnnxTensor) -> None:
    if tensor.shape is not None and 0 in tensor.shape:
        raise SlipwayError(
            f"{side} {tensor.name!r} has a size of 0 in {list(tensor.shape)}: Triton's dims are at"
            " least 1",
            where=str(file),
            fix="export it without that tensor, or with a free size there",
        )
    if side == "input" and tensor.shape is None:
        raise SlipwayError(
            f"the graph does not say how many dimensions input {tensor.name!r} has: Triton's ONNX"
            " backend would feed a scalar",
            where=str(file),
            fix="export it with the input's shape, with free sizes where they vary",
        )
    if side == "input" and tensor.shape == () and tensor.datatype == BYTES:
        raise SlipwayError(
            f"input {tensor.name!r} is a scalar string, which Triton's ONNX backend cannot feed",
            where=str(file),
            fix="export it with the shape [1]",
        )
