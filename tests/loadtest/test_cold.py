"""Which answers waited for a load."""

from __future__ import annotations

import asyncio
from collections import Counter

import numpy as np
import pytest

from loadtest import stand_in
from slipway.loadtest import address, cold
from slipway.loadtest.answer import Answer, Request
from slipway.loadtest.cold import Counts
from slipway.loadtest.generator import Generator

A, B = "a_1.0.0.tar.gz", "b_1.0.0.tar.gz"
# as prometheus_client writes them, from a local endpoint
TEXT = f"""\
# HELP Invocations_total Requests for a target model
# TYPE Invocations_total counter
Invocations_total{{EndpointName="local",TargetModel="{A}"}} 7.0
Invocations_total{{EndpointName="local",TargetModel="{B}"}} 1.0
Invocations_total{{EndpointName="other",TargetModel="{A}"}} 9.0
# HELP Invocations_created Requests for a target model
# TYPE Invocations_created gauge
Invocations_created{{EndpointName="local",TargetModel="{A}"}} 1.79e+09
# HELP ModelCacheHit_total Requests that found the model loaded
# TYPE ModelCacheHit_total counter
ModelCacheHit_total{{EndpointName="local",TargetModel="{A}"}} 5.0
"""


def answers(target: str, *seconds: float) -> list[Answer]:
    return [Answer(target, float(i), float(i), i + took) for i, took in enumerate(seconds)]


def test_the_endpoints_counters_are_read() -> None:
    assert cold.parse(TEXT, "local") == {A: Counts(7, 5), B: Counts(1, 0)}


def test_as_many_as_missed_are_cold_the_slowest_of_each_release() -> None:
    sent = [*answers(A, 0.1, 2.0, 0.2, 1.5), *answers(B, 3.0, 4.0)]
    after = {A: Counts(14, 12), B: Counts(2, 2)}
    found = cold.told(sent, {A: Counts(10, 10)}, after)
    assert [answer.cold for answer in found] == [False, True, False, True, False, False]
    assert [answer.done for answer in found] == [answer.done for answer in sent]


def test_a_release_that_others_asked_too_stays_unknown() -> None:
    found = cold.told(answers(A, 0.1, 0.2), {}, {A: Counts(3, 2)})
    assert [answer.cold for answer in found] == [None, None]


@pytest.mark.parametrize("tells", [True, False])
def test_cold_starts_are_told_where_there_are_counters(tells: bool) -> None:
    with stand_in.serving(stand_in.Endpoint(tells=tells)) as endpoint:

        async def work() -> list[Answer]:
            async with Generator(address.local(endpoint.url, "local")) as generator:
                requests = [Request(A, b"", ""), Request(B, b"", ""), Request(A, b"", "")]
                return await cold.watched(generator, generator.open_loop(requests, np.zeros(3)))

        found = Counter(answer.cold for answer in asyncio.run(work()))
    assert found == ({True: 2, False: 1} if tells else {None: 3})
