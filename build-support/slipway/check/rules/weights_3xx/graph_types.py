"""SW309–SW313: the data types and dims of a config against its ONNX graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.rules.weights_3xx.fed import fed_dims, fits, of_fixed_rows
from slipway.check.shapes import Verdict, compare, dims_of, format_shape
from slipway.check.tensors import graphs
from slipway.check.tensors.graphs import ConfiguredGraph, DeclaredTensor
from slipway.signature import GraphTensor
from slipway.triton.config import dtype_name
from slipway.triton.pbtxt import FieldPath

SIDES = ("input", "output")
NATIVE = "triton-inference-server/onnxruntime_backend, src/onnxruntime.cc"
# types that a graph may have and that the backend refuses to load (onnxruntime_utils.cc)
NO_TENSOR = ("sequence(", "map(", "optional(", "sparse(")


@rule(
    "SW309",
    "graph-datatype",
    reason="the load fails: 'configuration expects datatype …, model provides …', or 'the model"
    " expects data-type …'; of a state or a batch input, every request fails",
    source=f"{NATIVE}: ValidateInputs, ValidateOutputs; seen on Triton 24.10",
)
def graph_datatype(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find data types that are not the graph's."""
    for graph, side, declared, tensor in _pairs(model):
        if not (tensor.carried and declared.message.data_type):
            continue
        configured = dtype_name(declared.message.data_type)
        if configured != tensor.datatype:
            expected = "STRING" if tensor.datatype == "BYTES" else tensor.datatype
            yield RuleHit(
                graph.config.location(*declared.path, "data_type"),
                f"{side} {declared.name!r} is {configured} here and {tensor.datatype} in"
                f" {graph.name}",
                f"data_type: TYPE_{expected}",
            )
    for graph, signature in graphs.graphs_with_signature(model):
        for declared, side, tensor in graphs.fed_tensors(graph, signature):
            data_type = graphs.fed_datatype(declared)
            if tensor.carried and data_type and data_type != tensor.datatype:
                yield RuleHit(
                    graph.config.location(*declared.path),
                    f"{side} {declared.name!r} is {data_type} here and {tensor.datatype} in"
                    f" {graph.name}",
                    f"export the graph with {data_type}, or give it the graph's type here",
                )


@rule(
    "SW310",
    "graph-shape",
    reason="the load fails: 'the model expects … dimensions (shape …)', 'dims [1] is expected', or"
    " 'expects … shape [-1] for ragged input'",
    source="onnxruntime_backend, src/onnxruntime_utils.cc: CompareDimsSupported;"
    " src/onnxruntime.cc: ValidateInputs; seen on 24.10",
)
def graph_shape(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find dims, or those of ``reshape``, that do not fit the graph's shape."""
    for graph, side, declared, tensor in _tensors_judged(model, "shape"):
        if side == "input" and declared.message.allow_ragged_batch:
            yield RuleHit(
                graph.config.location(*declared.path, "allow_ragged_batch"),
                f"input {declared.name!r} may be ragged, which needs [-1] in {graph.name}, not"
                f" {format_shape(tensor.shape)}",
                "remove allow_ragged_batch, or export the graph for all rows behind each other",
            )
            continue
        batches = graph.message.max_batch_size > 0
        field, dims = _dims(declared)
        sizes = dims_of(tensor, batches=batches) if tensor.shape else [1]
        yield RuleHit(
            graph.config.location(*declared.path, *field),
            f"{side} {declared.name!r} is {dims} here, and {format_shape(tensor.shape)} in"
            f" {graph.name}",
            (
                f"{field[-1]}: [ {', '.join(map(str, sizes))} ]"
                if sizes or field[-1] == "shape"
                else "dims: [ 1 ] reshape { shape: [ ] }"
            ),
        )
    for graph, signature in graphs.graphs_with_signature(model):
        for declared, side, tensor in graphs.fed_tensors(graph, signature):
            fed = fed_dims(graph, declared, side)
            if fed is None or not tensor.shape:
                continue
            with_rows = graph.message.max_batch_size > 0 or declared.path[0] == "batch_input"
            if not fits(declared, fed, dims_of(tensor, batches=with_rows)):
                expected = ", ".join(map(str, ["N", *fed] if with_rows else fed))
                yield RuleHit(
                    graph.config.location(*declared.path),
                    f"{side} {declared.name!r} is [{expected}] here, and"
                    f" {format_shape(tensor.shape)} in {graph.name}",
                    f"export the graph with the shape [{expected}]",
                )


@rule(
    "SW311",
    "fixed-batch",
    reason="the load fails: 'for the model to support batching … the first dimension must be -1';"
    " of a control, a state or a batch input, requests of any other number of rows fail",
    source="onnxruntime_backend, src/onnxruntime_utils.cc: CompareDimsSupported",
)
def fixed_batch(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a ``max_batch_size`` above 0 for a graph whose first dimension is fixed."""
    reported: set[str] = set()
    for graph, side, declared, tensor in (*_tensors_judged(model, "batch"), *of_fixed_rows(model)):
        if graph.config.name in reported:
            continue
        reported.add(graph.config.name)
        yield RuleHit(
            graph.config.location("max_batch_size"),
            f"max_batch_size {graph.message.max_batch_size}, but {side} {declared.name!r} is"
            f" {format_shape(tensor.shape)} in {graph.name}: its first dimension is not a batch",
            "export the graph with a dynamic batch axis, or set max_batch_size: 0 and all dims",
        )


@rule(
    "SW312",
    "open-output-size",
    severity="warning",
    reason="the load fails unless ONNX Runtime infers exactly these sizes for the output",
    source=f"{NATIVE}: ValidateOutputs, compare_exact",
)
def open_output_size(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find outputs with fixed dims that the graph leaves open, or for which it has no rank."""
    for graph, _, declared, tensor in _tensors_judged(model, "open"):
        field, dims = _dims(declared)
        yield RuleHit(
            graph.config.location(*declared.path, *field),
            f"output {declared.name!r} is {dims} here, and {format_shape(tensor.shape)} in"
            f" {graph.name}, which leaves a size open",
            "-1 where the graph leaves it open, or export the graph with fixed output shapes",
        )


@rule(
    "SW313",
    "type-not-carried",
    reason="the load fails: 'Unsupported ONNX Type', or no data type agrees",
    source="onnxruntime_backend, src/onnxruntime_utils.cc: InputOutputInitializerInfos",
)
def type_not_carried(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find inputs and outputs of a graph for which Triton has no data type."""
    for graph, signature in graphs.graphs_with_signature(model):
        declared_names = {
            tensor.name for side in SIDES for tensor in graphs.declared_tensors(graph, side)
        }
        for tensor in (*signature.inputs, *signature.optional_inputs, *signature.outputs):
            not_a_tensor = tensor.datatype.startswith(NO_TENSOR)
            if not_a_tensor or (not tensor.carried and tensor.name in declared_names):
                yield RuleHit(
                    graph.config.location(*_path_of(graph, tensor.name)),
                    f"{tensor.name!r} is {tensor.datatype} in {graph.name}, for which Triton has"
                    " no data type",
                    "export it as a tensor; for a classifier, use zipmap=False",
                )


def _pairs(
    model: ModelUnderCheck,
) -> Iterator[tuple[ConfiguredGraph, str, DeclaredTensor, GraphTensor]]:
    """Yield the tensors that both the config and the graph have."""
    for graph, signature in graphs.graphs_with_signature(model):
        inputs = graphs.tensors_by_name((*signature.inputs, *signature.optional_inputs))
        sides: Mapping[str, Mapping[str, GraphTensor]] = {
            "input": inputs,
            "output": graphs.tensors_by_name(signature.outputs),
        }
        for side, found in sides.items():
            for declared in graphs.declared_tensors(graph, side):
                if declared.name in found:
                    yield graph, side, declared, found[declared.name]


def _tensors_judged(
    model: ModelUnderCheck, verdict: Verdict
) -> Iterator[tuple[ConfiguredGraph, str, DeclaredTensor, GraphTensor]]:
    for graph, side, declared, tensor in _pairs(model):
        if not (tensor.carried and (declared.message.dims or declared.message.HasField("reshape"))):
            continue
        batches = graph.message.max_batch_size > 0
        # a batch output's shape need not be the graph's
        if side == "output" and declared.name in _batch_outputs(graph):
            continue
        found = compare(declared.message, tensor, batches=batches, output=side == "output")
        if ("shape" if found == "ragged" else found) == verdict:
            yield graph, side, declared, tensor


def _batch_outputs(graph: ConfiguredGraph) -> set[str]:
    return {name for batch in graph.message.batch_output for name in batch.target_name}


def _dims(declared: DeclaredTensor) -> tuple[FieldPath, list[int]]:
    if declared.message.HasField("reshape"):
        return ("reshape", "shape"), list(declared.message.reshape.shape)
    return ("dims",), list(declared.message.dims)


def _path_of(graph: ConfiguredGraph, name: str) -> FieldPath:
    for side in SIDES:
        for declared in graphs.declared_tensors(graph, side):
            if declared.name == name:
                return declared.path
    return ("name",)
