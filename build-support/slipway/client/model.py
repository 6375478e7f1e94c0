"""One model on an endpoint, as a function: values in, arrays out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from slipway.client import request
from slipway.client.counters import Counters
from slipway.client.routes import Routes
from slipway.client.runtime import Reply, Runtime
from slipway.client.sender import Sender, Sent
from slipway.client.shadow import ShadowQueue
from slipway.errors import SlipwayError
from slipway.model.interface import Interface
from slipway.triton import comparison, kserve
from slipway.triton.datatypes import Array

if TYPE_CHECKING:
    from slipway.client.capture import ClientCapture


class Prediction(NamedTuple):
    """The outputs by name, and the target model that returned them. ``event_id`` is the request's
    in captures, to which ground truth belongs that comes later. ``was_loaded`` is whether the model
    was loaded before, ``None`` where the endpoint does not say so, as in AWS."""

    outputs: dict[str, Array]
    target: str
    event_id: str = ""
    was_loaded: bool | None = None


class Model:
    """A model by its name, or one release of it; see :meth:`slipway.client.Endpoint.model`.

    Safe to use from several threads.
    """

    def __init__(
        self,
        routes: Routes,
        runtime: Runtime,
        counters: Counters,
        shadows: ShadowQueue,
        *,
        deadline_s: float,
        expected: Interface | None = None,
        capture: ClientCapture | None = None,
    ) -> None:
        self.name = routes.name
        self._routes = routes
        self._runtime = runtime
        self._sender = Sender(
            routes.name, runtime, counters, shadows, deadline_s=deadline_s, capture=capture
        )
        self._expected = expected

    def predict(
        self,
        inputs: Mapping[str, Any],
        *,
        key: str | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> dict[str, Array]:
        """Return the outputs by name, in the declared order, with their batch dimension.

        Strings are ``bytes`` in arrays of ``object``.

        ``inputs`` are values by the model's input names. Arrays are sent unchanged; numbers,
        strings, bytes and lists of them are converted to the type that the release declares. The
        batch may be left out where that is unambiguous: for an input of dims [1], ``b"…"`` is one
        row and ``[b"…", b"…"]`` two. ``None`` leaves an optional input out.

        If the alias has several variants, each call goes to one of them at random; calls with an
        equal ``key``, such as a user's id, always go to the same. An alias's shadow gets the same
        request afterwards, in the background; its response is only compared and counted.

        ``parameters`` are the request's own. A model of sequences needs ``{"sequence_id": 7,
        "sequence_start": True}``, and ``sequence_end`` at the last request; with several variants
        an equal ``key`` as well.

        Raises:
            ModelError: the model refused the request, or failed on it; has the model's message.
            InvocationError: SageMaker refused it, or was still busy at the deadline.
            ConnectionFailed: there was no response.
            SlipwayError: an input is unknown, missing, or of another type or shape than declared;
                the request is larger than the endpoint takes (6 MiB, or ``largest_body``); there is
                no such model.
        """
        return self.ask(inputs, key=key, parameters=parameters).outputs

    def ask(
        self,
        inputs: Mapping[str, Any],
        *,
        key: str | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> Prediction:
        """Return what :meth:`predict` returns, and the target model that answered."""
        target, shadow = self._routes.choose(key)
        try:
            sent = self._encoded(target, inputs, parameters)
        except SlipwayError:
            self._sender.refused(target)
            raise
        reply = self._sender.ask(target, sent)
        if shadow is not None:
            self._sender.ask_shadow(shadow, sent, reply, partial(_agree, reply))
        outputs = _decoded(reply)
        declared = self._routes.interface(target).outputs
        # Triton returns outputs in its own order
        ordered = {name: outputs[name] for name in declared if name in outputs}
        return Prediction(ordered | outputs, target, reply.request_id, reply.was_loaded)

    def main_target(self) -> str:
        """Return the target model of the heaviest variant.

        Raises:
            SlipwayError: the model has no alias.
        """
        return self._routes.main()

    def interface(self, target: str | None = None) -> Interface:
        """Return the inputs and outputs of ``target``, by default of the heaviest variant.

        Raises:
            SlipwayError: there is no such release.
        """
        return self._routes.interface(target or self._routes.main())

    def _encoded(
        self, target: str, inputs: Mapping[str, Any], parameters: Mapping[str, Any] | None
    ) -> Sent:
        interface = self._routes.interface(target)
        if self._expected is not None:
            _refuse_changed(self._expected, interface, self.name, target)
        arrays = request.fit(interface, inputs, name=self.name)
        body, content_type = kserve.encode(arrays, parameters=parameters)
        request.check_size(body, arrays, interface, self._runtime.largest_body)
        return Sent(body, content_type)


def _agree(main: Reply, shadow: Reply) -> bool:
    """Return whether the outputs of two responses are equal.

    Raises:
        SlipwayError: one is not of Triton.
    """
    return not comparison.compare_outputs(_decoded(main), _decoded(shadow), {})


def _decoded(reply: Reply) -> dict[str, Array]:
    """Return the outputs of a response.

    Raises:
        SlipwayError: it is not one of Triton.
    """
    try:
        return kserve.decode(reply.body, reply.content_type)
    except Exception as error:  # whatever a malformed body leads to
        raise SlipwayError(
            f"the response is not one of Triton: {error!r}",
            fix="check that the endpoint serves models of Slipway",
        ) from error


def _refuse_changed(expected: Interface, served: Interface, name: str, target: str) -> None:
    """Refuse a release whose tensors are not those that a generated client was generated for.

    Raises:
        SlipwayError: lists the differences.
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
            f"this client was generated for another interface of {name}; changed:"
            f" {', '.join(changed)}",
            where=target,
            fix=f"generate it again: slipway client {name} --output FILE",
        )
