"""SW516 and SW517: the data types of the tensors that Python models return."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from slipway.check.finding import RuleHit
from slipway.check.flow import flows
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python_code import PythonCode, argument
from slipway.check.python_model import PythonModel, models_with_requests
from slipway.check.rule import rule
from slipway.triton.config import schema

# numpy's names → the data types into which the stub converts them
# (triton_python_backend_utils.py)
TYPES = {
    "bool": "TYPE_BOOL",
    "bool_": "TYPE_BOOL",
    "uint8": "TYPE_UINT8",
    "uint16": "TYPE_UINT16",
    "uint32": "TYPE_UINT32",
    "uint64": "TYPE_UINT64",
    "int8": "TYPE_INT8",
    "int16": "TYPE_INT16",
    "int32": "TYPE_INT32",
    "int64": "TYPE_INT64",
    "float16": "TYPE_FP16",
    "float32": "TYPE_FP32",
    "float64": "TYPE_FP64",
    "double": "TYPE_FP64",
    "object": "TYPE_STRING",
    "object_": "TYPE_STRING",
    "bytes_": "TYPE_STRING",
}
# numpy's functions that take a dtype, and its position among the arguments
CREATORS = {"array": 1, "asarray": 1, "ascontiguousarray": 1, "zeros": 1, "ones": 1, "empty": 1}
CREATORS |= {"full": 2, "frombuffer": 1, "fromiter": 1, "asfortranarray": 1}


@dataclass(frozen=True)
class TypedTensor:
    """A tensor that ``node`` creates for the output ``name``, with the type ``data_type``."""

    python_model: PythonModel
    code: PythonCode
    node: ast.expr
    name: str
    data_type: str
    declared: str


@rule(
    "SW516",
    "returns-another-type",
    reason="each request fails in the step that reads it: “inference input … data-type is …”",
    source="Triton core, infer_request.cc, and seen on 24.10",
)
def returns_another_type(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors whose type differs from their output's, and that another step reads."""
    return _hits(model, read_by_step=True)


@rule(
    "SW517",
    "answers-another-type",
    severity="warning",
    reason="the answer has another type than the config promises, which the server does not check",
    source="seen on 24.10",
)
def answers_another_type(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors whose type differs from their output's, and that only clients read."""
    return _hits(model, read_by_step=False)


def _hits(model: ModelUnderCheck, *, read_by_step: bool) -> Iterator[RuleHit]:
    for python_model in models_with_requests(model):
        for tensor in _typed_tensors(python_model):
            if _is_read(model, tensor) == read_by_step:
                yield RuleHit(
                    tensor.code.location(tensor.node),
                    f"{tensor.name!r} is created as {tensor.data_type},"
                    f" its output is {tensor.declared}",
                    f"data_type: {tensor.data_type} in the config, or another dtype here",
                )


def _typed_tensors(python_model: PythonModel) -> Iterator[TypedTensor]:
    outputs = {output.name: output for output in python_model.message.output}
    for code in python_model.sources if not python_model.calls_models else ():
        for _, call in code.calls("Tensor"):
            name, value = code.text(argument(call, 0, "name")), argument(call, 1, "array")
            if name is None or name not in outputs or value is None:
                continue
            typed = _type(code, value)
            declared = str(schema().DataType.Name(outputs[name].data_type))
            if typed is not None and declared not in (typed[1], "TYPE_INVALID"):
                yield TypedTensor(python_model, code, typed[0], name, typed[1], declared)


def _type(code: PythonCode, value: ast.expr) -> tuple[ast.expr, str] | None:
    """Return the expression that creates an array, with its data type, if both are explicit."""
    if isinstance(value, ast.Name):
        uses = code.index.within(code.function_of(value)).names.get(value.id, ())
        bound = [node for node in uses if not isinstance(node.ctx, ast.Load)]
        parent = code.parents.get(bound[0]) if len(bound) == 1 else None
        if not isinstance(parent, ast.Assign) or parent.targets != bound:
            return None
        return _type(code, parent.value) if not isinstance(parent.value, ast.Name) else None
    if not isinstance(value, ast.Call):
        return None
    function = code.origin(value.func).removeprefix("numpy.")
    if function in CREATORS and function != code.origin(value.func):
        dtype = argument(value, CREATORS[function], "dtype")
    elif isinstance(value.func, ast.Attribute) and value.func.attr == "astype":
        dtype = argument(value, 0, "dtype")
    else:
        return None
    name = (code.text(dtype) or code.origin(dtype).removeprefix("numpy.")) if dtype else ""
    return (value, TYPES[name]) if dtype is not None and name in TYPES else None


def _is_read(model: ModelUnderCheck, tensor: TypedTensor) -> bool:
    """Return whether a step of an ensemble reads the output."""
    return any(
        step.definition.output_map.get(tensor.name) in flow.readers
        for flow in flows(model)
        for step in flow.steps
        if step.definition.model_name == tensor.python_model.config.name
        and tensor.name in step.definition.output_map
    )
