"""Invoke two releases alternately, so that whatever slows the machine slows both."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from slipway.errors import SlipwayError
from slipway.loadtest.address import Address
from slipway.loadtest.exchange import LoadResponse, Request
from slipway.loadtest.generator import TIMEOUT_S, Generator
from slipway.loadtest.mix import Mix
from slipway.loadtest.run import ShowProgress, first_load, run_with_generator

ROUNDS = 40
MIN_BLOCK, MAX_BLOCK = 5, 500  # requests of a block
SECONDS = 60.0
PROBES = 10


@dataclass
class Blocks:
    """The latencies (s) of both blocks of each round.

    Rounds in which a request failed or waited for a load are left out and counted in ``spoilt``.
    ``errors`` counts the failures by kind.
    """

    first: list[list[float]] = field(default_factory=list)
    second: list[list[float]] = field(default_factory=list)
    spoilt: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    messages: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False


def alternate(
    address: Address,
    first: Sequence[Request],
    second: Sequence[Request],
    random: np.random.Generator,
    progress: ShowProgress,
    *,
    seconds: float = SECONDS,
    concurrency: int = 1,
    timeout_s: float = TIMEOUT_S,
) -> Blocks:
    """Measure both releases in forty rounds that take about ``seconds`` in total.

    Each round sends a block of requests to each release: the same requests, the two blocks in
    random order. The first request of a block is not counted.

    Raises:
        SlipwayError: one of the releases does not answer.
    """
    blocks = Blocks()

    async def rounds(generator: Generator) -> None:
        blocks.messages = generator.messages
        with progress("first load of both"):
            size = await _size(generator, first, second, seconds, concurrency)
        with progress(f"{ROUNDS} rounds of {size} requests to each"):
            for _ in range(ROUNDS):
                order = [int(index) for index in random.permutation(2)]
                responses: list[list[LoadResponse]] = [[], []]
                for index in order:
                    requests = (first, second)[index]
                    await generator.send_unless_stopped(requests[0], time.perf_counter())
                    block = itertools.islice(itertools.cycle(requests), size)
                    responses[index] = await generator.closed_loop(block, concurrency, float("inf"))
                if generator.stop.is_set():
                    break
                _record_round(blocks, *responses)
        blocks.interrupted = generator.stop.is_set()

    run_with_generator(address, timeout_s, rounds)
    return blocks


async def _size(
    generator: Generator,
    first: Sequence[Request],
    second: Sequence[Request],
    seconds: float,
    concurrency: int,
) -> int:
    """Return how many requests a block has, so that all rounds take about ``seconds``."""
    request_s = 0.0
    for requests in (first, second):
        mix = Mix({requests[0].target: requests}, np.random.default_rng(0))
        load = await first_load(generator, mix, requests[0].target)
        if load is None:
            return MIN_BLOCK
        if load.error:
            message = generator.messages.get(load.error, "")
            raise SlipwayError(
                f"{load.target} does not answer: {load.error} {message}".rstrip(),
                fix="see the error with slipway invoke; compare releases that answer",
            )
        begin = time.perf_counter()
        await generator.closed_loop(
            itertools.islice(itertools.cycle(requests), PROBES * concurrency),
            concurrency,
            seconds,
        )
        request_s += (time.perf_counter() - begin) / (PROBES * concurrency)
    return min(MAX_BLOCK, max(MIN_BLOCK, round(seconds / ROUNDS / request_s)))


def _record_round(
    blocks: Blocks, first: Sequence[LoadResponse], second: Sequence[LoadResponse]
) -> None:
    answers = [*first, *second]
    blocks.errors.update(answer.error for answer in answers if answer.error is not None)
    if any(answer.error or answer.cold for answer in answers):
        blocks.spoilt += 1
        return
    blocks.first.append([answer.latency for answer in first])
    blocks.second.append([answer.latency for answer in second])
