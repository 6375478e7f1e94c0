"""Ask a candidate and the config as it is in turns, with waiting clients."""

from __future__ import annotations

import asyncio
import itertools
import statistics
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.loadtest.address import Address
from slipway.loadtest.exchange import Request
from slipway.loadtest.generator import NO_ANSWER, Generator
from slipway.percentiles import nearest_rank
from slipway.tune.sample import Block, Pair

BLOCK_S = 0.3
LEAST = 20  # answers of a block, unless that takes too long
LONGEST_S = 4.0
TIMEOUT_S = 60.0


class CandidateFailed(Exception):
    """A candidate does not count; the text says why."""


class CandidateTooSlow(CandidateFailed):
    """It did not answer in time. On a less busy machine it may, so that this is not kept."""


def in_short(error: SlipwayError) -> str:
    """Return what failed, and the first line of its cause."""
    lines = [line.strip() for line in error.what.splitlines() if line.strip()]
    return ": ".join(lines[:2]) or "it failed"


@dataclass(frozen=True)
class Side:
    """One of two served models: where it is asked, and with what. ``baseline`` is the config as it
    is, whose failure is nobody's candidate's."""

    address: Address
    requests: Sequence[Request]
    baseline: bool = False

    def endless(self, random: np.random.Generator) -> Iterator[Request]:
        """Yield its requests in random order, without end."""
        while True:
            for index in random.permutation(len(self.requests)):
                yield self.requests[int(index)]


def measure_pairs(
    baseline: Side,
    candidate: Side,
    rounds: Sequence[int],
    cpu_seconds: Callable[[], float | None],
    random: np.random.Generator,
    block_s: float = BLOCK_S,
) -> list[Pair]:
    """Return one pair of blocks for each number of clients in ``rounds``.

    The two blocks of a pair follow one another in random order. ``cpu_seconds`` returns what the
    server's processes have used so far.

    Raises:
        CandidateFailed: a request to the candidate failed.
        SlipwayError: one to the config as it is did.
    """

    async def measure() -> list[Pair]:
        async with (
            Generator(baseline.address, TIMEOUT_S) as first,
            Generator(candidate.address, TIMEOUT_S) as second,
        ):
            sides = ((baseline, first), (candidate, second))
            streams = [side.endless(random) for side, _ in sides]
            pairs = []
            for clients in rounds:
                blocks: dict[int, Block] = {}
                for index in (int(index) for index in random.permutation(2)):
                    side, generator = sides[index]
                    blocks[index] = await _block(
                        side, generator, streams[index], clients, cpu_seconds, block_s
                    )
                pairs.append(Pair(clients, blocks[0], blocks[1]))
            return pairs

    return _run(measure())


async def _block(
    side: Side,
    generator: Generator,
    stream: Iterator[Request],
    clients: int,
    cpu_seconds: Callable[[], float | None],
    block_s: float,
) -> Block:
    """Warm up with two requests a client, then measure for ``block_s``, longer if it is slow."""
    warm = await generator.closed_loop(itertools.islice(stream, 2 * clients), clients, float("inf"))
    _refuse_errors(side, generator, warm)
    usual = statistics.median(answer.latency for answer in warm)
    seconds = min(LONGEST_S, max(block_s, LEAST * usual / clients))
    before = cpu_seconds()
    answers = await generator.closed_loop(stream, clients, seconds)
    after = cpu_seconds()
    _refuse_errors(side, generator, answers)
    if any(answer.cold for answer in answers):
        raise SlipwayError(
            "the endpoint evicts one of the two models that are compared, so that both wait",
            where=side.address.url,
            fix="give it memory for two: slipway endpoint up --memory SIZE, or a larger instance",
        )
    latencies = sorted(answer.latency for answer in answers)
    p50, p99 = (nearest_rank(latencies, level) or 0.0 for level in (0.5, 0.99))
    cpu = None if before is None or after is None else (after - before) / len(answers)
    return Block(
        rate=len(answers) / max(answer.done for answer in answers),
        p50=p50,
        p99=p99,
        cpu=cpu,
        answers=len(answers),
    )


def _refuse_errors(side: Side, generator: Generator, answers: Sequence[Any]) -> None:
    errors = [answer.error for answer in answers if answer.error is not None]
    if not errors and answers:
        return
    kind = errors[0] if errors else NO_ANSWER
    message = f"{kind} {generator.messages.get(kind, '')}".strip()
    if side.baseline:
        raise SlipwayError(
            f"the model as it is fails under load: {message}",
            fix="fewer with --clients, or fix the model; slipway loadtest --concurrency shows how"
            " many it carries",
        )
    failed = CandidateTooSlow if kind.startswith(NO_ANSWER) else CandidateFailed
    raise failed(f"a request failed under load: {message}")


def _run(work: Coroutine[Any, Any, list[Pair]]) -> list[Pair]:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
