"""Which Host headers are this machine's: addresses, and names that were given."""

from __future__ import annotations

import pytest

from slipway.endpoint.access.hosts import Hosts, is_loopback
from slipway.errors import SlipwayError

OWN = ["127.0.0.1", "127.0.0.1:8090", "localhost:1", "LOCALHOST", "[::1]:80"]
OTHERS = ["", "evil.example", "192.0.2.7:8090", "[2001:db8::1]", "127.0.0.1.evil.example",
          "localhost.evil.example", "127.0.0.1@evil.example", "gpu1.example.org"]  # fmt: skip


@pytest.mark.parametrize("host", OWN)
def test_loopback_is_always_this_machine(host: str) -> None:
    assert Hosts().accepts(host)
    assert Hosts(["gpu1.example.org"], open_to_others=True).accepts(host)


@pytest.mark.parametrize("host", OTHERS)
def test_on_loopback_nothing_else_is(host: str) -> None:
    assert not Hosts().accepts(host)


@pytest.mark.parametrize(
    ("host", "accepted"),
    [
        ("192.0.2.7:8090", True),
        ("[2001:db8::1]:80", True),
        ("gpu1.example.org", True),
        ("GPU1.Example.org:443", True),
        ("evil.example", False),
        ("gpu1.example.org.evil.example", False),
        ("192.0.2.7.evil.example", False),
        ("192.0.2.7:80:80", False),
        ("", False),
        ("gpu1.example.org\nx", False),
    ],
)
def test_opened_it_is_every_address_and_each_name_that_was_given(host: str, accepted: bool) -> None:
    assert Hosts(["gpu1.example.org"], open_to_others=True).accepts(host) == accepted


@pytest.mark.parametrize("name", ["", "http://a", "a b", "a:80", "*", "a..b"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(SlipwayError, match="is no host name"):
        Hosts([name])


def test_an_address_is_one() -> None:
    assert is_loopback("127.0.0.2") and is_loopback("::1") and not is_loopback("0.0.0.0")
    with pytest.raises(SlipwayError, match="is no address"):
        is_loopback("localhost")
