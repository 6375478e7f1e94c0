"""SW507, SW551, SW552, SW553 and SW558: what execute returns."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from slipway.check.finding import Location, RuleHit
from slipway.check.inference.behaviour import behaviours
from slipway.check.inference.events import Behaviour, Ending
from slipway.check.inference.kinds import describe, is_a
from slipway.check.inference.objects import Response, is_none
from slipway.check.inference.values import Opaque, Sequence, Value, members
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.model import PythonModel
from slipway.check.rule import rule
from slipway.check.rules.python_5xx.python_models import model_classes

PROCESSED = "Triton's Python backend, pb_stub.cc (ProcessReturnedResponses)"
BACKEND = f"{PROCESSED}, and seen on 24.10"
WRAPPED = "return responses, a list with one InferenceResponse for each request"
GENERATOR = Opaque("generator")


@rule(
    "SW507",
    "returns-no-list-of-responses",
    reason="each request is answered with an error, “Expected a list in the execute return”, or"
    " never, if it returns None",
    source=BACKEND,
)
def returns_no_list(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find an ``execute`` whose result is not a list of responses."""
    for python_model, behaviour in behaviours(model):
        if not _is_decoupled(python_model):
            yield from _wrong_returns(python_model, behaviour)


@rule(
    "SW551",
    "path-without-responses",
    reason="requests that take this path are never answered",
    source=BACKEND,
)
def path_without_responses(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a return without a value, or a handled exception after which execute just ends."""
    for python_model, behaviour in behaviours(model):
        if _is_decoupled(python_model) or behaviour.senders or _always_none(behaviour):
            continue
        for ending in behaviour.endings:
            if is_none(ending.value) and ending.node is not None:
                yield RuleHit(
                    ending.code.location(ending.node), "execute returns None here", WRAPPED
                )
            elif is_none(ending.value) and ending.handling:
                yield RuleHit(
                    _end_of(python_model, ending),
                    "execute ends after an exception without its list of responses",
                    "append pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error)))"
                    " for each request, and return the list",
                )


@rule(
    "SW552",
    "may-end-without-responses",
    reason="requests for which no condition before holds are never answered",
    source=BACKEND,
    severity="warning",
)
def may_end_without_responses(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find conditions of which each returns, without a return for the case that none is true."""
    for python_model, behaviour in behaviours(model):
        if _is_decoupled(python_model) or behaviour.senders or _always_none(behaviour):
            continue
        for ending in behaviour.endings:
            if ending.node is not None and _may_be_none(ending.value):
                yield RuleHit(
                    ending.code.location(ending.node),
                    "execute may return None here, in place of its list of responses",
                    "begin with responses = [], and append one for each request",
                )
            if is_none(ending.value) and ending.node is None and not ending.handling:
                yield RuleHit(
                    _end_of(python_model, ending),
                    "execute may end after this statement, without its list of responses",
                    "return the list after it; or raise pb_utils.TritonModelException",
                )


@rule(
    "SW553",
    "number-of-responses",
    reason="each request of a batch is answered with an error: “Number of InferenceResponse objects"
    " do not match the number of InferenceRequest objects”",
    source=BACKEND,
)
def number_of_responses(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find lists that do not have one response for each request."""
    for python_model, behaviour in behaviours(model):
        if _is_decoupled(python_model):
            continue
        batches = _batches_requests(python_model)
        for ending in behaviour.endings:
            value = ending.value
            if not isinstance(value, Sequence) or value.kind != "list" or ending.node is None:
                continue
            count = None if value.items is None else len(value.items)
            location = ending.code.location(ending.node)
            if count is not None and count != 1 and ending.certain:
                what = f"execute returns {count} responses, also for one request"
                yield RuleHit(location, what, WRAPPED)
            elif batches and ending.certain and (count == 1 or ending.in_batch):
                what = (
                    "execute returns in its loop, after the first request of a batch"
                    if ending.in_batch
                    else "execute returns one response, also for a batch of requests"
                )
                yield RuleHit(location, what, WRAPPED)


@rule(
    "SW558",
    "decoupled-returns-responses",
    reason="each request is answered with an error: “is using the decoupled mode and the execute"
    " function must return None”",
    source=PROCESSED,
)
def decoupled_returns(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find decoupled models that return their responses."""
    for python_model, behaviour in behaviours(model):
        if not _is_decoupled(python_model):
            continue
        for ending in behaviour.endings:
            found = members(ending.value)
            if ending.node is not None and all(
                not is_none(each) and is_a(each) is False for each in found
            ):
                yield RuleHit(
                    ending.code.location(ending.node),
                    f"execute of a decoupled model returns {describe(ending.value)}",
                    "send the responses: request.get_response_sender().send(response), and return"
                    " None",
                )


def _wrong_returns(python_model: PythonModel, behaviour: Behaviour) -> Iterator[RuleHit]:
    endings = behaviour.endings
    if endings and _always_none(behaviour) and not behaviour.senders:
        location = _execute(python_model, endings[0])
        yield RuleHit(location, "execute returns None, and sends nothing", WRAPPED)
    for ending in endings:
        if ending.value == GENERATOR and ending.node is None:
            what = "execute returns a generator, because of its yield, and not a list"
            yield RuleHit(_execute(python_model, ending), what, WRAPPED)
        elif ending.node is not None and ending.node.value is not None:
            yield from _wrong_value(ending, ending.node.value, sends=bool(behaviour.senders))


def _wrong_value(ending: Ending, node: ast.expr, *, sends: bool) -> Iterator[RuleHit]:
    """Find what is no list of responses; a model that ``sends`` them may list None instead."""
    value = ending.value
    location = ending.code.location(node)
    found = members(value)
    if all(_is_no_list(each) for each in found):
        is_one = all(isinstance(each, Response) for each in found)
        text = ast.unparse(node)
        fix = f"return [{text}]" if is_one and len(text) <= 30 else WRAPPED
        fix = WRAPPED if isinstance(node, ast.Subscript) else fix
        yield RuleHit(location, f"execute returns {describe(value)}, not a list", fix)
    for each in found:
        if not isinstance(each, Sequence) or each.items == ():
            continue
        parts = (each.element,) if each.items is None else each.items
        # a list in a variable may be filled later, by a thread
        is_final = isinstance(node, ast.ListComp) and not sends
        wrong = [
            part
            for part in parts
            if all(_is_no_response(one) or (is_none(one) and is_final) for one in members(part))
        ]
        if wrong:
            what = f"execute returns a list of {describe(wrong[0])}, not of InferenceResponse"
            empty = all(map(is_none, members(wrong[0])))
            yield RuleHit(location, what, "return the InferenceResponse" if empty else WRAPPED)


def _is_no_list(value: Value) -> bool:
    if is_none(value):
        return False
    if isinstance(value, Sequence):
        return value.kind != "list"
    return is_a(value) is False


def _is_no_response(value: Value) -> bool:
    return not is_none(value) and is_a(value, Response) is False


def _may_be_none(value: Value) -> bool:
    """Return whether a value is None or a list, as the code says itself."""
    found = members(value)
    return any(map(is_none, found)) and any(isinstance(each, Sequence) for each in found)


def _always_none(behaviour: Behaviour) -> bool:
    return all(is_none(ending.value) for ending in behaviour.endings)


def _is_decoupled(python_model: PythonModel) -> bool:
    return bool(python_model.message.model_transaction_policy.decoupled)


def _batches_requests(python_model: PythonModel) -> bool:
    """Return whether ``execute`` may get several requests at once."""
    message = python_model.message
    scheduler = message.WhichOneof("scheduling_choice")
    return message.max_batch_size > 1 and scheduler in ("dynamic_batching", "sequence_batching")


def _execute(python_model: PythonModel, ending: Ending) -> Location:
    """Return where ``execute`` is defined."""
    for code, _, methods in model_classes(python_model):
        if "execute" in methods:
            return code.location(methods["execute"])
    return Location(ending.code.path, 1, 1)


def _end_of(python_model: PythonModel, ending: Ending) -> Location:
    """Return where the last statement of ``execute`` is."""
    for code, _, methods in model_classes(python_model):
        if "execute" in methods:
            return code.location(methods["execute"].body[-1])
    return Location(ending.code.path, 1, 1)
