"""SW516 to SW518: the data types of the tensors that Python models return and read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from slipway.check.finding import Found
from slipway.check.flow import flows
from slipway.check.python_code import Code, PythonModel, argument, asked_models
from slipway.check.rule import rule
from slipway.check.subject import Subject
from slipway.triton import config

# numpy's names → the data types that the stub makes of them (triton_python_backend_utils.py)
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
# numpy's functions that take a dtype, and the place where it may stand without its name
MAKERS = {"array": 1, "asarray": 1, "ascontiguousarray": 1, "zeros": 1, "ones": 1, "empty": 1}
MAKERS |= {"full": 2, "frombuffer": 1, "fromiter": 1, "asfortranarray": 1}


@dataclass(frozen=True)
class Made:
    """A tensor made for the output ``name`` with the data type ``data_type``, at ``node``."""

    model: PythonModel
    code: Code
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
def returns_another_type(subject: Subject) -> Iterator[Found]:
    """A tensor of another type than its output has, which another step reads."""
    return _found(subject, read=True)


@rule(
    "SW517",
    "answers-another-type",
    severity="warning",
    reason="the answer has another type than the config tells clients; the server does not compare",
    source="seen on 24.10",
)
def answers_another_type(subject: Subject) -> Iterator[Found]:
    """A tensor of another type than its output has, which is only answered."""
    return _found(subject, read=False)


@rule(
    "SW518",
    "type-unknown-to-numpy",
    reason="each request fails: “Tensor dtype is BF16 and cannot be converted to NumPy”",
    source="Triton's Python backend, pb_tensor.cc, and seen on 24.10",
)
def type_unknown_to_numpy(subject: Subject) -> Iterator[Found]:
    """An input of a type that numpy does not have, read as an array of numpy's."""
    bfloat = config.schema().DataType.Value("TYPE_BF16")
    for model in asked_models(subject):
        names = {tensor.name for tensor in model.message.input if tensor.data_type == bfloat}
        for code in model.codes if names else ():
            for _, call in code.calls("get_input_tensor_by_name"):
                node = argument(call, 1, "name")
                name = code.text(node)
                if node is not None and name in names and _as_numpy(code, call):
                    yield Found(
                        code.place(node),
                        f"{name!r} is TYPE_BF16, which numpy does not have",
                        "read it by to_dlpack(), or make it TYPE_FP32 in the config",
                    )


def _as_numpy(code: Code, call: ast.Call) -> bool:
    """Whether the tensor that a call returns is made an array, there or by its variable."""
    around = code.parents.get(call)
    if isinstance(around, ast.Attribute):
        return around.attr == "as_numpy"
    if not isinstance(around, ast.Assign) or not isinstance(around.targets[0], ast.Name):
        return False
    variable = around.targets[0].id
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "as_numpy"
        and isinstance(node.value, ast.Name)
        and node.value.id == variable
        for node in ast.walk(code.function_of(call))
    )


def _found(subject: Subject, *, read: bool) -> Iterator[Found]:
    for model in asked_models(subject):
        for made in _made(model):
            if _is_read(subject, made) == read:
                yield Found(
                    made.code.place(made.node),
                    f"{made.name!r} is made as {made.data_type}, its output is {made.declared}",
                    f"data_type: {made.data_type} in the config, or another dtype here",
                )


def _made(model: PythonModel) -> Iterator[Made]:
    outputs = {output.name: output for output in model.message.output}
    for code in model.codes if not model.calls_models else ():
        for _, call in code.calls("Tensor"):
            name, value = code.text(argument(call, 0, "name")), argument(call, 1, "array")
            if name is None or name not in outputs or value is None:
                continue
            found = _type(code, value)
            declared = str(config.schema().DataType.Name(outputs[name].data_type))
            if found is not None and declared not in (found[1], "TYPE_INVALID"):
                yield Made(model, code, found[0], name, found[1], declared)


def _type(code: Code, value: ast.expr) -> tuple[ast.expr, str] | None:
    """The data type of an array, if it is told where it is made, and where that is."""
    if isinstance(value, ast.Name):
        bound = [
            node
            for node in ast.walk(code.function_of(value))
            if isinstance(node, ast.Name)
            and node.id == value.id
            and not isinstance(node.ctx, ast.Load)
        ]
        around = code.parents.get(bound[0]) if len(bound) == 1 else None
        if not isinstance(around, ast.Assign) or around.targets != bound:
            return None
        return _type(code, around.value) if not isinstance(around.value, ast.Name) else None
    if not isinstance(value, ast.Call):
        return None
    function = code.origin(value.func).removeprefix("numpy.")
    if function in MAKERS and function != code.origin(value.func):
        told = argument(value, MAKERS[function], "dtype")
    elif isinstance(value.func, ast.Attribute) and value.func.attr == "astype":
        told = argument(value, 0, "dtype")
    else:
        return None
    name = (code.text(told) or code.origin(told).removeprefix("numpy.")) if told else ""
    return (value, TYPES[name]) if told is not None and name in TYPES else None


def _is_read(subject: Subject, made: Made) -> bool:
    """Whether a step of an ensemble reads the output."""
    return any(
        step.said.output_map.get(made.name) in flow.readers
        for flow in flows(subject)
        for step in flow.steps
        if step.said.model_name == made.model.config.name and made.name in step.said.output_map
    )
