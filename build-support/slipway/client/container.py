"""A model that a container of its own serves: bytes in, bytes out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from slipway.capture.inference_id import shadow_of
from slipway.catalog import keys
from slipway.client.counters import Counters
from slipway.client.errors import InvocationError
from slipway.client.routes import Routes
from slipway.client.runtime import Reply, Runtime
from slipway.client.shadow import ShadowQueue
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.capture.record import Role
    from slipway.client.capture import ClientCapture

ANSWER: Role = "answer"
SHADOW: Role = "shadow"


class ContainerReply(NamedTuple):
    """The container's answer, undecoded, and the release that gave it."""

    body: bytes
    content_type: str
    target: str


class Container:
    """A model on an endpoint of several containers; see :meth:`slipway.client.Endpoint.container`.

    Safe to use from several threads.
    """

    def __init__(
        self,
        routes: Routes,
        runtime: Runtime,
        counters: Counters,
        shadows: ShadowQueue,
        *,
        is_serial: bool,
        deadline_s: float,
        capture: ClientCapture | None = None,
    ) -> None:
        self.name = routes.name
        self._routes = routes
        self._runtime = runtime
        self._counters = counters
        self._shadows = shadows
        self._is_serial = is_serial
        self._deadline_s = deadline_s
        self._capture = capture

    def invoke(
        self,
        body: bytes,
        content_type: str,
        *,
        accept: str | None = None,
        key: str | None = None,
    ) -> ContainerReply:
        """Return the container's answer to ``body``.

        If the alias has several variants, each call goes to the container of one of them at random,
        by weight; calls with an equal ``key``, such as a user's id, always go to the same. An
        alias's shadow gets the same request in the background, and its bytes are compared.

        Raises:
            ModelError: the container answered with another status than 200; has its message.
            InvocationError: SageMaker refused it, such as for a release that is not deployed.
            ConnectionFailed: there was no response.
            SlipwayError: the body is larger than the endpoint takes (6 MiB, or ``largest_body``);
                there is no such model.
        """
        if len(body) > self._runtime.largest_body:
            raise SlipwayError(
                f"the body has {len(body):,} bytes, at most {self._runtime.largest_body:,} can be"
                " sent",
                where=self.name,
                fix="send fewer rows at once",
            )
        target, shadow = self._routes.choose(key)
        reply = self._send(target, body, content_type, accept, ANSWER)
        self._offer(target, body, content_type, reply, reply.request_id, ANSWER)
        if shadow is not None and not self._is_serial:
            self._shadow(shadow, body, content_type, accept, reply)
        return ContainerReply(reply.body, reply.content_type, target)

    def _send(
        self,
        target: str,
        body: bytes,
        content_type: str,
        accept: str | None,
        role: Role,
        event_id: str | None = None,
    ) -> Reply:
        """Invoke the container of ``target``, and count the outcome. ``event_id`` is of the answer,
        for a shadow."""
        parameters = {} if self._is_serial else {"TargetContainerHostname": keys.hostname(target)}
        if accept is not None:
            parameters["Accept"] = accept
        outcome, began = "failed", time.perf_counter()
        try:
            reply = self._runtime.invoke(
                target,
                body,
                content_type,
                parameters=parameters,
                inference_id=None if event_id is None else shadow_of(event_id),
                # a shadow is not worth a second attempt at a busy endpoint
                deadline_s=self._deadline_s if role == ANSWER else 0,
                on_retry=lambda reason: self._counters.count_retry(self.name, target, reason),
            )
            outcome = "ok"
            return reply
        except InvocationError as error:
            outcome = error.code
            raise
        finally:
            self._counters.count_invocation(self.name, target, role, outcome)
            seconds = time.perf_counter() - began
            self._counters.observe_latency(self.name, target, role, seconds)

    def _offer(
        self,
        target: str,
        body: bytes,
        content_type: str,
        reply: Reply,
        event_id: str,
        role: Role,
    ) -> None:
        """Offer an answer to be captured; that of a pipeline is not this model's."""
        if self._capture is not None and not self._is_serial:
            request, response = (body, content_type), (reply.body, reply.content_type)
            self._capture.offer(event_id, reply.variant, target, request, response, role=role)

    def _shadow(
        self, target: str, body: bytes, content_type: str, accept: str | None, main: Reply
    ) -> None:
        """Send the same request to ``target`` in the background, and compare the bytes."""

        def compare() -> None:
            try:
                reply = self._send(target, body, content_type, accept, SHADOW, main.request_id)
            except SlipwayError:
                count("failed")
                return
            self._offer(target, body, content_type, reply, main.request_id, SHADOW)
            count("agreed" if reply.body == main.body else "differed")

        def count(outcome: str) -> None:
            self._counters.count_comparison(self.name, target, outcome)

        if not self._shadows.offer(compare):
            count("dropped")
