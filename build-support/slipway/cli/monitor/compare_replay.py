"""Ask one release what another was asked, and compare: ``slipway compare --replay``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slipway.capture.record import CapturedRequest
    from slipway.comparison.compare import Question
    from slipway.comparison.replay import Replay
    from slipway.comparison.report import TrafficComparison
    from slipway.settings import Settings


def replay_and_compare(
    configured: Settings,
    question: Question,
    requests: Iterator[CapturedRequest],
    url: str | None,
    limit: int,
    truth: Any,
) -> TrafficComparison:
    """Ask the question's B on its endpoint at most ``limit`` of ``requests``, and compare.

    Raises:
        SlipwayError: no request could be asked again.
    """
    from slipway.client import Endpoint
    from slipway.comparison.compare import compare as compare_traffic
    from slipway.comparison.replay import Replay
    from slipway.errors import SlipwayError

    with Endpoint(question.endpoint, settings=configured, url=url, is_probe=True) as endpoint:
        model = endpoint.model(question.name, target=question.b)
        interface = model.interface(question.b)

        replayed: Replay = Replay(
            question.b,
            lambda inputs, parameters: model.predict(inputs, parameters=parameters or None),
            limit,
            frozenset(interface.inputs),
        )
        answers = list(replayed.run(requests))
    skipped = [f"{count:,} requests {why}" for why, count in sorted(replayed.skipped.items())]
    if not answers:
        raise SlipwayError(
            f"no request could be asked again: {'; '.join(skipped) or 'none was captured'}",
            where=question.a,
            fix=(
                "capture more, or look further back with --since"
                if not replayed.failures
                else f"B said: {replayed.failures[0]}"
            ),
        )
    result = compare_traffic(answers, question, truth)
    notes = [f"not asked again: {line}" for line in skipped]
    notes += [f"B failed: {message}" for message in replayed.failures]
    return dataclasses.replace(result, notes=(*result.notes, *notes))
