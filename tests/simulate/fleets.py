"""Small fleets for tests."""

from __future__ import annotations

import numpy as np

from slipway.simulate.distribution import Distribution, constant
from slipway.simulate.fleet import Models
from slipway.simulate.traffic import Traffic
from slipway.triton.datatypes import Array

UNLIMITED = 1e15


def models(
    count: int,
    serve: Distribution | float = 0.05,
    load: Distribution | float = 1.0,
    unload: float = 0.3,
    download: float = 0.5,
    memory: Array | None = None,
    concurrency: int = 1,
    ending: float = 0.0,
) -> Models:
    """``count`` models of one byte each, unless their ``memory`` is given."""

    def known(value: Distribution | float) -> Distribution:
        return value if isinstance(value, Distribution) else constant(value)

    size = np.ones(count) if memory is None else memory
    return Models(
        size,
        size,
        known(load),
        known(serve),
        constant(unload),
        constant(download),
        ending=constant(ending),
        concurrency=concurrency,
    )


def one_model(rate: float, count: int, seed: int = 0) -> Traffic:
    """Requests of a Poisson process for a single model."""
    random = np.random.default_rng(seed)
    times = np.cumsum(random.exponential(1 / rate, count))
    return Traffic(times, np.zeros(count, dtype=np.int64), np.ones(1))
