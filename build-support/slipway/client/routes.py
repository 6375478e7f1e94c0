"""Which target model answers: by the alias, read anew every few seconds."""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import NamedTuple

from slipway.catalog import alias as aliases
from slipway.catalog.alias import Alias
from slipway.catalog.catalog import Catalog
from slipway.errors import SlipwayError
from slipway.model.interface import Interface

REFRESH_S = 5.0  # how long after a promotion or rollback clients may still ask the old target

log = logging.getLogger(__name__)


class Route(NamedTuple):
    """The target model that answers, and one that is asked beside it."""

    target: str
    shadow: str | None


class Routes:
    """What a name stands for. Safe to use from several threads.

    With ``target``, it is always that release. Else it is the alias; while the catalog cannot be
    read, the alias that was read last holds.
    """

    def __init__(self, catalog: Catalog, name: str, target: str | None = None) -> None:
        self.name = name
        self._catalog = catalog
        self._fixed = target is not None
        self._alias = aliases.to(target) if target is not None else None
        self._read_at = 0.0
        self._reading = threading.Lock()
        self._interfaces: dict[str, Interface] = {}

    def choose(self, key: str | None = None) -> Route:
        """The route of one invocation: by chance, or for equal ``key`` the same.

        Raises:
            SlipwayError: the name stands for nothing.
        """
        alias = self._current()
        target = alias.choose(random.random()) if key is None else alias.choose_for(key)
        return Route(target, alias.shadow)

    def main(self) -> str:
        """The target model that gets most invocations.

        Raises:
            SlipwayError: the name stands for nothing.
        """
        return self._current().target

    def interface(self, target: str) -> Interface:
        """What a target model takes and gives; it never changes, and is read once.

        Raises:
            SlipwayError: there is no such release.
        """
        if target not in self._interfaces:
            self._interfaces[target] = self._catalog.interface(self.name, target)
        return self._interfaces[target]

    def _current(self) -> Alias:
        known = self._alias
        if known is not None and (self._fixed or time.monotonic() - self._read_at < REFRESH_S):
            return known
        # one thread reads; the others wait only if there is nothing yet
        if not self._reading.acquire(blocking=known is None):
            assert known is not None
            return known
        try:
            if known is None and self._alias is not None:
                return self._alias  # another thread has read it meanwhile
            try:
                self._alias = self._catalog.alias(self.name)
            except SlipwayError as error:
                if known is None:
                    raise
                log.warning("the alias of %s is used as it was: %s", self.name, error)
            self._read_at = time.monotonic()
            assert self._alias is not None
            return self._alias
        finally:
            self._reading.release()
