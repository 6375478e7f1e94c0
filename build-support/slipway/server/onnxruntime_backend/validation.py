"""Whether a config fits its graph, as the native backend decides it when a model loads.

onnxruntime_backend, src/onnxruntime.cc: ModelInstanceState, ValidateBooleanSequenceControl,
ValidateTypedSequenceControl, ValidateInputs, ValidateOutputs; src/onnxruntime_utils.cc:
InputOutputInitializerInfos, CompareDimsSupported. The messages are its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

DATA_TYPES = {
    "tensor(bool)": "TYPE_BOOL",
    "tensor(uint8)": "TYPE_UINT8",
    "tensor(uint16)": "TYPE_UINT16",
    "tensor(uint32)": "TYPE_UINT32",
    "tensor(uint64)": "TYPE_UINT64",
    "tensor(int8)": "TYPE_INT8",
    "tensor(int16)": "TYPE_INT16",
    "tensor(int32)": "TYPE_INT32",
    "tensor(int64)": "TYPE_INT64",
    "tensor(float16)": "TYPE_FP16",
    "tensor(float)": "TYPE_FP32",
    "tensor(double)": "TYPE_FP64",
    "tensor(string)": "TYPE_STRING",
}
BOOLEAN_CONTROLS = ("CONTROL_SEQUENCE_START", "CONTROL_SEQUENCE_END", "CONTROL_SEQUENCE_READY")
CORRELATION = "CONTROL_SEQUENCE_CORRID"
CONTROL_VALUES = {
    "int32_false_true": "TYPE_INT32",
    "fp32_false_true": "TYPE_FP32",
    "bool_false_true": "TYPE_BOOL",
}


def check(
    name: str,
    config: Mapping[str, Any],
    inputs: Sequence[Any],
    initialisers: Sequence[Any],
    outputs: Sequence[Any],
) -> None:
    """Check the config of the model ``name`` against its graph's nodes (onnxruntime.NodeArg).

    ``initialisers`` are the inputs for which the graph has a value.

    Raises:
        ValueError: the model cannot be loaded.
    """
    for node in (*inputs, *initialisers, *outputs):
        if not node.type.startswith("tensor("):
            raise ValueError(f"Unsupported ONNX Type '{node.type}' for I/O '{node.name}'")
    graph = {node.name: node for node in inputs}
    batches = config["max_batch_size"] > 0
    expected = sum(not tensor.get("optional") for tensor in config["input"])
    expected += len(config.get("batch_input", []))
    sequence = config.get("sequence_batching", {})
    for control, data_type in _controls(sequence):
        _check_control(name, control, data_type, graph, batches)
        expected += 1
    expected += len(sequence.get("state", []))
    if len(graph) != expected:
        raise ValueError(
            f"unable to load model '{name}', configuration expects {expected} inputs, model"
            f" provides {len(graph)}: {', '.join(sorted(graph))}"
        )
    _check_inputs(name, config, graph, {node.name: node for node in initialisers}, batches)
    _check_outputs(name, config, {node.name: node for node in outputs}, batches)


def _controls(sequence: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the controls that the backend counts as inputs, with their data types."""
    for control_input in sequence.get("control_input", []):
        for control in control_input.get("control", []):
            if control["kind"] == CORRELATION:
                yield control_input["name"], control["data_type"]
            elif control["kind"] in BOOLEAN_CONTROLS:
                values = next(field for field in CONTROL_VALUES if control.get(field))
                yield control_input["name"], CONTROL_VALUES[values]


def _check_control(
    name: str, control: str, data_type: str, graph: Mapping[str, Any], batches: bool
) -> None:
    if control not in graph:
        raise ValueError(
            f"configuration specified sequence control '{control}', but model does not provide"
            " that input"
        )
    node = graph[control]
    dims = _sizes(node)[1:] if batches else _sizes(node)
    if dims != [1]:
        raise ValueError(
            f"unable to load model '{name}', sequence control '{control}' in model has dims"
            f" {_text(dims)} but dims [1] is expected"
        )
    if DATA_TYPES.get(node.type) != data_type:
        raise ValueError(
            f"unable to load model '{name}', sequence control '{control}', the model expects"
            f" data-type {_data_type(node).removeprefix('TYPE_')} but the model configuration"
            f" specifies data-type {data_type}"
        )


def _check_inputs(
    name: str,
    config: Mapping[str, Any],
    needed: Mapping[str, Any],
    initialisers: Mapping[str, Any],
    batches: bool,
) -> None:
    graph = {**needed, **initialisers}
    for tensor in config["input"]:
        tensor_name, optional = tensor["name"], bool(tensor.get("optional"))
        if optional and batches:
            raise ValueError(
                f"unable to load model '{name}', optional input '{tensor_name}' is not supported"
                " for models that support batching"
            )
        _check_type("input", name, tensor, graph)
        # the native backend only counts: two wrong flags cancel out there, and requests fail
        if optional != (tensor_name in initialisers):
            raise ValueError(
                f"input '{tensor_name}' is {'' if optional else 'not '}optional in the model"
                f" configuration, but {'not ' if optional else ''}in the graph"
            )
        node = graph[tensor_name]
        if tensor.get("allow_ragged_batch"):
            _check_ragged(name, tensor_name, node, optional)
        else:
            _check_dims(name, tensor, node, batches, exactly=False)


def _check_ragged(name: str, tensor_name: str, node: Any, optional: bool) -> None:
    expected = (
        f"unable to load model '{name}', configuration expects model provides input with shape"
    )
    if optional:
        raise ValueError(
            f"{expected} [-1] for ragged input '{tensor_name}', which is not supported for optional"
            " input"
        )
    if _sizes(node) != [-1]:
        raise ValueError(
            f"{expected} [-1]  for ragged input '{tensor_name}', model provides"
            f" {_text(_sizes(node))}"
        )


def _check_outputs(
    name: str, config: Mapping[str, Any], graph: Mapping[str, Any], batches: bool
) -> None:
    scattered = {
        target for batch in config.get("batch_output", []) for target in batch["target_name"]
    }
    for tensor in config["output"]:
        _check_type("output", name, tensor, graph)
        # a batch output's shape need not be the graph's
        if tensor["name"] not in scattered:
            _check_dims(name, tensor, graph[tensor["name"]], batches, exactly=True)


def _check_type(side: str, name: str, tensor: Mapping[str, Any], graph: Mapping[str, Any]) -> None:
    tensor_name, data_type = tensor["name"], tensor["data_type"]
    if tensor_name not in graph:
        raise ValueError(
            f"unexpected inference {side} '{tensor_name}', allowed {side}s are:"
            f" {', '.join(sorted(graph))}"
        )
    if data_type not in DATA_TYPES.values():
        raise ValueError(
            f"unsupported datatype {data_type} for {side} '{tensor_name}' for model '{name}'"
        )
    provided = _data_type(graph[tensor_name])
    if data_type != provided:
        raise ValueError(
            f"unable to load model '{name}', configuration expects datatype {data_type} for {side}"
            f" '{tensor_name}', model provides {provided}"
        )


def _check_dims(
    name: str, tensor: Mapping[str, Any], node: Any, batches: bool, *, exactly: bool
) -> None:
    """Compare the config's dims with the graph's; an input may fix a size that the graph does not.

    A scalar, and a tensor of unknown rank, has sizes of 1 only.
    """
    dims, sizes = dims_of(tensor), _sizes(node)
    what = f"model '{name}', tensor '{tensor['name']}'"
    if not sizes:
        if any(dim != 1 for dim in dims):
            raise ValueError(
                f"unable to load model '{name}', scalar tensor '{tensor['name']}', should only"
                " provide 1 in the model configuration when the model doesn't support batching."
                f" Model configuration provided: {_text(dims)}."
            )
        return
    if batches and sizes[0] != -1:
        raise ValueError(
            f"{what}: for the model to support batching the shape should have at least 1 dimension"
            " and the first dimension must be -1; but shape expected by the model is"
            f" {_text(sizes)}"
        )
    shape = [-1, *dims] if batches else dims
    free = () if exactly else (-1,)
    if len(shape) != len(sizes) or any(
        size not in (dim, *free) for dim, size in zip(shape, sizes, strict=True)
    ):
        complete = (
            f"an initial batch dimension because max_batch_size > 0 followed by the explicit tensor"
            f" shape, making complete shape {_text(shape)}"
            if batches
            else f"shape {_text(shape)}"
        )
        raise ValueError(
            f"{what}: the model expects {len(sizes)} dimensions (shape {_text(sizes)}) but the"
            f" model configuration specifies {len(shape)} dimensions ({complete})"
        )


def dims_of(tensor: Mapping[str, Any]) -> list[int]:
    """Return the sizes that a config's tensor has for the backend: ``reshape``'s, or its dims."""
    reshape = tensor.get("reshape")
    return [int(dim) for dim in (tensor["dims"] if reshape is None else reshape["shape"])]


def _sizes(node: Any) -> list[int]:
    return [dim if isinstance(dim, int) else -1 for dim in node.shape]


def _data_type(node: Any) -> str:
    return DATA_TYPES.get(node.type, "TYPE_INVALID")


def _text(sizes: Sequence[int]) -> str:
    return f"[{','.join(map(str, sizes))}]"
