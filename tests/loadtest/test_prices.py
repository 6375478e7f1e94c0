"""The price table."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.loadtest import prices
from slipway.loadtest.prices import read_price


def write_and_read(folder: Path, text: str, instance: str = "ml.g5.xlarge") -> float:
    (folder / "prices.toml").write_text(text, encoding="utf-8")
    return read_price(folder / "prices.toml", instance)


def test_a_price_is_read(tmp_path: Path) -> None:
    assert write_and_read(tmp_path, '[usd_per_hour]\n"ml.g5.xlarge" = 2\n"ml.other" = 1.5') == 2.0
    assert write_and_read(tmp_path, prices.EXAMPLE) == 1.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "not valid TOML"),
        ('"ml.g5.xlarge" = 1', r"no \[usd_per_hour\]"),
        ("usd_per_hour = 3", r"no \[usd_per_hour\]"),
        ('[usd_per_hour]\n"ml.g5.xlarg" = 1', "it has ml.g5.xlarg"),
        ("[usd_per_hour]", "it has none"),
        ('[usd_per_hour]\n"ml.g5.xlarge" = "1"', "the price of ml.g5.xlarge is '1'"),
        ('[usd_per_hour]\n"ml.g5.xlarge" = -1', "is -1"),
        ('[usd_per_hour]\n"ml.g5.xlarge" = true', "is True"),
        ('[usd_per_hour]\n"ml.g5.xlarge" = nan', "is nan"),
    ],
)
def test_a_damaged_table_is_refused_with_a_fix(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SlipwayError, match=message) as refused:
        write_and_read(tmp_path, text)
    assert refused.value.fix and refused.value.where


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="cannot be read"):
        read_price(tmp_path / "none.toml", "ml.x")
