"""SW557 and SW559: response senders in models that are not decoupled."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.finding import RuleHit
from slipway.check.inference.behaviour import behaviours
from slipway.check.inference.interpreter.triton_objects import END, RESPONSE
from slipway.check.inference.objects import Response, is_none
from slipway.check.inference.values import Sequence, members
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule

FIRST_RELEASE = "24.06"  # from here on, models that are not decoupled may use a sender


@rule(
    "SW557",
    "sender-needs-decoupled",
    reason="each request fails: “'get_response_sender' function must be called only when the model"
    " is using the decoupled transaction policy”",
    source="Triton's Python backend before 24.06, infer_request.cc (GetResponseSender)",
)
def sender_needs_decoupled(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find response senders in models that are not decoupled, for a server before 24.06."""
    release = model.settings.triton_release
    for python_model, behaviour in behaviours(model) if release < FIRST_RELEASE else ():
        if not python_model.message.model_transaction_policy.decoupled:
            for code, node in behaviour.senders[:1]:
                yield RuleHit(
                    code.location(node),
                    f"the model is not decoupled, and the server is {release}",
                    "return the responses as a list; or model_transaction_policy"
                    " { decoupled: true } in the config, if each may be several",
                )


@rule(
    "SW559",
    "sends-other-than-one-response",
    reason="the request fails: “Non-decoupled model cannot send more than one response”; or it is"
    " never answered, if the end is not sent",
    source="Triton's Python backend, response_sender.cc (UpdateStateAndCounters), seen on 24.10",
)
def sends_other_than_one(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find models that are not decoupled, and send other than one response and its end."""
    for python_model, behaviour in behaviours(model):
        if python_model.message.model_transaction_policy.decoupled:
            continue
        for problem in behaviour.problems:
            if problem.kind == "sender":
                yield RuleHit(problem.code.location(problem.node), problem.what, problem.fix)
        for ending in behaviour.endings:
            value = ending.value
            if is_none(value) and ending.sent == RESPONSE:
                for code, node in behaviour.sends[:1]:
                    yield RuleHit(
                        code.location(node),
                        "the response is sent without the end, so the request never ends",
                        "send(response, flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)",
                    )
            if ending.node is None or not isinstance(value, Sequence):
                continue
            if ending.sent in (RESPONSE, END) and all(
                isinstance(each, Response) for each in members(value.element)
            ):
                yield RuleHit(
                    ending.code.location(ending.node),
                    "execute returns responses, after it has sent them",
                    "return None, or do not send them",
                )
