"""Capture the calls of an application's own function, whatever it calls the endpoint with."""

from __future__ import annotations

import functools
import inspect
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, TypeVar, cast

from slipway import settings as configuration
from slipway.catalog.reader import CatalogReader
from slipway.client.capture import VARIANT, open_capture
from slipway.client.sent_bodies import body_of_arguments, body_of_result
from slipway.settings import Settings
from slipway.store.open_reader import open_endpoint

Function = TypeVar("Function", bound=Callable[..., Any])

log = logging.getLogger(__name__)


class _Call(NamedTuple):
    """A call that is to be captured: its id, whom it asks, and the body with its content type."""

    event_id: str
    target: str
    request: tuple[bytes, str]


class Captures:
    """Captures for functions that ask models with boto3, or with anything else::

        captures = Captures("production")

        @captures.of("fares_1.2.0.tar.gz")
        def ask(inputs):
            ...

    ``name``, ``settings`` and ``store`` are those of :class:`~slipway.client.Endpoint`, as is
    ``sample``, its ``capture_sample``. Captures are kept in the release store, where the endpoint's
    ``capture`` in slipway.toml says, or at ``location``: a folder or ``s3://bucket``.

    Safe to use from several threads. Create one and reuse it.

    Raises:
        SlipwayError: the endpoint is not configured, or a location is of an unknown kind.
    """

    def __init__(
        self,
        name: str = "local",
        *,
        settings: Settings | configuration.EndpointSettings | None = None,
        store: str | None = None,
        location: str | None = None,
        sample: float | None = None,
    ) -> None:
        if isinstance(settings, configuration.EndpointSettings):
            repository, entry = Settings(Path.cwd()), settings
        else:
            repository = settings or configuration.load(Path.cwd())
            entry = repository.endpoint(name)
        if store is not None:
            entry = replace(entry, store=store)
        catalog = CatalogReader(open_endpoint(repository, entry))
        endpoint = entry.endpoint_name or entry.name
        self._capture = open_capture(repository, entry, location or True, sample, catalog, endpoint)

    def of(self, target: str | Callable[..., str]) -> Callable[[Function], Function]:
        """Return a decorator for a function, or a coroutine function, that asks ``target``: a
        target model, or a function that returns it for the same arguments.

        The function takes arrays, by name in a mapping or each as an argument of its own, or the
        bytes of a body and their content type. It returns a mapping of arrays, a body with its
        content type, or an object that has them as ``outputs``, or ``body`` and ``content_type``.
        What it raises is not captured; what cannot be captured is logged, and returned all the
        same.
        """

        def decorate(function: Function) -> Function:
            signature = inspect.signature(function)

            def begin(arguments: tuple[Any, ...], named: Mapping[str, Any]) -> _Call | None:
                event_id = str(uuid.uuid4())
                if not self._capture.is_sampled(event_id):
                    return None
                try:
                    asked = target if isinstance(target, str) else target(*arguments, **named)
                    bound = signature.bind(*arguments, **named).arguments
                    return _Call(event_id, asked, body_of_arguments(bound))
                except Exception as error:  # of the caller's own arguments: the call raises its own
                    log.warning("a call of %s is not captured: %s", function.__qualname__, error)
                    return None

            def end(call: _Call | None, result: Any) -> None:
                if call is None:
                    return
                try:
                    response = body_of_result(result)
                except Exception as error:  # of whatever it returned
                    log.warning("a call of %s is not captured: %s", function.__qualname__, error)
                    return
                self._capture.offer(call.event_id, VARIANT, call.target, call.request, response)

            if inspect.iscoroutinefunction(function):

                @functools.wraps(function)
                async def ask_later(*arguments: Any, **named: Any) -> Any:
                    call = begin(arguments, named)
                    result = await function(*arguments, **named)
                    end(call, result)
                    return result

                return cast(Function, ask_later)

            @functools.wraps(function)
            def ask(*arguments: Any, **named: Any) -> Any:
                call = begin(arguments, named)
                result = function(*arguments, **named)
                end(call, result)
                return result

            return cast(Function, ask)

        return decorate

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Return what became of the calls of this process, by target model."""
        return self._capture.counts()

    def close(self) -> None:
        """Write what was captured, and capture nothing more."""
        self._capture.close()

    def __enter__(self) -> Captures:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
