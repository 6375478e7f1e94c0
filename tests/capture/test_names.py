"""The name of a capture file says what is in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from slipway.capture.storage.names import file_key, hour_folder, hours, name_prefix, parse_key

times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
targets = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+=@,:/-]{0,40}", fullmatch=True)


@given(targets, times, st.integers(1, 10**6), st.integers(1, 3650))
def test_a_key_gives_back_what_it_was_made_of(
    target: str, when: datetime, requests: int, days: int
) -> None:
    whole = f"{target}.tar.gz"
    key = file_key(f"e/v/{hour_folder(when)}", whole, when, when, requests, days, "ab12-3")
    file = parse_key(key)
    assert file is not None
    assert (file.target, file.requests, file.days, file.id) == (whole, requests, days, "ab12-3")
    assert (file.endpoint, file.variant, file.key) == ("e", "v", key)
    assert file.since == file.until == when.replace(microsecond=0)


@given(st.from_regex(r"[a-z][a-z0-9_-]{0,300}", fullmatch=True), times)
def test_every_file_of_a_model_begins_with_its_prefix_and_fits_a_file_system(
    name: str, when: datetime
) -> None:
    target = f"{name}_1.0.0.tar.gz"
    file = file_key("e/v/2026/11/30/20", target, when, when, 1, 30, "a" * 12 + "-1").split("/")[-1]
    assert file.startswith(name_prefix(name))
    assert len(file) <= 255
    assert "/" not in file and not file.startswith(".")


@given(times, st.integers(0, 10**6))
def test_the_hours_hold_every_moment_between(since: datetime, seconds: int) -> None:
    until = since + timedelta(seconds=seconds)
    listed = {hour_folder(hour) for hour in hours(since, until)}
    for part in range(11):
        assert hour_folder(since + (until - since) * part / 10) in listed
    assert len(listed) <= seconds // 3600 + 2
    assert not hours(until + timedelta(hours=1), since)


def test_names_of_other_programs_are_not_ours() -> None:
    for key in (
        "e/v/2026/11/30/20/36-30-000-c0ffee.jsonl",
        "e/v/2026/11/30/20/m--1-2.jsonl",
        "e/v/2026/99/30/20/m_1.0.0--0000-0000-1-30d-ab-1.jsonl",
        "2026/11/30/20/m_1.0.0--0000-0000-1-30d-ab-1.jsonl",
        "e/v/2026/11/30/20/x/m_1.0.0--0000-0000-1-30d-ab-1.jsonl",
    ):
        assert parse_key(key) is None, key
