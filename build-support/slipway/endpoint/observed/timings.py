"""How long each step of the last loads and requests took, as ``slipway simulate`` needs it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

SAMPLES = 512


def _samples() -> deque[float]:
    return deque(maxlen=SAMPLES)


@dataclass(frozen=True)
class Timings:
    """The last durations, in seconds.

    ``load`` and ``unload`` are the server's calls alone, during which no other one is made;
    CloudWatch's metrics of the same names count the wait for their turn as well. ``settle`` is the
    time from a load until the first request is passed on, ``first`` the time of a request that
    waited for a load, from then on, and ``serve`` that of a request whose model was loaded.
    ``ending`` is the time from an unload until the model's processes have ended: until then it
    cannot be loaded again, and no other model is unloaded to make room.
    """

    download: deque[float] = field(default_factory=_samples)
    load: deque[float] = field(default_factory=_samples)
    settle: deque[float] = field(default_factory=_samples)
    first: deque[float] = field(default_factory=_samples)
    unload: deque[float] = field(default_factory=_samples)
    ending: deque[float] = field(default_factory=_samples)
    serve: deque[float] = field(default_factory=_samples)

    def dump(self) -> dict[str, list[float]]:
        """Return JSON values, the oldest first."""
        return {name: [round(value, 6) for value in values] for name, values in vars(self).items()}
