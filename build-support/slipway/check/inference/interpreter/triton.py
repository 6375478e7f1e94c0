"""Triton's Python backend: the functions of ``triton_python_backend_utils``.

Which arguments they take is in pb_stub.cc (the module c_python_backend_utils).
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from slipway.check.inference.events import CreatedResponse, CreatedTensor
from slipway.check.inference.interpreter.triton_inputs import TritonInputs, argument_node, text_of
from slipway.check.inference.kinds import ERROR, describe, is_a, is_array, is_text
from slipway.check.inference.objects import (
    Request,
    Response,
    Tensor,
    is_none,
)
from slipway.check.inference.values import (
    NONE,
    UNKNOWN,
    Arguments,
    Array,
    Opaque,
    Scalar,
    Sequence,
    Value,
    join,
    members,
)

TENSOR_FIX = 'pb_utils.Tensor("OUTPUT", array)'
RESPONSE_FIX = "output_tensors=[tensor, …], a list of pb_utils.Tensor"


class Triton(TritonInputs):
    """Calls Triton's functions."""

    def triton_call(self, name: str, arguments: Arguments | None, node: ast.expr) -> Value:
        """Return what a function of Triton's utilities returns; ``name`` is without the module."""
        handler = FUNCTIONS.get(name)
        if handler is None:
            return UNKNOWN
        return handler(self, arguments or UNKNOWN_ARGUMENTS, node)

    def new_tensor(self, arguments: Arguments, node: ast.expr) -> Value:
        """Return a tensor of a name and a numpy array, both positional."""
        known = arguments is not UNKNOWN_ARGUMENTS
        if known and (arguments.keywords or len(arguments.positional) != 2):
            self._wrong_count(arguments, node)
        name, array = (*arguments.positional, UNKNOWN, UNKNOWN)[:2]
        assert isinstance(node, ast.Call)
        first, second = (*node.args, None, None)[:2] if known else (None, None)
        if first is not None and all(is_text(each) is False for each in members(name)):
            what = f"the name of a Tensor is {describe(self.resolve(name))}"
            is_swapped = all(is_text(each) is True for each in members(array))
            fix = f"swap the arguments: {TENSOR_FIX}" if is_swapped else TENSOR_FIX
            self.fail("argument", first, what, fix, name)
        resolved = self.resolve(array)
        created = CreatedTensor(self.frame.code, node, name, first, resolved, second)
        self.behaviour.tensors.append(created)
        if second is not None and all(is_array(each) is False for each in members(resolved)):
            what = f"a Tensor is made of {describe(resolved)}, and needs a numpy array"
            is_number = describe(resolved) == "a number"
            text = ast.unparse(second)
            inner = "[…]" if is_number else text if len(text) <= 30 else "…"
            fix = f"np.array({inner}, dtype=np.float32), with the dtype of the output"
            self.fail("array", second, what, fix, resolved)
        return join(Tensor(text_of(each), resolved) for each in members(name))

    def _wrong_count(self, arguments: Arguments, node: ast.expr) -> None:
        if arguments.keywords:
            names = ", ".join(arguments.keywords)
            what = f"Tensor takes no keywords, and gets {names}"
        else:
            what = f"Tensor takes a name and an array, and gets {len(arguments.positional)}"
        self.fail("argument", node, what, TENSOR_FIX, NONE)

    def from_dlpack(self, arguments: Arguments, node: ast.expr) -> Value:
        """Return a tensor of a name and a tensor of another library."""
        name = arguments.get(0, "name") or UNKNOWN
        assert isinstance(node, ast.Call)
        first = node.args[0] if node.args else None
        created = CreatedTensor(self.frame.code, node, name, first, UNKNOWN, None)
        self.behaviour.tensors.append(created)
        return join(Tensor(text_of(each)) for each in members(name))

    def new_response(self, arguments: Arguments, node: ast.expr) -> Value:
        """Return a response of tensors, or of an error."""
        assert isinstance(node, ast.Call)
        tensors = arguments.get(0, "output_tensors")
        error = arguments.get(1, "error")
        names: tuple[str, ...] | None = () if tensors is None else None
        if tensors is not None:
            place = argument_node(node, 0, "output_tensors") or node
            self._check_list(tensors, Tensor, place, "output_tensors", RESPONSE_FIX)
            names = self._tensor_names(tensors)
        if error is not None and all(
            is_none(each) is False and each != ERROR and is_a(each) is False
            for each in members(error)
        ):
            place = argument_node(node, 1, "error") or node
            what = f"error is {describe(self.resolve(error))}, and needs a TritonError"
            self.fail("argument", place, what, "error=pb_utils.TritonError(str(…))", error)
        is_error = error is not None and not all(map(is_none, members(error)))
        if arguments is not UNKNOWN_ARGUMENTS:
            created = CreatedResponse(self.frame.code, node, names, is_error)
            self.behaviour.responses.append(created)
        return Response(names, is_error)

    def _tensor_names(self, tensors: Value) -> tuple[str, ...] | None:
        """Return the names of all tensors in a list, if they are known."""
        sequence = self.content(tensors)
        if sequence is None or sequence.items is None:
            return None
        names = [item.name if isinstance(item, Tensor) else None for item in sequence.items]
        known = tuple(name for name in names if name is not None)
        return known if len(known) == len(names) else None

    def _check_list(
        self, value: Value, kind: type[Value], node: ast.expr, name: str, fix: str
    ) -> None:
        """Check a list of tensors or of texts."""
        resolved = self.resolve(value)
        fits: Callable[[Value], bool | None] = (
            is_text
            if kind is Scalar
            else (
                lambda each: (
                    is_a(each, kind) or (True if is_none(each) else None)
                    if is_a(each, kind) is not False or is_none(each)
                    else False
                )
            )
        )
        items = "texts" if kind is Scalar else "Tensors"
        if all(_is_no_list(each) for each in members(resolved)):
            what = f"{name} is {describe(resolved)}, and needs a list of {items}"
            self.fail("argument", node, what, fix, resolved)
        for member in members(resolved):
            if isinstance(member, Sequence) and len(members(resolved)) == 1:
                parts = (member.element,) if member.items is None else member.items
                if member.items is None and not member.per_request:
                    continue
                for part in parts:
                    if all(fits(each) is False for each in members(part)):
                        what = f"{name} is a {member.kind} of {describe(part)}, not of {items}"
                        self.fail("argument", node, what, fix, part)

    def new_request(self, arguments: Arguments, node: ast.expr) -> Value:
        """Return a request to another model."""
        assert isinstance(node, ast.Call)
        names = arguments.get(3, "requested_output_names")
        if names is not None:
            place = argument_node(node, 3, "requested_output_names") or node
            fix = 'requested_output_names=["…"], a list'
            self._check_list(names, Scalar, place, "requested_output_names", fix)
        inputs = arguments.get(2, "inputs")
        if inputs is not None:
            place = argument_node(node, 2, "inputs") or node
            fix = "inputs=[tensor, …], a list of pb_utils.Tensor"
            self._check_list(inputs, Tensor, place, "inputs", fix)
        return Request(created=True)

    def new_error(self, arguments: Arguments, node: ast.expr) -> Value:
        """Return an error of a text."""
        assert isinstance(node, ast.Call)
        message = arguments.get(0, "message")
        if message is not None and all(is_text(each) is False for each in members(message)):
            place = argument_node(node, 0, "message") or node
            what = f"the message of a TritonError is {describe(self.resolve(message))}, not a text"
            fix = f"pb_utils.TritonError(str({ast.unparse(place)}))"
            self.fail("argument", place, what, fix, message)
        return ERROR


def _is_no_list(value: Value) -> bool:
    """Return whether a value is certainly no list, nor another sequence that is taken as one."""
    if isinstance(value, Sequence) or (
        isinstance(value, Array) and value.dtype in (None, "object")
    ):
        return False
    if isinstance(value, Opaque) and value.type_name not in ("dict", "set"):
        return False  # newer releases take iterators
    return is_a(value) is False


UNKNOWN_ARGUMENTS = Arguments((UNKNOWN,) * 8)
FUNCTIONS: dict[str, Callable[[Triton, Arguments, ast.expr], Value]] = {
    "Tensor": Triton.new_tensor,
    "Tensor.from_dlpack": Triton.from_dlpack,
    "InferenceResponse": Triton.new_response,
    "InferenceRequest": Triton.new_request,
    "TritonError": Triton.new_error,
    "get_input_tensor_by_name": Triton.input_by_name,
    "get_output_tensor_by_name": Triton.output_by_name,
    "get_input_config_by_name": lambda self, a, n: self.config_by_name(a, n, is_input=True),
    "get_output_config_by_name": lambda self, a, n: self.config_by_name(a, n, is_input=False),
    "triton_string_to_numpy": Triton.numpy_type,
    "using_decoupled_model_transaction_policy": lambda self, a, n: Scalar(
        "bool", self.config.decoupled
    ),
    "get_model_dir": lambda self, a, n: Scalar("str"),
}
