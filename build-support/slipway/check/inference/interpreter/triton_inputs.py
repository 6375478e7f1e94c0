"""Triton's Python backend: what code reads by name."""

from __future__ import annotations

import ast

from slipway.check.inference.interpreter.expressions import Expressions
from slipway.check.inference.kinds import describe, is_a, is_text
from slipway.check.inference.objects import (
    Json,
    Request,
    Response,
    Tensor,
)
from slipway.check.inference.triton_config import DTYPES
from slipway.check.inference.values import (
    UNKNOWN,
    Arguments,
    Array,
    DType,
    Scalar,
    Value,
    join,
    members,
)


class TritonInputs(Expressions):
    """Reads tensors and configs."""

    def input_by_name(self, arguments: Arguments, node: ast.expr) -> Value:
        """Return an input of a request."""
        request = arguments.get(0, "inference_request") or UNKNOWN
        self._check_source(request, Request, "request", node)
        name = arguments.get(1, "name") or UNKNOWN
        self._check_name(name, node)
        if any(isinstance(each, Request) and each.created for each in members(request)):
            return Tensor(None, Array())
        certain = self.state.certain

        def one(value: Value) -> Value:
            text = text_of(value)
            if text is None:
                return Tensor(None, Array())
            place = value.node if isinstance(value, Scalar) else None
            found = place or argument_node(node, 1, "name") or node
            return self.config.input_tensor(text, found, certain=certain)

        return join(one(each) for each in members(name))

    def output_by_name(self, arguments: Arguments, node: ast.expr) -> Value:
        """Return an output of another model's response."""
        response = arguments.get(0, "inference_response") or UNKNOWN
        self._check_source(response, Response, "response", node)
        name = arguments.get(1, "name") or UNKNOWN
        self._check_name(name, node)
        return join(Tensor(text_of(each), Array()) for each in members(name))

    def _check_source(self, value: Value, kind: type[Value], name: str, node: ast.expr) -> None:
        if all(is_a(each, kind) is False for each in members(value)):
            place = argument_node(node, 0, f"inference_{name}") or node
            function = (
                "get_input_tensor_by_name" if kind is Request else "get_output_tensor_by_name"
            )
            what = f"{function} reads {describe(self.resolve(value))}, and needs one {name}"
            self.fail("argument", place, what, f'pb_utils.{function}({name}, "…")', value)

    def _check_name(self, value: Value, node: ast.expr) -> None:
        if all(is_text(each) is False for each in members(value)):
            place = argument_node(node, 1, "name") or node
            what = f"the tensor's name is {describe(self.resolve(value))}, so none has it"
            self.fail("argument", place, what, "pass one name, a text, in each call", value)

    def config_by_name(self, arguments: Arguments, node: ast.expr, *, is_input: bool) -> Value:
        """Return what the config has of an input or output."""
        config = arguments.get(0, "model_config") or UNKNOWN
        name = arguments.get(1, "name") or UNKNOWN
        if not isinstance(config, Json):
            return UNKNOWN

        def one(value: Value) -> Value:
            text = text_of(value)
            place = value.node if isinstance(value, Scalar) else None
            found = place or argument_node(node, 1, "name") or node
            if text is None:
                return UNKNOWN
            return self.config.tensor_config(text, "input" if is_input else "output", found)

        return join(one(each) for each in members(name))

    def numpy_type(self, arguments: Arguments, node: ast.expr) -> Value:
        """Return numpy's type for a data type of the config."""
        value = arguments.get(0, "triton_type_string") or UNKNOWN
        text = text_of(value)
        return DType(DTYPES[text]) if text in DTYPES and text != "TYPE_BF16" else UNKNOWN


def text_of(value: Value) -> str | None:
    known = isinstance(value, Scalar) and isinstance(value.value, str)
    return str(value.value) if known and isinstance(value, Scalar) else None


def argument_node(call: ast.expr, position: int, name: str) -> ast.expr | None:
    """Return the expression of an argument."""
    if not isinstance(call, ast.Call):
        return None
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    starred = any(isinstance(argument, ast.Starred) for argument in call.args[: position + 1])
    return None if starred or position >= len(call.args) else call.args[position]
