"""One model on an endpoint, as a function: values in, arrays out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from slipway.client import request
from slipway.client.errors import InvocationError
from slipway.client.metrics import Metrics
from slipway.client.routes import Routes
from slipway.client.runtime import Reply, Runtime
from slipway.client.shadow import Beside
from slipway.errors import SlipwayError
from slipway.model.interface import Interface
from slipway.triton import comparison, kserve
from slipway.triton.datatypes import Array

ANSWER, SHADOW = "answer", "shadow"


class Answer(NamedTuple):
    """The outputs by name, and the target model that gave them."""

    outputs: dict[str, Array]
    target: str


class Model:
    """A model by its name, or one release of it; made by :meth:`slipway.client.Endpoint.model`.

    Safe to use from several threads.
    """

    def __init__(
        self,
        routes: Routes,
        runtime: Runtime,
        metrics: Metrics,
        beside: Beside,
        *,
        deadline_s: float,
        expected: Interface | None = None,
    ) -> None:
        self.name = routes.name
        self._routes = routes
        self._runtime = runtime
        self._metrics = metrics
        self._beside = beside
        self._deadline_s = deadline_s
        self._expected = expected

    def predict(self, inputs: Mapping[str, Any], *, key: str | None = None) -> dict[str, Array]:
        """The outputs by name, in the declared order, batch included; strings are ``bytes`` in arrays of ``object``.

        ``inputs`` are values by the model's input names. Arrays go as they are; numbers, strings,
        bytes and lists of them take the type that the release declares. The batch may be left out
        where one reading remains: for an input of dims [1], ``b"…"`` is one row and
        ``[b"…", b"…"]`` two. ``None`` stands for an optional input that is not given.

        If the alias has several variants, each call is answered by one of them at random; calls
        with an equal ``key``, such as a user's id, always by the same. An alias's shadow gets the
        same request afterwards, in the background; its answer is only compared and counted.

        Raises:
            ModelError: the model refused the request, or failed on it; has the model's message.
            InvocationError: SageMaker refused it, or was still busy at the deadline.
            ConnectionFailed: nobody answered.
            SlipwayError: an input is unknown, missing, or of another type or shape than declared;
                the request is larger than 6 MiB; there is no such model.
        """
        return self.ask(inputs, key=key).outputs

    def ask(self, inputs: Mapping[str, Any], *, key: str | None = None) -> Answer:
        """As :meth:`predict`, and says which target model answered."""
        target, shadow = self._routes.choose(key)
        try:
            body, content_type = self._encoded(target, inputs)
        except SlipwayError:
            self._metrics.invocations.labels(self.name, target, ANSWER, "refused").inc()
            raise
        reply = self._send(target, body, content_type, ANSWER)
        if shadow is not None:
            self._shadow(shadow, body, content_type, reply)
        outputs = _decoded(reply)
        declared = self._routes.interface(target).outputs
        # Triton answers in an order of its own
        ordered = {name: outputs[name] for name in declared if name in outputs}
        return Answer(ordered | outputs, target)

    def interface(self, target: str | None = None) -> Interface:
        """What ``target`` takes and gives, by default the one that gets most invocations.

        Raises:
            SlipwayError: there is no such release.
        """
        return self._routes.interface(target or self._routes.main())

    def _encoded(self, target: str, inputs: Mapping[str, Any]) -> tuple[bytes, str]:
        interface = self._routes.interface(target)
        if self._expected is not None:
            _refuse_other(self._expected, interface, self.name, target)
        arrays = request.fit(interface, inputs, name=self.name)
        body, content_type = kserve.encode(arrays)
        request.check_size(body, arrays, interface)
        return body, content_type

    def _send(self, target: str, body: bytes, content_type: str, role: str) -> Reply:
        """Ask ``target``, and count how it went."""
        outcome, began = "failed", time.perf_counter()
        try:
            reply = self._runtime.invoke(
                target,
                body,
                content_type,
                # a shadow is not worth a second attempt at a busy endpoint
                deadline_s=self._deadline_s if role == ANSWER else 0,
                retried=lambda reason: self._metrics.retries.labels(
                    self.name, target, reason
                ).inc(),
            )
            outcome = "ok"
            return reply
        except InvocationError as error:
            outcome = error.code
            raise
        finally:
            self._metrics.invocations.labels(self.name, target, role, outcome).inc()
            self._metrics.latency.labels(self.name, target, role).observe(
                time.perf_counter() - began
            )

    def _shadow(self, target: str, body: bytes, content_type: str, main: Reply) -> None:
        """Give the same request to ``target``, later. Both are bytes: the caller may change the
        arrays that it gave and got meanwhile."""

        def compare() -> None:
            try:
                beside = _decoded(self._send(target, body, content_type, SHADOW))
            except SlipwayError:
                count("failed")
                return
            count("differed" if comparison.compare(_decoded(main), beside, {}) else "agreed")

        def count(outcome: str) -> None:
            self._metrics.comparisons.labels(self.name, target, outcome).inc()

        if not self._beside.offer(compare):
            count("dropped")


def _decoded(reply: Reply) -> dict[str, Array]:
    """The outputs of an answer.

    Raises:
        SlipwayError: it is not Triton's.
    """
    try:
        return kserve.decode(reply.body, reply.content_type)
    except Exception as error:  # tritonclient checks nothing, and raises what it stumbles over
        raise SlipwayError(
            f"the answer is not one of Triton's: {error!r}",
            fix="check that the endpoint serves models of Slipway",
        ) from error


def _refuse_other(expected: Interface, served: Interface, name: str, target: str) -> None:
    """Refuse a release whose tensors are not those that a generated client was made for.

    Raises:
        SlipwayError: names what differs.
    """
    sides = (
        ("input", expected.inputs, served.inputs),
        ("output", expected.outputs, served.outputs),
    )
    changed = [
        f"{side} {key!r}"
        for side, before, now in sides
        for key in sorted({*before, *now})
        if before.get(key) != now.get(key)
    ]
    if expected.batches != served.batches:
        changed.append("whether it takes batches")
    if changed:
        raise SlipwayError(
            f"this client was made for another interface of {name}; not as it was:"
            f" {', '.join(changed)}",
            where=target,
            fix=f"make it anew: slipway client {name} -o <file>",
        )
