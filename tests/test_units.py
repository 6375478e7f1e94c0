"""Sizes and times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from slipway import units


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (34_123_456, "34.1 MB"),
        (1_234_567_890, "1.23 GB"),
        (5_000_000_000_000_000, "5e+03 TB"),
    ],
)
def test_a_number_of_bytes_is_written_in_the_unit_that_fits(count: int, text: str) -> None:
    assert units.format_bytes(count) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(512, "0.512 kB"), (1_000_000, "1.0 MB"), (999_900_000, "999.9 MB"), (2e9, "2.00 GB")],
)
def test_sizes_of_a_unit_have_the_same_decimals(count: float, text: str) -> None:
    assert units.format_bytes_evenly(count) == text


def test_megabytes_and_milliseconds_have_the_digits_asked_for() -> None:
    assert units.format_megabytes(34_123_456) == "34.1 MB"
    assert units.format_megabytes(34_123_456, 2) == "34.12 MB"
    assert units.format_milliseconds(0.0123456) == "12.3 ms"
    assert units.format_milliseconds(0.0123456, 4) == "12.35 ms"


@pytest.mark.parametrize(
    ("when", "text"),
    [
        ("2026-03-04T05:05:30+00:00", "just now"),
        ("2026-03-04T05:00:00+00:00", "6 min ago"),
        ("2026-03-04T02:00:00Z", "3 h ago"),
        ("2026-02-28T05:06:00Z", "4 d ago"),
        ("2026-03-04T05:00:00", "2026-03-04T05:00:00"),
        ("yesterday", "yesterday"),
    ],
)
def test_an_age_is_written_in_its_largest_unit(when: str, text: str) -> None:
    assert units.format_age(when, datetime(2026, 3, 4, 5, 6, tzinfo=UTC)) == text


def test_a_time_is_written_to_the_minute() -> None:
    assert units.format_minute("2026-03-04T05:06:07.123456Z") == "2026-03-04 05:06"
