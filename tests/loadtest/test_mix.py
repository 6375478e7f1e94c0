"""Requests are drawn for releases by popularity."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pytest

from slipway.loadtest.exchange import Request
from slipway.loadtest.mix import Mix, shuffle


def requests(target: str, count: int) -> list[Request]:
    return [Request(target, bytes([number]), "") for number in range(count)]


def test_popular_releases_get_more_requests_by_zipfs_law() -> None:
    targets = [f"m{number}" for number in range(8)]
    mix = Mix({t: requests(t, 1) for t in targets}, np.random.default_rng(0), 1.0)
    drawn = Counter(request.target for request in mix.draw(20_000))
    expected = np.array([share * 20_000 for share in mix.shares])
    observed = np.array([drawn[target] for target in targets])
    # 24.32 is the critical value of chi-squared for 0.1 % with 7 degrees of freedom
    assert ((observed - expected) ** 2 / expected).sum() < 24.32
    assert drawn["m0"] / drawn["m3"] == pytest.approx(4, rel=0.15)


def test_each_input_of_a_release_is_sent() -> None:
    mix = Mix({"m": requests("m", 3)}, np.random.default_rng(0))
    assert {request.body for request in mix.draw(100)} == {b"\0", b"\1", b"\2"}
    assert mix.first("m").body == b"\0"


def test_a_seed_gives_the_same_requests_again() -> None:
    inputs = {t: requests(t, 3) for t in ("a", "b")}
    first, second = (Mix(inputs, np.random.default_rng(5), 1.0) for _ in range(2))
    assert first.draw(50) == second.draw(50)
    assert list(islice(first.endless(), 600)) == list(islice(second.endless(), 600))


def test_popularity_is_independent_of_the_order_of_releases() -> None:
    targets = [f"m{number}" for number in range(20)]
    order = shuffle(targets, np.random.default_rng(0))
    assert order != targets and sorted(order) == sorted(targets)
