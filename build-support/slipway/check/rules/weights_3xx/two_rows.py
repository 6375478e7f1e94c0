"""SW329, SW331: graphs that answer one row, and not the two that their config allows."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.tensors import graphs
from slipway.check.tensors.graphs import ConfiguredGraph
from slipway.signature import Signature
from slipway.signature.trial.remembered import two_rows_of

LARGEST = 1 << 28  # bytes of weights that are opened to try them


@rule(
    "SW329",
    "two-rows",
    reason="the first request with several rows fails: 'unexpected shape for input …', or an error"
    " of ONNX Runtime",
    source="seen on 24.10; the graph is run with one row, and with the same row twice",
)
def two_rows(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find graphs that fail for two rows, or whose outputs then have other shapes than declared.

    Weights that are not here are not tried, nor those above :data:`LARGEST` or of several files.
    """
    for graph, signature in graphs.graphs_with_signature(model):
        if not (_is_allowed_rows(graph) and _can_be_tried(graph, signature)):
            continue
        trial = two_rows_of(graph.file)
        if trial is None or not str(trial):
            continue
        if trial.wrong:
            from slipway.signature.trial.two_rows import declaration_fix  # imports numpy

            yield RuleHit(graph.location, f"{trial}", declaration_fix(graph.file, trial.wrong[0]))
        else:
            yield RuleHit(
                graph.location,
                f"{trial}",
                "export the graph for several rows, or allow one: max_batch_size: 1, or dims that"
                " begin with 1",
            )


@rule(
    "SW331",
    "rows-of-output",
    reason="the answer is cut to the request's rows in silence; with fewer rows the request fails:"
    " 'failed to split the output tensor', and of a string the whole server ends",
    source="triton-inference-server/backend, src/backend_output_responder.cc: ProcessTensor;"
    " onnxruntime_backend, src/onnxruntime.cc: SetStringBuffer; seen on 24.10",
)
def rows_of_output(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find outputs of models with batches whose first dimension is not the batch."""
    for graph, signature in graphs.graphs_with_signature(model):
        is_tried = _is_allowed_rows(graph) and _can_be_tried(graph, signature)
        trial = two_rows_of(graph.file) if is_tried and graph.message.max_batch_size > 1 else None
        uneven = {output.name: output for output in trial.uneven} if trial is not None else {}
        scattered = {name for batch in graph.message.batch_output for name in batch.target_name}
        for declared in graphs.declared_tensors(graph, "output"):
            if declared.name in uneven and declared.name not in scattered:
                yield RuleHit(
                    graph.config.location(*declared.path),
                    f"{uneven[declared.name]}: its first dimension is not the batch",
                    "export the graph with the batch first, or max_batch_size: 0 and all dims",
                )


def _is_allowed_rows(graph: ConfiguredGraph) -> bool:
    """Return whether a request may have two rows; those of sequences have one."""
    message = graph.message
    if message.HasField("sequence_batching") or message.batch_input:
        return False
    if any(tensor.allow_ragged_batch or tensor.HasField("reshape") for tensor in message.input):
        return False
    if message.max_batch_size > 0:
        return bool(message.max_batch_size > 1)
    return all(tensor.dims and tensor.dims[0] == -1 for tensor in message.input)


def _can_be_tried(graph: ConfiguredGraph, signature: Signature) -> bool:
    return (
        graph.reading.state == "weights"
        and graph.file.is_file()
        and not signature.external_data
        and graph.file.stat().st_size <= LARGEST
    )
