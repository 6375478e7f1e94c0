"""A model that a container of its own serves: bytes in, bytes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from slipway.catalog import keys
from slipway.client.counters import Counters
from slipway.client.routes import Routes
from slipway.client.runtime import Runtime
from slipway.client.sender import Sender, Sent
from slipway.client.shadow import ShadowQueue
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.client.capture import ClientCapture


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
        self._is_serial = is_serial
        # the answer of a pipeline is not this model's, and not captured
        captured = None if is_serial else capture
        self._sender = Sender(
            routes.name, runtime, counters, shadows, deadline_s=deadline_s, capture=captured
        )

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
        reply = self._sender.ask(target, self._sent(target, body, content_type, accept))
        if shadow is not None and not self._is_serial:
            sent = self._sent(shadow, body, content_type, accept)
            self._sender.ask_shadow(shadow, sent, reply, lambda other: other.body == reply.body)
        return ContainerReply(reply.body, reply.content_type, target)

    def _sent(self, target: str, body: bytes, content_type: str, accept: str | None) -> Sent:
        """Return a request to the container of ``target``."""
        parameters = {} if self._is_serial else {"TargetContainerHostname": keys.hostname(target)}
        if accept is not None:
            parameters["Accept"] = accept
        return Sent(body, content_type, parameters)
