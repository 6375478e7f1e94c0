"""Failed attempts are limited, in bounded memory, and nobody else pays for them."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from slipway.endpoint.access.limiter import (
    ADDRESSES,
    OF_ADDRESS,
    OF_ALL,
    WINDOW_S,
    FailureLimiter,
)


def failing(limiter: FailureLimiter, address: str, times: int, now: float = 0.0) -> None:
    for _ in range(times):
        limiter.failed(address, now)


def test_an_address_is_not_listened_to_after_many_failures_and_then_again() -> None:
    limiter = FailureLimiter()
    failing(limiter, "192.0.2.1", OF_ADDRESS - 1)
    assert limiter.wait_s("192.0.2.1", 1.0) == 0
    failing(limiter, "192.0.2.1", 1)
    assert limiter.wait_s("192.0.2.1", 1.0) == WINDOW_S - 1
    assert limiter.wait_s("192.0.2.2", 1.0) == 0
    assert limiter.wait_s("192.0.2.1", WINDOW_S) == 0


def test_many_addresses_do_not_lock_out_who_was_accepted() -> None:
    limiter = FailureLimiter()
    limiter.accepted("192.0.2.250")
    for number in range(OF_ALL):
        failing(limiter, f"198.51.100.{number}", 1)
    assert limiter.wait_s("192.0.2.250", 1.0) == 0
    assert limiter.wait_s("192.0.2.251", 1.0) > 0


def test_a_network_of_ipv6_is_one_address() -> None:
    limiter = FailureLimiter()
    for number in range(OF_ADDRESS):
        failing(limiter, f"2001:db8::{number:x}", 1)
    assert limiter.wait_s("2001:db8::ffff", 1.0) > 0
    assert limiter.wait_s("2001:db8:0:1::1", 1.0) == 0
    failing(limiter, "::ffff:192.0.2.1", OF_ADDRESS)
    assert limiter.wait_s("192.0.2.1", 1.0) > 0


def test_memory_is_bounded() -> None:
    limiter = FailureLimiter()
    for number in range(3 * ADDRESSES):
        limiter.failed(f"10.0.{number >> 8}.{number & 255}", 0.0)
        limiter.accepted(f"10.1.{number >> 8}.{number & 255}")
    assert len(limiter) == 2 * ADDRESSES


@given(st.lists(st.tuples(st.text(max_size=6), st.floats(0, 300)), max_size=80))
def test_a_wait_is_never_longer_than_the_window(events: list[tuple[str, float]]) -> None:
    limiter = FailureLimiter()
    for address, now in sorted(events, key=lambda event: event[1]):
        limiter.failed(address, now)
        assert 0 <= limiter.wait_s(address, now) <= WINDOW_S
