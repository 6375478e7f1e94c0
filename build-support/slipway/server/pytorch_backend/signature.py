"""Which tensor of a config is which argument or result of ``forward``, decided as natively.

pytorch_backend, src/libtorch.cc: ModelInstanceState, ValidateBooleanSequenceControl,
ValidateTypedSequenceControl, ValidateInputs, ValidateOutputs. The messages are its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.triton.pytorch_names import index_of, positions

type Tensors = Sequence[Mapping[str, Any]]

# libtorch_utils.cc: ModelConfigDataTypeToTorchType; strings are lists
NUMBERS = frozenset(
    f"TYPE_{name}"
    for name in ("BOOL", "UINT8", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64")
)
STRING = "TYPE_STRING"
CONTROLS = ("START", "END", "READY", "CORRID")


@dataclass(frozen=True)
class Argument:
    """An argument of ``forward``; ``kind`` is its type's in TorchScript, such as TensorType."""

    name: str
    kind: str
    type_name: str


@dataclass(frozen=True)
class Signature:
    """The positions of inputs and outputs. ``takes_dict``: the inputs are one argument.

    ``data_types`` are those that the outputs must have; a string's is INT32, where it is a tensor.
    """

    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    data_types: Mapping[str, str]
    takes_dict: bool


def match(name: str, config: Mapping[str, Any], arguments: Sequence[Argument]) -> Signature:
    """Return how the config of the model ``name`` fits ``arguments``, those besides ``self``.

    Raises:
        ValueError: the model cannot be loaded.
    """
    sequence = config.get("sequence_batching", {})
    states: Tensors = sequence.get("state", [])
    batch_inputs = [n for each in config.get("batch_input", []) for n in each["target_name"]]
    controls = _controls(sequence)
    takes_dict = len(arguments) == 1 and arguments[0].kind == "DictType"
    # a model that takes a dictionary has no names to compare with
    names = () if takes_dict else _check_arguments(arguments)
    expected = len(config["input"]) + len(config.get("batch_input", []))
    expected += len(controls) + len(states)
    if arguments and not takes_dict and len(arguments) != expected:
        raise ValueError(
            f"unable to load model '{name}', configuration expects {expected} inputs, model"
            f" provides {len(arguments)}"
        )
    if not config["input"]:
        raise ValueError(
            "model configuration must contain at least one input, none were specified."
        )
    given = [tensor["name"] for tensor in config["input"]]
    # without arguments, the native backend looks at the outputs' names, for this one decision
    inputs = positions(given, names) if names else {n: at for at, n in enumerate(given)}
    for tensor in config["input"]:
        _check_tensor("input", name, tensor, config["max_batch_size"] > 0)
    _check_states(name, states, "input_name", given, names)
    inputs |= {state["input_name"]: index_of(state["input_name"]) or 0 for state in states}
    inputs |= {control: index_of(control) or 0 for control in controls}
    inputs |= {target: len(given) + at for at, target in enumerate(batch_inputs)}
    outputs, data_types = _outputs(name, config, states)
    for tensor_name, position in inputs.items():
        if position >= expected:
            raise ValueError(
                f"input '{tensor_name}' is number {position} of {expected}, from 0: NVIDIA's"
                " backend writes it behind the end of its arguments, which ends the whole server"
            )
    return Signature(inputs, outputs, data_types, takes_dict)


def _check_arguments(arguments: Sequence[Argument]) -> list[str]:
    """Return the arguments' names; one that is a dictionary is refused, and other types."""
    if any(argument.kind == "DictType" for argument in arguments[1:]):
        raise ValueError(
            "Multiple inputs of kind DictType were detected. Only a single input of type"
            " Dict(str, Tensor) is supported."
        )
    for argument in arguments:
        if argument.kind not in ("TensorType", "ListType"):
            raise ValueError(
                f"An input of type '{argument.type_name}' was detected in the model. Only a single"
                " input of type Dict(str, Tensor) or input(s) of type Tensor are supported."
            )
    return [argument.name for argument in arguments]


def _controls(sequence: Mapping[str, Any]) -> list[str]:
    """Return the inputs that the core adds to a sequence's requests, whose names have numbers."""
    names: list[str] = []
    for control_input in sequence.get("control_input", []):
        for control in control_input.get("control", []):
            if control["kind"].removeprefix("CONTROL_SEQUENCE_") in CONTROLS:
                name = control_input["name"]
                if index_of(name) is None:
                    raise ValueError(
                        f"input '{name}' does not follow <name>__<index> naming convention."
                    )
                names.append(name)
                data_type = control.get("data_type", "TYPE_INVALID")
                if control["kind"].endswith("CORRID") and data_type not in NUMBERS:
                    raise ValueError(
                        f"input '{name}' type '{data_type}' is not supported by PyTorch."
                    )
    return names


def _check_tensor(side: str, name: str, tensor: Mapping[str, Any], batches: bool) -> None:
    data_type = tensor["data_type"]
    if data_type not in (*NUMBERS, STRING):
        raise ValueError(
            f"unsupported datatype {data_type} for {side} '{tensor['name']}' for model '{name}'"
        )
    reshape = tensor.get("reshape")
    dims = tensor["dims"] if reshape is None else reshape.get("shape", [])
    if data_type == STRING and len(dims) + batches > 1:
        raise ValueError(
            f"Triton only supports 1 dimensional List of String as {side} for '{tensor['name']}'"
            f" for model '{name}'"
        )


def _check_states(
    name: str, states: Tensors, key: str, given: Sequence[str], arguments: Sequence[str]
) -> None:
    if not states:
        return
    named = bool(arguments) and all(tensor in arguments for tensor in given)
    if named or any(index_of(tensor) is None for tensor in given):
        raise ValueError(
            f"PyTorch model '{name}' is using sequence batching with state but not all inputs and"
            " outputs follow the <name>__<index> naming convention. "
        )
    for state in states:
        if index_of(state[key]) is None:
            raise ValueError(
                f"PyTorch model '{name}' is using sequence batching with state but state"
                f" '{state[key]}' does not follow the <name>__<index> naming convention. "
            )
        if state["data_type"] not in (*NUMBERS, STRING):
            side = "input state" if key == "input_name" else "state"
            raise ValueError(
                f"unsupported datatype {state['data_type']} for {side} '{state[key]}' for model"
                f" '{name}'"
            )


def _outputs(
    name: str, config: Mapping[str, Any], states: Tensors
) -> tuple[dict[str, int], dict[str, str]]:
    tensors: Tensors = config["output"]
    if not tensors:
        raise ValueError(
            "model configuration must contain at least one output, none were specified."
        )
    names = [tensor["name"] for tensor in tensors]
    for tensor in tensors:
        _check_tensor("output", name, tensor, config["max_batch_size"] > 0)
    _check_states(name, states, "output_name", names, ())
    outputs = positions(names)
    outputs |= {state["output_name"]: index_of(state["output_name"]) or 0 for state in states}
    data_types = {tensor["name"]: tensor["data_type"] for tensor in tensors}
    data_types |= {state["output_name"]: state["data_type"] for state in states}
    # ModelConfigDataTypeToTorchType gives kInt with "false", which is not looked at here
    known = {n: "INT32" if t == STRING else t.removeprefix("TYPE_") for n, t in data_types.items()}
    return outputs, known
