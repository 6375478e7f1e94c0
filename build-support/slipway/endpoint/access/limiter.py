"""Limit failed attempts, per address and of all together, in bounded memory.

Nobody guesses a signature or a key of 256 bits; the limit keeps attempts from costing time, and the
terminal readable. Who is accepted is not slowed down by who is not.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

WINDOW_S = 60.0
OF_ADDRESS = 20  # failures in a window, after which an address is not listened to
OF_ALL = 200  # failures in a window, after which only known addresses are
ADDRESSES = 4096
IPV6_PREFIX = 64  # what one subscriber has


@dataclass
class _Count:
    began: float
    failures: int = 0


class FailureLimiter:
    """Counts failures in windows of :data:`WINDOW_S`; ``now`` is in monotonic seconds."""

    def __init__(self) -> None:
        self._failed: OrderedDict[str, _Count] = OrderedDict()
        self._accepted: OrderedDict[str, None] = OrderedDict()
        self._all = _Count(0.0)

    def wait_s(self, address: str, now: float) -> float:
        """Return for how many seconds the address is not listened to: 0 if it is."""
        place = _place(address)
        count = self._failed.get(place)
        if count and now < count.began + WINDOW_S and count.failures >= OF_ADDRESS:
            return count.began + WINDOW_S - now
        total = self._all
        # an attacker with many addresses does not lock out who was here before
        many = now < total.began + WINDOW_S and total.failures >= OF_ALL
        return total.began + WINDOW_S - now if many and place not in self._accepted else 0.0

    def failed(self, address: str, now: float) -> None:
        """Count a failure of the address."""
        place = _place(address)
        count = self._failed.get(place)
        if count is None or now >= count.began + WINDOW_S:
            count = self._failed[place] = _Count(now)
        self._failed.move_to_end(place)
        if len(self._failed) > ADDRESSES:
            self._failed.popitem(last=False)
        if now >= self._all.began + WINDOW_S:
            self._all = _Count(now)
        count.failures += 1
        self._all.failures += 1

    def accepted(self, address: str) -> None:
        """Remember an address that was accepted."""
        place = _place(address)
        self._accepted[place] = None
        self._accepted.move_to_end(place)
        if len(self._accepted) > ADDRESSES:
            self._accepted.popitem(last=False)

    def __len__(self) -> int:
        return len(self._failed) + len(self._accepted)


def _place(address: str) -> str:
    """Return what is counted as one: an IPv4 address, or a network of IPv6."""
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        if mapped:
            return str(mapped)
        return str(ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False))
    return address
