"""Serve endpoints over HTTP: SageMaker's runtime API, metrics, the live page."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from aiohttp import web
from aiohttp.http import HttpProcessingError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from slipway.capture.inference_id import is_probe
from slipway.endpoint.access.asked import INVOCATIONS, is_control
from slipway.endpoint.access.hosts import Hosts
from slipway.endpoint.access.opening import Opening
from slipway.endpoint.any_endpoint import AnyEndpoint
from slipway.endpoint.capture import REQUEST_ID, new_request_id
from slipway.endpoint.containers.endpoint import ContainerEndpoint
from slipway.endpoint.failure import Failure, internal, invalid, too_large
from slipway.endpoint.http import control, state
from slipway.endpoint.http.pages import Handler, page_handlers
from slipway.endpoint.http.parameters import (
    VARIANT,
    check_parameters,
    explain,
    refuse_other_way,
)
from slipway.endpoint.observed.observer import Metrics
from slipway.endpoint.playground import api
from slipway.endpoint.protocol import CACHE, INFERENCE_ID, LARGEST_BODY
from slipway.server.client import TARGET

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
# what the platform forwards to the container, and back
FORWARDED = ("Content-Type", "Accept", ATTRIBUTES)
RETURNED = {"content-type": "Content-Type", ATTRIBUTES.lower(): ATTRIBUTES}
BODY = web.RequestKey("body", bytes)  # of a request, once it was read

logger = logging.getLogger("slipway.endpoint")
# aiohttp logs a traceback for every request that is not HTTP; _guard sees everything else
http_logger = logging.getLogger("slipway.endpoint.http")
http_logger.setLevel(logging.CRITICAL)


def server(
    endpoints: Mapping[str, AnyEndpoint],
    metrics: Metrics,
    playground: api.Playground,
    *,
    opening: Opening,
) -> web.Server:
    """Return the server of ``endpoints``, by their names, and of their ``playground``, as far as
    ``opening`` opens it.

    This is aiohttp's server without its application, whose routing costs a sixth of the time that
    an invocation spends here.
    """

    guard = opening.guard
    largest = max((endpoint.limits.body for endpoint in endpoints.values()), default=LARGEST_BODY)

    async def invoke(request: web.BaseRequest, endpoint: AnyEndpoint) -> web.Response:
        several = isinstance(endpoint, ContainerEndpoint)
        check_parameters(endpoint.name, request.headers, has_containers=several)
        body = await _body(request, endpoint.limits.body)
        headers = {key: request.headers[key] for key in FORWARDED if key in request.headers}
        event_id = new_request_id()
        if isinstance(endpoint, ContainerEndpoint):
            answer, hit = await endpoint.invoke(request.headers, body, headers), None
        else:
            try:
                answer, hit = await endpoint.invoke(request.headers.get(TARGET), body, headers)
            except Failure as failure:
                raise explain(failure, headers.get("Content-Type", "")) from failure
        returned = {name: answer.headers[k] for k, name in RETURNED.items() if k in answer.headers}
        if hit is not None:
            returned[CACHE] = "hit" if hit else "load"
        returned["x-amzn-Invoked-Production-Variant"] = VARIANT
        returned[REQUEST_ID] = event_id
        inference_id = request.headers.get(INFERENCE_ID, "")
        if endpoint.capture is not None and not is_probe(inference_id):
            endpoint.capture.offer(
                event_id,
                VARIANT,
                endpoint.captured_target(request.headers),
                (body, headers.get("Content-Type", "")),
                (answer.body, returned.get("Content-Type", "")),
                inference_id=inference_id,
            )
        return web.Response(body=answer.body, headers=returned)

    async def control_plane(request: web.BaseRequest) -> web.Response:
        operation, signed = request.headers[control.OPERATION], request.headers.get("Authorization")
        body = control.answer(operation, await request.read(), signed or "", endpoints)
        return web.Response(body=body, headers={"Content-Type": control.CONTENT_TYPE})

    async def scrape(request: web.BaseRequest) -> web.Response:
        text = generate_latest(metrics.registry)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def show_state(request: web.BaseRequest) -> web.Response:
        return web.json_response(state.snapshot(endpoints))

    async def ping(request: web.BaseRequest) -> web.Response:
        return web.Response()

    pages: dict[str, Handler] = {"/metrics": scrape, "/state": show_state, "/ping": ping}
    pages |= page_handlers()
    # what tells nothing: a browser cannot send a token for the page's own files
    unguarded = {"/ping", *page_handlers()}

    async def admit(request: web.BaseRequest, path: str) -> None:
        """Let the guard decide, and record a refusal."""
        if guard is None or (path in unguarded and request.method in ("GET", "HEAD")):
            return
        try:
            await guard.admit(request, partial(_body, limit=largest))
        except Failure as failure:
            named = INVOCATIONS.fullmatch(path)
            endpoint = endpoints.get(named[1]) if named else next(iter(endpoints.values()), None)
            if endpoint is not None and failure.status != 429:
                endpoint.observer.refused("", failure)
            if failure.status == 403 and is_control(request.method, path, request.headers):
                # AWS's JSON protocol has one status for every error of a caller
                raise Failure(400, failure.type, failure.message, __type=failure.type) from None
            raise

    async def route(request: web.BaseRequest) -> web.StreamResponse:
        try:
            path = request.path
        except ValueError as error:
            raise invalid(f"not a URL path: {error}") from error
        if guard is not None:
            await admit(request, path)
        if is_control(request.method, path, request.headers):
            return await control_plane(request)
        if path.startswith(api.PREFIX):
            return await playground.answer(request)
        name = INVOCATIONS.fullmatch(path)
        if not name and path not in pages:
            raise web.HTTPNotFound
        allowed = ("POST",) if name else ("GET", "HEAD")
        if request.method not in allowed:
            raise web.HTTPMethodNotAllowed(request.method, allowed)
        if not name:
            return await pages[path](request)
        endpoint = endpoints.get(name[1])
        if endpoint is None:
            raise invalid(f"Endpoint {name[1]} of account {control.ACCOUNT} not found.")
        if name[2] != "invocations":
            raise refuse_other_way(endpoint.name, name[2])
        return await invoke(request, endpoint)

    return web.Server(
        partial(_guard, handler=route, hosts=opening.hosts),
        request_factory=partial(
            web.BaseRequest, loop=asyncio.get_running_loop(), client_max_size=largest
        ),
        access_log=None,
        logger=http_logger,
        # a compressed body is for the container to decompress
        auto_decompress=False,
    )


async def _body(request: web.BaseRequest, limit: int) -> bytes:
    known: bytes | None = request.get(BODY)
    if known is not None and len(known) <= limit:
        return known
    if (request.content_length or 0) > limit:
        raise too_large(limit)
    try:
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        body = await request.read()
        if len(body) > limit:  # sent in chunks; aiohttp holds the largest limit of all endpoints
            raise too_large(limit)
        request[BODY] = body
        return body
    except web.HTTPRequestEntityTooLarge as error:
        raise too_large(limit) from error
    except (OSError, ValueError, HttpProcessingError, web.RequestPayloadError) as error:
        # the caller disconnected, or did not send HTTP
        raise invalid(f"the body could not be read: {error}") from error


async def _guard(request: web.BaseRequest, handler: Handler, hosts: Hosts) -> web.StreamResponse:
    """Answer every failure as botocore expects it."""
    try:
        host = request.headers.get("Host", "")
        if not hosts.accepts(host):
            raise Failure(421, "ValidationError", f"this server is not the host {host!r:.100}")
        response = await handler(request)
    except Failure as failure:
        response = _error_response(failure)
    except web.HTTPException as error:
        response = _error_response(
            Failure(error.status, "UnknownOperationException", str(error.reason))
        )
    except Exception:
        logger.exception("a bug in slipway, at %s", request.path)
        response = _error_response(internal())
    if REQUEST_ID not in response.headers:
        response.headers[REQUEST_ID] = new_request_id()
    return response


def _error_response(failure: Failure) -> web.Response:
    headers: dict[str, Any] = {"Content-Type": "application/json"}
    if failure.type:
        headers["x-amzn-ErrorType"] = failure.type
    if failure.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="slipway"'
    response = web.Response(body=failure.body(), status=failure.status, headers=headers)
    if failure.status in (401, 413, 421):
        # the rest of the body is not read
        response.force_close()
    return response
