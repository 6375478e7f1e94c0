"""Ask one release, or two side by side, and describe what each answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from slipway.endpoint.containers.definition import CONTAINER
from slipway.endpoint.containers.endpoint import ContainerEndpoint
from slipway.endpoint.failure import Failure, invalid, too_large
from slipway.endpoint.instance.connection import ContainerResponse
from slipway.endpoint.playground import answer as answers
from slipway.endpoint.playground import problem
from slipway.endpoint.playground.paste.request import Request
from slipway.endpoint.playground.paste.write import write_code
from slipway.endpoint.playground.question import Question, encode
from slipway.endpoint.playground.release import interface_of
from slipway.endpoint.playground.releases import name_of
from slipway.endpoint.playground.served import Served
from slipway.errors import SlipwayError
from slipway.triton.datatypes import Array


class Caller(NamedTuple):
    """Where the page of a caller is, and whether it sends a token."""

    url: str
    token: bool


@dataclass
class Said:
    """What one release answered: the JSON for the page, and the outputs if there are any."""

    shown: dict[str, Any]
    outputs: Mapping[str, Array] = field(default_factory=dict)


async def ask(served: Served, target: str, question: Question, caller: Caller) -> Said:
    """Ask ``target`` as any caller does. An error is what it said, in full, and no exception."""
    if isinstance(served.endpoint, ContainerEndpoint):
        return await _ask_container(served, served.endpoint, target, question, caller)
    shown: dict[str, Any] = {"target": target}
    start = time.perf_counter()
    try:
        interface = await asyncio.to_thread(interface_of, served, target)
        name, limit = name_of(target), served.endpoint.limits.body
        encoded = await asyncio.to_thread(encode, question, interface, name, limit)
        shown["sent_bytes"] = len(encoded.body)
        request = Request(served, name, target, encoded.arrays, question, with_token=caller.token)
        shown["code"] = write_code(request, caller.url)
        headers = {"Content-Type": encoded.content_type}
        start = time.perf_counter()
        answer, hit = await served.endpoint.invoke(target, encoded.body, headers)
        shown["ms"] = 1000 * (time.perf_counter() - start)
        shown["cache"] = "hit" if hit else "load"
        shown["received_bytes"] = len(answer.body)
        outputs = await asyncio.to_thread(answers.decode, answer, interface)
        if answers.holds_binary(outputs, interface):
            shown["code"] = write_code(replace(request, is_binary=True), caller.url)
        shown["outputs"] = await asyncio.to_thread(answers.describe_outputs, outputs, interface)
    except (Failure, SlipwayError) as error:
        return Said(_failed(shown, error, start))
    except ValueError as error:
        unread = SlipwayError(str(error), fix="ask with the code below, which shows the bytes")
        return Said(_failed(shown, unread, start))
    return Said(shown, outputs)


async def ask_both(
    served: Served, target: str, second: str | None, question: Question, caller: Caller
) -> dict[str, Any]:
    """Ask ``target``, and then ``second`` the same; with both answers, also what differs."""
    first = await ask(served, target, question, caller)
    result: dict[str, Any] = {"answer": first.shown}
    if second is None:
        return result
    other = await ask(served, second, question, caller)
    result["second"] = other.shown
    if first.outputs and other.outputs:
        result["differences"] = await asyncio.to_thread(
            answers.differences, first.outputs, other.outputs
        )
    return result


def _failed(shown: dict[str, Any], error: Failure | SlipwayError, start: float) -> dict[str, Any]:
    if isinstance(error, Failure):
        shown["ms"] = 1000 * (time.perf_counter() - start)
    return shown | {"error": problem.describe(error)}


async def _ask_container(
    served: Served, endpoint: ContainerEndpoint, target: str, question: Question, caller: Caller
) -> Said:
    shown: dict[str, Any] = {"target": target, "sent_bytes": len(question.body)}
    start = time.perf_counter()
    try:
        if len(question.body) > endpoint.limits.body:
            raise too_large(endpoint.limits.body)
        if not question.content_type:
            raise invalid("the content type is missing: a container reads its body by it")
        hostname = "" if endpoint.mode == "serial" else target
        request = Request(served, "", hostname, {}, question, with_token=caller.token)
        shown["code"] = write_code(request, caller.url)
        headers = {"Content-Type": question.content_type}
        if question.accept:
            headers["Accept"] = question.accept
        answer = await endpoint.invoke(
            {CONTAINER: hostname} if hostname else {}, question.body, headers
        )
        shown["ms"] = 1000 * (time.perf_counter() - start)
        shown["received_bytes"] = len(answer.body)
        shown["body"] = await asyncio.to_thread(answers.describe_body, answer)
    except Failure as error:
        return Said(_failed(shown, error, start))
    return Said(shown, _as_outputs(answer))


def _as_outputs(answer: ContainerResponse) -> dict[str, Array]:
    import numpy as np

    return {"body": np.array([answer.body], dtype=object)}
