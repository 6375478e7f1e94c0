"""Triton's Python backend: the methods of requests, responses, tensors and senders."""

from __future__ import annotations

import ast

from slipway.check.inference.interpreter.machine import SENT
from slipway.check.inference.interpreter.triton import Triton
from slipway.check.inference.kinds import describe, is_a
from slipway.check.inference.objects import (
    Coroutine,
    External,
    Request,
    Response,
    ResponseSender,
    Tensor,
    is_none,
)
from slipway.check.inference.values import (
    ABSENT,
    NONE,
    UNKNOWN,
    Arguments,
    Array,
    Scalar,
    Sequence,
    Value,
    members,
)

# what a sender has sent
NOTHING, RESPONSE, END = "nothing", "a response", "the end"
TEXTS = {"request_id", "parameters", "name"}
NUMBERS = {"flags", "timeout", "triton_dtype"}
TRUTHS = {"is_cancelled", "has_error", "is_cpu"}


class TritonObjects(Triton):
    """Calls methods of Triton's objects."""

    def triton_method(
        self, value: Value, name: str, arguments: Arguments | None, node: ast.expr
    ) -> Value:
        """Return what a method returns that the object has."""
        if isinstance(value, Tensor) and name == "as_numpy":
            return self._as_numpy(value, node)
        if isinstance(value, Tensor) and name == "from_dlpack":
            return self.triton_call("Tensor.from_dlpack", arguments, node)
        if isinstance(value, Tensor) and name == "name":
            return Scalar("str", ABSENT if value.name is None else value.name)
        if isinstance(value, Tensor) and name == "shape":
            return self.new_list(Sequence(None, Scalar("int")), node)
        if isinstance(value, ResponseSender) and name == "send":
            return self._send(arguments, node)
        if isinstance(value, Request):
            return self._request_method(value, name, arguments, node)
        if isinstance(value, Response) and name == "output_tensors":
            return self.new_list(Sequence(None, Tensor(None, Array())), node)
        return _plain(name)

    def _request_method(
        self, value: Request, name: str, arguments: Arguments | None, node: ast.expr
    ) -> Value:
        if name == "get_response_sender":
            self.behaviour.senders.append((self.frame.code, node))
            self.state.attributes[SENT] = Scalar("str", NOTHING)
            return ResponseSender()
        if name == "inputs":
            return self.new_list(Sequence(None, Tensor(None, Array())), node)
        if name == "requested_output_names":
            return self.new_list(Sequence(None, Scalar("str")), node)
        if name in ("exec", "async_exec"):
            if arguments != Arguments():
                return UNKNOWN  # several responses of a decoupled model
            return Response() if name == "exec" else Coroutine(Response())
        return _plain(name)

    def _as_numpy(self, value: Tensor, node: ast.expr) -> Value:
        array = value.array
        if isinstance(array, Array) and array.dtype == "bfloat16":
            self.fail("no-numpy", node, value.name or "", "", value)
        return array if isinstance(array, Array) else Array()

    def _send(self, arguments: Arguments | None, node: ast.expr) -> Value:
        if arguments is None:
            return NONE
        response = arguments.get(0, "response")
        assert isinstance(node, ast.Call)
        if response is not None and all(
            not is_none(each) and is_a(each, Response) is False for each in members(response)
        ):
            place = node.args[0] if node.args else node
            what = f"send takes one InferenceResponse, and gets {describe(self.resolve(response))}"
            self.fail("argument", place, what, "send(response)", response)
        if not self.config.decoupled:
            has_response = response is not None and not all(map(is_none, members(response)))
            self._count_sent(has_response, _is_final(arguments.get(1, "flags")), node)
        return NONE

    def _count_sent(self, has_response: bool, is_final: bool | None, node: ast.Call) -> None:
        """Note that a model that is not decoupled sends one response, and then at most the end."""
        sent = self.state.attributes.get(SENT)
        known = sent.value if isinstance(sent, Scalar) else None
        if has_response and known in (RESPONSE, END):
            what = "a second response for the request; the model is not decoupled"
            self.fail("sender", node, what, "send one response for each request", NONE)
        if not has_response and known == NOTHING:
            what = "the end of the responses is sent before a response"
            self.fail("sender", node, what, "send the response first: send(response)", NONE)
        if is_final is False:
            self.behaviour.sends.append((self.frame.code, node))
        reached = ABSENT if is_final is None else END if is_final else RESPONSE
        self.state.attributes[SENT] = Scalar("str", reached)


def _is_final(flags: Value | None) -> bool | None:
    """Return whether the flags of a response say that it is the last; ``None`` if unknown."""
    if flags is None:
        return False
    if isinstance(flags, External) and flags.name.endswith("_COMPLETE_FINAL"):
        return True
    known = isinstance(flags, Scalar) and flags.value is not ABSENT
    return bool(flags.value) if known and isinstance(flags, Scalar) else None


def _plain(name: str) -> Value:
    """Return what a method returns whose result is a text, a number or a truth."""
    if name in TEXTS:
        return Scalar("str")
    if name in NUMBERS:
        return Scalar("int")
    return Scalar("bool") if name in TRUTHS else UNKNOWN
