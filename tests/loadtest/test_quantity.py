"""Quantities as they are typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from slipway.errors import SlipwayError
from slipway.loadtest import quantity


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (quantity.parse_seconds, "200ms", 0.2),
        (quantity.parse_seconds, "1.5 s", 1.5),
        (quantity.parse_seconds, "2min", 120.0),
        (quantity.parse_seconds, "250us", 0.00025),
        (quantity.parse_rate, "120", 120.0),
        (quantity.parse_rate, "120/s", 120.0),
        (quantity.parse_rate, "7200 / min", 120.0),
        (quantity.parse_rate, "1e3/h", 1000 / 3600),
        (quantity.parse_share, "5%", 0.05),
        (quantity.parse_share, "0 %", 0.0),
        (quantity.parse_rates, "50,10,20/s,10", [10.0, 20.0, 50.0]),
        (quantity.parse_counts, "8, 1,2,2", [1, 2, 8]),
    ],
)
def test_a_quantity_is_parsed(parse: Callable[[str, str], Any], text: str, value: Any) -> None:
    assert parse(text, "--option") == pytest.approx(value)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (quantity.parse_seconds, "200"),
        (quantity.parse_seconds, "0ms"),
        (quantity.parse_seconds, "-1s"),
        (quantity.parse_seconds, "1e400s"),
        (quantity.parse_rate, "fast"),
        (quantity.parse_rate, "0"),
        (quantity.parse_rate, "inf"),
        (quantity.parse_rates, "10,,20"),
        (quantity.parse_rates, ""),
        (quantity.parse_counts, "1.5"),
        (quantity.parse_counts, "0,1"),
        (quantity.parse_share, "0.05"),
        (quantity.parse_share, "-5%"),
    ],
)
def test_an_invalid_quantity_is_refused_with_an_example(
    parse: Callable[[str, str], Any], text: str
) -> None:
    with pytest.raises(SlipwayError, match="--option") as refused:
        parse(text, "--option")
    assert refused.value.fix
