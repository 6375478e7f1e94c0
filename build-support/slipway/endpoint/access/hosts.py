"""Which names of this machine a request may use, in its Host header.

A web page elsewhere can point its own name at this address (DNS rebinding), but cannot send another
Host than that name. So an address is always accepted, and a name only if it was given.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from slipway.errors import SlipwayError

LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?", re.IGNORECASE)
HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(:\d+)?")
NAME = re.compile(r"(?=.{1,253}$)[a-z0-9-]+(\.[a-z0-9-]+)*", re.IGNORECASE)


class Hosts:
    """The hosts that a server is: this machine's loopback, and what it is opened as.

    With ``open_to_others``, every address is accepted, and the ``names``.
    """

    def __init__(self, names: Iterable[str] = (), *, open_to_others: bool = False) -> None:
        self._names = {_checked(name).lower() for name in names}
        self._open = open_to_others

    def accepts(self, host: str) -> bool:
        """Return whether ``host``, a Host header, is this server."""
        if LOOPBACK.fullmatch(host):
            return True
        if not self._open:
            return False
        found = HOST.fullmatch(host)
        return found is not None and (
            found["name"].lower() in self._names or _is_address(found["name"].strip("[]"))
        )


def is_loopback(address: str) -> bool:
    """Return whether an address to listen on is reachable from this machine only.

    Raises:
        SlipwayError: it is no address.
    """
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError as error:
        raise SlipwayError(
            f"{address!r} is no address",
            fix="an address of this machine, or 0.0.0.0 for all; names belong to --name",
        ) from error


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise SlipwayError(
            f"{name!r} is no host name", fix="without scheme and port, such as gpu1.example.org"
        )
    return name


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
