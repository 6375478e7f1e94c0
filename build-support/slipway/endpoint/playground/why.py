"""Explain an answer by asking its release, within a time and a number of requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from slipway.endpoint.endpoint import Endpoint
from slipway.endpoint.failure import Failure
from slipway.endpoint.playground import answer as answers
from slipway.endpoint.playground.question import Question, encode
from slipway.endpoint.playground.release import interface_of
from slipway.endpoint.playground.releases import name_of
from slipway.endpoint.playground.served import Served
from slipway.errors import SlipwayError
from slipway.explain.explain import explain
from slipway.explain.options import Options
from slipway.triton import kserve
from slipway.triton.datatypes import Array

LONGEST_S = 60.0
MOST_REQUESTS = 400
Chosen = Literal["auto", "shapley", "occlusion", "server"]
METHODS: dict[str, Chosen] = {
    "auto": "auto",
    "shapley": "shapley",
    "occlusion": "occlusion",
    "server": "server",
}
ONE_AT_A_TIME = "another explanation is being made on this endpoint: ask again when it is there"


class Explainer:
    """Makes one explanation at a time: each asks the model hundreds of times."""

    def __init__(self) -> None:
        self._busy = False

    async def explain(
        self,
        served: Served,
        target: str,
        question: Question,
        chosen: Mapping[str, Any],
        is_gone: Callable[[], bool],
    ) -> dict[str, Any]:
        """Return the explanation of the answer of ``target``, as JSON values.

        ``is_gone`` returns whether nobody waits for it any more, which ends it.

        Raises:
            Failure: 429, another one is being made; or what the release answered.
            SlipwayError: the answer cannot be explained, or not in :data:`LONGEST_S`.
        """
        endpoint = served.endpoint
        if not isinstance(endpoint, Endpoint):
            raise SlipwayError(
                "answers of containers are not explained: their requests have any form",
                fix="serve the model with Triton",
            )
        if self._busy:
            raise Failure(429, "ThrottlingException", ONE_AT_A_TIME)
        self._busy = True
        try:
            loop = asyncio.get_running_loop()
            return await asyncio.to_thread(
                _explained, endpoint, served, target, question, _options(chosen), is_gone, loop
            )
        finally:
            self._busy = False


def _explained(
    endpoint: Endpoint,
    served: Served,
    target: str,
    question: Question,
    options: Options,
    is_gone: Callable[[], bool],
    loop: asyncio.AbstractEventLoop,
) -> dict[str, Any]:
    interface = interface_of(served, target)
    encoded = encode(question, interface, name_of(target), endpoint.limits.body)
    deadline = time.monotonic() + LONGEST_S

    def ask(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        if time.monotonic() > deadline:
            raise SlipwayError(
                f"the explanation takes longer than {LONGEST_S:g} s",
                fix="ask with fewer requests; slipway explain has no such limit",
            )
        if is_gone():
            raise SlipwayError("nobody waits for the explanation any more", fix="ask again")
        body, content_type = kserve.encode(inputs, parameters=question.parameters)
        asked = endpoint.invoke(target, body, {"Content-Type": content_type})
        answer, _ = asyncio.run_coroutine_threadsafe(asked, loop).result()
        return answers.decode(answer, interface)

    start = time.perf_counter()
    explanation = explain(ask, interface, encoded.arrays, options=options)
    return explanation.dump() | {"ms": 1000 * (time.perf_counter() - start)}


def _options(chosen: Mapping[str, Any]) -> Options:
    method = str(chosen.get("method") or "auto")
    try:
        requests, seed = int(chosen.get("requests") or 200), int(chosen.get("seed") or 7)
    except (TypeError, ValueError) as error:
        raise SlipwayError(
            f"no whole number: {error}", fix="requests and seed are numbers"
        ) from error
    if method not in METHODS:
        raise SlipwayError(f"no method {method!r:.40}", fix=f"one of {', '.join(METHODS)}")
    return Options(
        method=METHODS[method],
        seed=seed,
        requests=max(1, min(requests, MOST_REQUESTS)),
        output=chosen.get("output") or None,
        label=chosen.get("label") or None,
    )
