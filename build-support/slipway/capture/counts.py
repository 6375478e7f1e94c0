"""Count what became of the requests that were offered for capture, by target model."""

from __future__ import annotations

import json
import threading
from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from operator import attrgetter

from slipway.capture.exchange import Exchange

OFFERED, UNSAMPLED, WRITTEN = "offered", "unsampled", "written"
DROPPED = "dropped."  # and a reason
FOLDER = "_counts"  # below the location: no endpoint's name begins with an underscore


class Counts:
    """Counts by endpoint and target model. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], dict[str, int]] = {}

    def add(self, exchange: Exchange, what: str, number: int = 1) -> None:
        """Count ``number`` of ``what`` for the target model of an exchange."""
        with self._lock:
            counts = self._counts.setdefault((exchange.endpoint, exchange.target), {})
            counts[what] = counts.get(what, 0) + number

    def add_all(self, exchanges: Sequence[Exchange], what: str) -> None:
        """Count each of several exchanges as ``what``."""
        targets = Tally(map(attrgetter("endpoint", "target"), exchanges))
        with self._lock:
            for whose, number in targets.items():
                counts = self._counts.setdefault(whose, {})
                counts[what] = counts.get(what, 0) + number

    def of_target(self, endpoint: str, target: str) -> dict[str, int]:
        """Return a copy of the counts of one target model."""
        with self._lock:
            return dict(self._counts.get((endpoint, target), {}))

    def endpoints(self) -> set[str]:
        """Return the endpoints of which something was counted."""
        with self._lock:
            return {endpoint for endpoint, _ in self._counts}

    def snapshot(self, endpoint: str | None = None) -> dict[str, dict[str, int]]:
        """Return a copy of the counts by target model, of one endpoint or of all together."""
        result: dict[str, dict[str, int]] = {}
        with self._lock:
            for (own, target), counts in self._counts.items():
                if endpoint in (None, own):
                    total = result.setdefault(target, {})
                    for what, number in counts.items():
                        total[what] = total.get(what, 0) + number
        return result


def counts_key(endpoint: str, day: datetime, writer: str) -> str:
    """Return the path below the location of what a writer counted on a day."""
    return f"{FOLDER}/{endpoint}/{day.astimezone(timezone.utc):%Y/%m/%d}/{writer}.json"


def subtract(
    counts: Mapping[str, Mapping[str, int]], before: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, int]]:
    """Return what was counted since ``before``, without zeros."""
    result: dict[str, dict[str, int]] = {}
    for target, values in counts.items():
        old = before.get(target, {})
        new = {what: number - old.get(what, 0) for what, number in values.items()}
        if any(new.values()):
            result[target] = {what: number for what, number in new.items() if number}
    return result


def dump_counts(counts: Mapping[str, Mapping[str, int]]) -> bytes:
    """Return the bytes of a file of counts."""
    return (json.dumps({"format": 1, "targets": counts}, sort_keys=True) + "\n").encode()


def parse_counts(data: bytes) -> dict[str, dict[str, int]]:
    """Return the counts of a file.

    Raises:
        ValueError: it is not one.
    """
    try:
        return {
            str(target): {str(what): int(number) for what, number in counts.items()}
            for target, counts in json.loads(data)["targets"].items()
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a file of counts") from error
