"""Invokes two releases alternately, so that what slows the machine slows both."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from slipway.errors import SlipwayError
from slipway.loadtest.address import Address
from slipway.loadtest.answer import Answer, Request
from slipway.loadtest.generator import TIMEOUT_S, Generator
from slipway.loadtest.mix import Mix
from slipway.loadtest.run import Doing, first_load, with_generator

ROUNDS = 40
FEWEST, MOST = 5, 500  # requests of a block
SECONDS = 60.0
PROBES = 10


@dataclass
class Blocks:
    """The latencies (s) of each round's two blocks. Rounds in which a request failed or waited for
    a load are left out and counted in ``spoilt``; ``errors`` are the failures by kind."""

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
    doing: Doing,
    *,
    seconds: float = SECONDS,
    concurrency: int = 1,
    timeout_s: float = TIMEOUT_S,
) -> Blocks:
    """Forty rounds in about ``seconds``: in each, a block of requests to each release, the same
    requests, the order of the two by chance. The first request of a block is not counted.

    Raises:
        SlipwayError: one of the releases does not answer.
    """
    blocks = Blocks()

    async def rounds(generator: Generator) -> None:
        blocks.messages = generator.messages
        with doing("first load of both"):
            size = await _size(generator, first, second, seconds, concurrency)
        with doing(f"{ROUNDS} rounds of {size} requests to each"):
            for _ in range(ROUNDS):
                order = [int(which) for which in random.permutation(2)]
                made: list[list[Answer]] = [[], []]
                for which in order:
                    requests = (first, second)[which]
                    await generator.once(requests[0], time.perf_counter())
                    block = itertools.islice(itertools.cycle(requests), size)
                    made[which] = await generator.closed_loop(block, concurrency, float("inf"))
                if generator.stop.is_set():
                    break
                _keep(blocks, *made)
        blocks.interrupted = generator.stop.is_set()

    with_generator(address, timeout_s, rounds)
    return blocks


async def _size(
    generator: Generator,
    first: Sequence[Request],
    second: Sequence[Request],
    seconds: float,
    concurrency: int,
) -> int:
    """Requests of a block, so that all rounds take about ``seconds``."""
    taken = 0.0
    for requests in (first, second):
        mix = Mix({requests[0].target: requests}, np.random.default_rng(0))
        found = await first_load(generator, mix, requests[0].target)
        if found is None:
            return FEWEST
        if found.error:
            said = generator.messages.get(found.error, "")
            raise SlipwayError(
                f"{found.target} does not answer: {found.error} {said}".rstrip(),
                fix="slipway invoke shows more; compare releases that answer",
            )
        begin = time.perf_counter()
        await generator.closed_loop(
            itertools.islice(itertools.cycle(requests), PROBES * concurrency),
            concurrency,
            seconds,
        )
        taken += (time.perf_counter() - begin) / (PROBES * concurrency)
    return min(MOST, max(FEWEST, round(seconds / ROUNDS / taken)))


def _keep(blocks: Blocks, first: Sequence[Answer], second: Sequence[Answer]) -> None:
    answers = [*first, *second]
    blocks.errors.update(answer.error for answer in answers if answer.error is not None)
    if any(answer.error or answer.cold for answer in answers):
        blocks.spoilt += 1
        return
    blocks.first.append([answer.latency for answer in first])
    blocks.second.append([answer.latency for answer in second])
