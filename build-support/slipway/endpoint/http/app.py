"""Serve endpoints over HTTP: SageMaker's runtime API, metrics, the live page."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from aiohttp import web
from aiohttp.http import HttpProcessingError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from slipway.endpoint.any_endpoint import AnyEndpoint
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
from slipway.endpoint.protocol import CACHE, LARGEST_BODY
from slipway.server.client import TARGET

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
# what the platform forwards to the container, and back
FORWARDED = ("Content-Type", "Accept", ATTRIBUTES)
RETURNED = {"content-type": "Content-Type", ATTRIBUTES.lower(): ATTRIBUTES}
INVOCATIONS = re.compile(
    r"/endpoints/([^/]+)/(invocations|async-invocations|invocations-response-stream)"
)
# another site can point its own name at this machine, but cannot send another Host
OWN_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?", re.IGNORECASE)

logger = logging.getLogger("slipway.endpoint")
# aiohttp logs a traceback for every request that is not HTTP; _guard sees everything else
http_logger = logging.getLogger("slipway.endpoint.http")
http_logger.setLevel(logging.CRITICAL)


def server(endpoints: Mapping[str, AnyEndpoint], metrics: Metrics) -> web.Server:
    """Return the server of ``endpoints``, by their names.

    This is aiohttp's server without its application, whose routing costs a sixth of the time that
    an invocation spends here.
    """

    largest = max((endpoint.limits.body for endpoint in endpoints.values()), default=LARGEST_BODY)

    async def invoke(request: web.BaseRequest, endpoint: AnyEndpoint) -> web.Response:
        several = isinstance(endpoint, ContainerEndpoint)
        check_parameters(endpoint.name, request.headers, has_containers=several)
        body = await _body(request, endpoint.limits.body)
        headers = {key: request.headers[key] for key in FORWARDED if key in request.headers}
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

    async def route(request: web.BaseRequest) -> web.StreamResponse:
        try:
            path = request.path
        except ValueError as error:
            raise invalid(f"not a URL path: {error}") from error
        if request.method == "POST" and path == "/" and control.OPERATION in request.headers:
            return await control_plane(request)
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
        partial(_guard, handler=route),
        request_factory=partial(
            web.BaseRequest, loop=asyncio.get_running_loop(), client_max_size=largest
        ),
        access_log=None,
        logger=http_logger,
        # a compressed body is for the container to decompress
        auto_decompress=False,
    )


async def _body(request: web.BaseRequest, limit: int) -> bytes:
    if (request.content_length or 0) > limit:
        raise too_large(limit)
    try:
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        body = await request.read()
        if len(body) > limit:  # sent in chunks; aiohttp holds the largest limit of all endpoints
            raise too_large(limit)
        return body
    except web.HTTPRequestEntityTooLarge as error:
        raise too_large(limit) from error
    except (OSError, ValueError, HttpProcessingError, web.RequestPayloadError) as error:
        # the caller disconnected, or did not send HTTP
        raise invalid(f"the body could not be read: {error}") from error


async def _guard(request: web.BaseRequest, handler: Handler) -> web.StreamResponse:
    """Answer every failure as botocore expects it."""
    try:
        host = request.headers.get("Host", "")
        if not OWN_HOST.fullmatch(host):
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
    response.headers["x-amzn-RequestId"] = _id()
    return response


def _id() -> str:
    """Return a random UUID without ``uuid``'s system call."""
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _error_response(failure: Failure) -> web.Response:
    headers: dict[str, Any] = {"Content-Type": "application/json"}
    if failure.type:
        headers["x-amzn-ErrorType"] = failure.type
    response = web.Response(body=failure.body(), status=failure.status, headers=headers)
    if failure.status in (413, 421):
        # the rest of the body is not read
        response.force_close()
    return response
