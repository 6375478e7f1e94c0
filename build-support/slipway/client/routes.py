"""Select the target model of each invocation by the alias, refreshed every few seconds."""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import NamedTuple

from slipway.catalog import alias as aliases
from slipway.catalog.alias import Alias
from slipway.catalog.reader import CatalogReader
from slipway.errors import SlipwayError
from slipway.model.interface import Interface

REFRESH_S = 5.0  # how long after a promotion or rollback clients may still invoke the old target

log = logging.getLogger(__name__)


class Route(NamedTuple):
    """The target model whose answer is returned, and one that is invoked in parallel."""

    target: str
    shadow: str | None


class Routes:
    """The target models of a name. Safe to use from several threads.

    With ``target``, it is always that release. Otherwise the alias selects it; while the catalog
    cannot be read, the last alias that was read is used.
    """

    def __init__(self, catalog: CatalogReader, name: str, target: str | None = None) -> None:
        self.name = name
        self._catalog = catalog
        self._fixed = target is not None
        self._alias = aliases.single_target(target) if target is not None else None
        self._read_at = 0.0
        self._reading = threading.Lock()
        self._interfaces: dict[str, Interface] = {}

    def choose(self, key: str | None = None) -> Route:
        """Return the route of one invocation: at random, or for equal ``key`` the same.

        Raises:
            SlipwayError: the name has no alias.
        """
        alias = self._current()
        target = alias.choose(random.random()) if key is None else alias.choose_for(key)
        return Route(target, alias.shadow)

    def main(self) -> str:
        """Return the target model that gets most invocations.

        Raises:
            SlipwayError: the name has no alias.
        """
        return self._current().target

    def interface(self, target: str) -> Interface:
        """Return the inputs and outputs of a target model; they never change, and are read once.

        Raises:
            SlipwayError: there is no such release.
        """
        if target not in self._interfaces:
            self._interfaces[target] = self._catalog.interface(self.name, target)
        return self._interfaces[target]

    def _current(self) -> Alias:
        alias = self._alias
        if alias is not None and (self._fixed or time.monotonic() - self._read_at < REFRESH_S):
            return alias
        # one thread reads; the others wait only while no alias is known
        if not self._reading.acquire(blocking=alias is None):
            assert alias is not None
            return alias
        try:
            if alias is None and self._alias is not None:
                return self._alias  # another thread has read it meanwhile
            try:
                self._alias = self._catalog.alias(self.name)
            except SlipwayError as error:
                if alias is None:
                    raise
                log.warning("the last known alias of %s is used: %s", self.name, error)
            self._read_at = time.monotonic()
            assert self._alias is not None
            return self._alias
        finally:
            self._reading.release()
