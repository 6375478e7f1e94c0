"""Which answers waited for a load, as the local endpoint's counters tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Mapping, Sequence
from typing import NamedTuple

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from slipway.loadtest.answer import Answer
from slipway.loadtest.generator import Generator

INVOCATIONS, HITS = "Invocations_total", "ModelCacheHit_total"


class Counts(NamedTuple):
    """Of a target model: how often it was invoked, and how often it was loaded then."""

    invocations: int
    hits: int


async def watched(generator: Generator, work: Awaitable[list[Answer]]) -> list[Answer]:
    """The answers that ``work`` gives, with ``cold`` told where the endpoint's counters tell it.

    AWS has them in CloudWatch only, minutes later and for all clients: there ``cold`` stays unknown.
    """
    before = await _counts(generator)
    answers = await work
    after = await _counts(generator)
    return list(answers) if before is None or after is None else told(answers, before, after)


def told(
    answers: Sequence[Answer], before: Mapping[str, Counts], after: Mapping[str, Counts]
) -> list[Answer]:
    """``answers`` with ``cold``: of each target, as many as missed, the slowest of them.

    The counters say how many invocations waited for a load. Which ones follows from the time they
    took, of which a load is by far the most. If somebody else asked the target too, it stays
    unknown.
    """
    of_target: defaultdict[str, list[int]] = defaultdict(list)
    for index, answer in enumerate(answers):
        of_target[answer.target].append(index)
    made = list(answers)
    for target, indices in of_target.items():
        first, last = (counts.get(target, Counts(0, 0)) for counts in (before, after))
        invocations = last.invocations - first.invocations
        if not 0 < invocations <= len(indices):
            continue
        missed = invocations - (last.hits - first.hits)
        slowest_first = sorted(indices, key=lambda i: answers[i].sent - answers[i].done)
        for rank, index in enumerate(slowest_first):
            made[index] = answers[index]._replace(cold=rank < missed)
    return made


def parse(text: str, endpoint: str) -> dict[str, Counts]:
    """The counts of each target model of ``endpoint``, from Prometheus's text."""
    found: dict[str, dict[str, int]] = {INVOCATIONS: {}, HITS: {}}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name in found and sample.labels.get("EndpointName") == endpoint:
                found[sample.name][sample.labels["TargetModel"]] = int(sample.value)
    hits = found[HITS]
    return {t: Counts(count, hits.get(t, 0)) for t, count in found[INVOCATIONS].items()}


async def _counts(generator: Generator) -> dict[str, Counts] | None:
    address = generator.address
    if address.metrics is None:
        return None
    try:
        return parse(await generator.text(address.metrics), address.name)
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None  # what was measured is worth more than what was counted
