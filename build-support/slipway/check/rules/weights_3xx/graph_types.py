"""SW309–SW313: the data types and dims of a config against its ONNX graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from slipway.check import graphs
from slipway.check.finding import Found
from slipway.check.graphs import Declared, Graph
from slipway.check.rule import rule
from slipway.check.shapes import Verdict, compare, dims_of, shown
from slipway.check.subject import Subject
from slipway.signature import Tensor
from slipway.triton.config import dtype_name
from slipway.triton.pbtxt import FieldPath

SIDES = ("input", "output")
NATIVE = "triton-inference-server/onnxruntime_backend, src/onnxruntime.cc"
# what a graph may hold of which the backend refuses to load any (onnxruntime_utils.cc)
NO_TENSOR = ("sequence(", "map(", "optional(", "sparse(")


@rule(
    "SW309",
    "graph-datatype",
    reason="the load fails: 'configuration expects datatype …, model provides …'",
    source=f"{NATIVE}: ValidateInputs, ValidateOutputs; seen on Triton 24.10",
)
def graph_datatype(subject: Subject) -> Iterator[Found]:
    """A data type that is not the graph's."""
    for graph, side, declared, tensor in _pairs(subject):
        if not (tensor.carried and declared.message.data_type):
            continue
        said = dtype_name(declared.message.data_type)
        if said != tensor.datatype:
            word = "STRING" if tensor.datatype == "BYTES" else tensor.datatype
            yield Found(
                graph.config.place(*declared.path, "data_type"),
                f"{side} {declared.name!r} is {said} here and {tensor.datatype} in"
                f" {graph.name}",
                f"data_type: TYPE_{word}",
            )


@rule(
    "SW310",
    "graph-shape",
    reason="the load fails: 'the model expects … dimensions (shape …)'",
    source="onnxruntime_backend, src/onnxruntime_utils.cc: CompareDimsSupported",
)
def graph_shape(subject: Subject) -> Iterator[Found]:
    """Dims, or those of ``reshape``, that the graph's shape does not have."""
    for graph, side, declared, tensor in _judged(subject, "shape"):
        batches = graph.message.max_batch_size > 0
        field, dims = _dims(declared)
        sizes = dims_of(tensor, batches=batches) if tensor.shape else [1]
        yield Found(
            graph.config.place(*declared.path, *field),
            f"{side} {declared.name!r} is {dims} here, and {shown(tensor.shape)} in"
            f" {graph.name}",
            (
                f"{field[-1]}: [ {', '.join(map(str, sizes))} ]"
                if sizes or field[-1] == "shape"
                else "dims: [ 1 ] reshape { shape: [ ] }"
            ),
        )


@rule(
    "SW311",
    "fixed-batch",
    reason="the load fails: 'for the model to support batching … the first dimension must be -1'",
    source="onnxruntime_backend, src/onnxruntime_utils.cc: CompareDimsSupported",
)
def fixed_batch(subject: Subject) -> Iterator[Found]:
    """``max_batch_size`` above 0 for a graph whose first dimension is fixed."""
    told: set[str] = set()
    for graph, side, declared, tensor in _judged(subject, "batch"):
        if graph.config.name in told:
            continue
        told.add(graph.config.name)
        yield Found(
            graph.config.place("max_batch_size"),
            f"max_batch_size {graph.message.max_batch_size}, but {side} {declared.name!r} is"
            f" {shown(tensor.shape)} in {graph.name}: its first dimension is no batch",
            "export the graph with a dynamic batch axis, or max_batch_size: 0 and all of its dims",
        )


@rule(
    "SW312",
    "open-output-size",
    severity="warning",
    reason="the load fails unless ONNX Runtime infers these very sizes: an output's are compared"
    " exactly",
    source=f"{NATIVE}: ValidateOutputs, compare_exact",
)
def open_output_size(subject: Subject) -> Iterator[Found]:
    """An output whose dims are fixed where the graph leaves them open, or have no rank there."""
    for graph, _, declared, tensor in _judged(subject, "open"):
        field, dims = _dims(declared)
        yield Found(
            graph.config.place(*declared.path, *field),
            f"output {declared.name!r} is {dims} here, and {shown(tensor.shape)} in"
            f" {graph.name}, which leaves a size open",
            "-1 where the graph leaves it open, or export the graph with fixed output shapes",
        )


@rule(
    "SW313",
    "type-not-carried",
    reason="the load fails: 'Unsupported ONNX Type', or no data type agrees",
    source="onnxruntime_backend, src/onnxruntime_utils.cc: InputOutputInitializerInfos",
)
def type_not_carried(subject: Subject) -> Iterator[Found]:
    """A graph's input or output that Triton has no data type for."""
    for graph, signature in graphs.known(subject):
        named = {each.name for side in SIDES for each in graphs.tensors(graph, side)}
        for tensor in (*signature.inputs, *signature.optional_inputs, *signature.outputs):
            refused = tensor.datatype.startswith(NO_TENSOR)
            if refused or (not tensor.carried and tensor.name in named):
                yield Found(
                    graph.config.place(*_path_of(graph, tensor.name)),
                    f"{tensor.name!r} is {tensor.datatype} in {graph.name}, which Triton cannot"
                    " carry",
                    "export it as a tensor: of a classifier, with zipmap=False",
                )


def _pairs(subject: Subject) -> Iterator[tuple[Graph, str, Declared, Tensor]]:
    """The config's tensors that the graph has, too."""
    for graph, signature in graphs.known(subject):
        inputs = graphs.by_name((*signature.inputs, *signature.optional_inputs))
        sides: Mapping[str, Mapping[str, Tensor]] = {
            "input": inputs,
            "output": graphs.by_name(signature.outputs),
        }
        for side, found in sides.items():
            for declared in graphs.tensors(graph, side):
                if declared.name in found:
                    yield graph, side, declared, found[declared.name]


def _judged(subject: Subject, verdict: Verdict) -> Iterator[tuple[Graph, str, Declared, Tensor]]:
    for graph, side, declared, tensor in _pairs(subject):
        if not (tensor.carried and (declared.message.dims or declared.message.HasField("reshape"))):
            continue
        batches = graph.message.max_batch_size > 0
        # a batch output's shape need not be the graph's
        if side == "output" and declared.name in _batch_outputs(graph):
            continue
        if side == "input" and declared.message.allow_ragged_batch and not batches:
            continue
        found = compare(declared.message, tensor, batches=batches, output=side == "output")
        if ("shape" if found == "ragged" else found) == verdict:
            yield graph, side, declared, tensor


def _batch_outputs(graph: Graph) -> set[str]:
    return {name for batch in graph.message.batch_output for name in batch.target_name}


def _dims(declared: Declared) -> tuple[FieldPath, list[int]]:
    if declared.message.HasField("reshape"):
        return ("reshape", "shape"), list(declared.message.reshape.shape)
    return ("dims",), list(declared.message.dims)


def _path_of(graph: Graph, name: str) -> FieldPath:
    for side in SIDES:
        for declared in graphs.tensors(graph, side):
            if declared.name == name:
                return declared.path
    return ("name",)
