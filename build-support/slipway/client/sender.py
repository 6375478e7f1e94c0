"""Send a model's requests: count what becomes of them, offer them for capture, ask shadows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from slipway.capture.inference_id import shadow_of
from slipway.client.counters import Counters
from slipway.client.errors import InvocationError
from slipway.client.runtime import Reply, Runtime
from slipway.client.shadow import ShadowQueue
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.capture.record import Role
    from slipway.client.capture import ClientCapture

ANSWER: Role = "answer"
SHADOW: Role = "shadow"


class Sent(NamedTuple):
    """A request as bytes: its body, and ``parameters`` of InvokeEndpoint that name what answers, in
    the place of TargetModel."""

    body: bytes
    content_type: str
    parameters: Mapping[str, str] | None = None


class Sender:
    """Sends the requests of the model ``name``. Safe to use from several threads."""

    def __init__(
        self,
        name: str,
        runtime: Runtime,
        counters: Counters,
        shadows: ShadowQueue,
        *,
        deadline_s: float,
        capture: ClientCapture | None,
    ) -> None:
        self._name = name
        self._runtime = runtime
        self._counters = counters
        self._shadows = shadows
        self._deadline_s = deadline_s
        self._capture = capture

    def ask(self, target: str, sent: Sent) -> Reply:
        """Return the answer of ``target``, which is offered for capture.

        Raises:
            InvocationError, ConnectionFailed, SlipwayError: see :meth:`Runtime.invoke`.
        """
        reply = self._send(target, sent, ANSWER)
        self._offer(target, sent, reply, reply.request_id, ANSWER)
        return reply

    def ask_shadow(
        self, target: str, sent: Sent, main: Reply, agrees: Callable[[Reply], bool]
    ) -> None:
        """Send a request that ``main`` answers to ``target`` as well, in the background, and count
        whether it ``agrees``; an error of that is one of the shadow.

        Request and response are bytes: the caller may change its arrays meanwhile.
        """

        def compare() -> None:
            try:
                reply = self._send(target, sent, SHADOW, main.request_id)
                self._offer(target, sent, reply, main.request_id, SHADOW)
                outcome = "agreed" if agrees(reply) else "differed"
            except SlipwayError:
                outcome = "failed"
            self._counters.count_comparison(self._name, target, outcome)

        if not self._shadows.offer(compare):
            self._counters.count_comparison(self._name, target, "dropped")

    def refused(self, target: str) -> None:
        """Count a request that could not be made for ``target``."""
        self._counters.count_invocation(self._name, target, ANSWER, "refused")

    def _send(self, target: str, sent: Sent, role: Role, event_id: str | None = None) -> Reply:
        """Invoke ``target``, and count the outcome. ``event_id`` is of the answer, for a shadow."""
        outcome, began = "failed", time.perf_counter()
        try:
            reply = self._runtime.invoke(
                target,
                sent.body,
                sent.content_type,
                parameters=sent.parameters,
                inference_id=None if event_id is None else shadow_of(event_id),
                # a shadow is not worth a second attempt at a busy endpoint
                deadline_s=self._deadline_s if role == ANSWER else 0,
                on_retry=lambda reason: self._counters.count_retry(self._name, target, reason),
            )
            outcome = "ok"
            return reply
        except InvocationError as error:
            outcome = error.code
            raise
        finally:
            self._counters.count_invocation(self._name, target, role, outcome)
            seconds = time.perf_counter() - began
            self._counters.observe_latency(self._name, target, role, seconds)

    def _offer(self, target: str, sent: Sent, reply: Reply, event_id: str, role: Role) -> None:
        """Offer an answer to be captured; a shadow's has the ``event_id`` of the answer's."""
        if self._capture is not None:
            request, response = (sent.body, sent.content_type), (reply.body, reply.content_type)
            self._capture.offer(event_id, reply.variant, target, request, response, role=role)
