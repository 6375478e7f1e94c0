"""What the playground's page asks, as JSON: below ``/playground/``.

Another site's page can make a browser send requests here. None has the header :data:`HEADER`: a
browser adds it only after a preflight, which nothing here answers.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from slipway.endpoint.access.asked import INVOKE, Asked
from slipway.endpoint.access.guard import check_caller
from slipway.endpoint.failure import Failure, invalid, too_large
from slipway.endpoint.playground import problem
from slipway.endpoint.playground.asking import Caller, ask_both
from slipway.endpoint.playground.last_hour import drift
from slipway.endpoint.playground.question import parse_question
from slipway.endpoint.playground.release import describe
from slipway.endpoint.playground.releases import Releases
from slipway.endpoint.playground.served import Served
from slipway.endpoint.playground.why import Explainer
from slipway.errors import SlipwayError

PREFIX = "/playground/"
HEADER = "X-Slipway-Page"
# a number takes more bytes as text than in its tensor, and a file a third more as base64
TEXT = 4
ROOM = 2**20  # bytes
LONGEST_FIND = 200  # characters

Operation = Callable[[web.BaseRequest], Awaitable[dict[str, Any]]]


class Playground:
    """Answers the page about the endpoints ``served``."""

    def __init__(self, served: Mapping[str, Served]) -> None:
        self._served = served
        self._releases = {name: Releases(each) for name, each in served.items()}
        self._explainer = Explainer()
        self._operations: dict[tuple[str, str], Operation] = {
            ("GET", "releases"): self._find,
            ("GET", "release"): self._describe,
            ("GET", "drift"): self._drift,
            ("POST", "ask"): self._ask,
            ("POST", "explain"): self._explain,
        }

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer a request whose path begins with :data:`PREFIX`.

        Raises:
            Failure: 403, it is of another site's page.
            HTTPException: 404 or 405.
        """
        name = request.path.removeprefix(PREFIX)
        methods = [method for method, known in self._operations if known == name]
        if not methods:
            raise web.HTTPNotFound
        if request.method not in methods:
            raise web.HTTPMethodNotAllowed(request.method, methods)
        _refuse_other_sites(request)
        try:
            return _json(200, await self._operations[request.method, name](request))
        except (Failure, SlipwayError) as error:
            described = problem.describe(error)
            response = _json(described["status"], {"error": described})
            if described["status"] == 413:
                response.force_close()  # the rest of the body is not read
            return response

    async def _find(self, request: web.BaseRequest) -> dict[str, Any]:
        served, query = self._named(request.query), request.query
        text, offset = query.get("find", "")[:LONGEST_FIND], query.get("offset", "0")
        if not offset.isascii() or not offset.isdigit():
            raise invalid("offset is no number")
        found = await asyncio.to_thread(
            self._releases[served.name].find, text, min(int(offset[:9]), 10**9)
        )
        return {"endpoints": list(self._served), "endpoint": served.name, **found}

    async def _describe(self, request: web.BaseRequest) -> dict[str, Any]:
        return await asyncio.to_thread(
            describe, self._named(request.query), request.query.get("target", "")
        )

    async def _drift(self, request: web.BaseRequest) -> dict[str, Any]:
        return await asyncio.to_thread(
            drift, self._named(request.query), request.query.get("target", "")
        )

    async def _ask(self, request: web.BaseRequest) -> dict[str, Any]:
        served, body = await self._posted(request)
        question = parse_question(body)
        caller = Caller(f"{request.scheme}://{request.headers['Host']}", _has_token(request))
        target, second = str(body.get("target")), str(body.get("second") or "")
        for asked in filter(None, (target, second)):
            _check_may_invoke(request, served, asked)
        return await ask_both(served, target, second or None, question, caller)

    async def _explain(self, request: web.BaseRequest) -> dict[str, Any]:
        served, body = await self._posted(request)
        question, target = parse_question(body), str(body.get("target"))
        _check_may_invoke(request, served, target)

        def is_gone() -> bool:
            return request.transport is None or request.transport.is_closing()

        return await self._explainer.explain(served, target, question, body, is_gone)

    def _named(self, values: Mapping[str, Any]) -> Served:
        name = str(values.get("endpoint") or next(iter(self._served), ""))
        if name not in self._served:
            raise invalid(f"Endpoint {name!r:.100} not found")
        return self._served[name]

    async def _posted(self, request: web.BaseRequest) -> tuple[Served, dict[str, Any]]:
        """Return the endpoint that a request's JSON names, and the JSON.

        Raises:
            Failure: it is too large, or no JSON object.
        """
        if request.content_type != "application/json":
            raise invalid("the content type is not application/json")
        largest = max(served.endpoint.limits.body for served in self._served.values())
        data = await _read(request, TEXT * largest + ROOM)
        try:
            body = await asyncio.to_thread(json.loads, data)
            if not isinstance(body, dict):
                raise ValueError("no object")
        except (ValueError, RecursionError) as error:
            raise invalid(f"the body is no JSON object: {error}") from error
        return self._named(body), body


def _check_may_invoke(request: web.BaseRequest, served: Served, target: str) -> None:
    """Check that whoever may look may also invoke ``target``, where the endpoint has a guard.

    Raises:
        Failure: 403.
    """
    operation, several = INVOKE["invocations"], served.containers
    named: tuple[str | None, str | None] = (target, None)
    if several and several.mode == "direct":
        named = (None, target)
    if several and several.mode == "serial":
        named = (None, None)
    check_caller(request, Asked("invoke", operation, served.name, *named))


def _refuse_other_sites(request: web.BaseRequest) -> None:
    headers = request.headers
    origin, host = headers.get("Origin"), headers.get("Host", "")
    same = origin is None or origin.partition("://")[2] == host
    fetched_by = headers.get("Sec-Fetch-Site", "same-origin")
    if HEADER not in headers or not same or fetched_by != "same-origin":
        raise Failure(
            403,
            "AccessDeniedException",
            f"only the endpoint's own page asks here, with the header {HEADER}; programs invoke the"
            " endpoint",
        )


def _has_token(request: web.BaseRequest) -> bool:
    return request.headers.get("Authorization", "").lower().startswith("bearer ")


async def _read(request: web.BaseRequest, limit: int) -> bytes:
    """Read a body of at most ``limit`` bytes; aiohttp's own limit is that of an invocation."""
    if (request.content_length or 0) > limit:
        raise too_large(limit)
    parts, size = [], 0
    try:
        async for part in request.content.iter_any():
            parts.append(part)
            size += len(part)
            if size > limit:
                raise too_large(limit)
    except (OSError, ValueError, web.RequestPayloadError) as error:
        raise invalid(f"the body could not be read: {error}") from error
    return b"".join(parts)


def _json(status: int, value: Mapping[str, Any]) -> web.Response:
    text = json.dumps(_plain(value), ensure_ascii=False, allow_nan=False)
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    data = text.encode("utf-8", "backslashreplace")
    return web.Response(body=data, status=status, content_type="application/json", headers=headers)


def _plain(value: Any) -> Any:
    """Return JSON values: JSON has no NaN and no infinity, which become text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
