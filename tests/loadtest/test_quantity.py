"""Quantities as they are typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from slipway.errors import SlipwayError
from slipway.loadtest import quantity


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (quantity.seconds, "200ms", 0.2),
        (quantity.seconds, "1.5 s", 1.5),
        (quantity.seconds, "2min", 120.0),
        (quantity.seconds, "250us", 0.00025),
        (quantity.per_second, "120", 120.0),
        (quantity.per_second, "120/s", 120.0),
        (quantity.per_second, "7200 / min", 120.0),
        (quantity.per_second, "1e3/h", 1000 / 3600),
        (quantity.share, "5%", 0.05),
        (quantity.share, "0 %", 0.0),
        (quantity.rates, "50,10,20/s,10", [10.0, 20.0, 50.0]),
        (quantity.counts, "8, 1,2,2", [1, 2, 8]),
    ],
)
def test_it_is_understood(read: Callable[[str, str], Any], text: str, value: Any) -> None:
    assert read(text, "--option") == pytest.approx(value)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (quantity.seconds, "200"),
        (quantity.seconds, "0ms"),
        (quantity.seconds, "-1s"),
        (quantity.seconds, "1e400s"),
        (quantity.per_second, "fast"),
        (quantity.per_second, "0"),
        (quantity.per_second, "inf"),
        (quantity.rates, "10,,20"),
        (quantity.rates, ""),
        (quantity.counts, "1.5"),
        (quantity.counts, "0,1"),
        (quantity.share, "0.05"),
        (quantity.share, "-5%"),
    ],
)
def test_what_is_not_understood_is_named_with_an_example(
    read: Callable[[str, str], Any], text: str
) -> None:
    with pytest.raises(SlipwayError, match="--option") as refused:
        read(text, "--option")
    assert refused.value.fix
