"""What can be asked: aliases first, then every release of the store that the endpoint may serve.

A store may hold thousands of releases. Its keys are listed once in a while, the page gets the part
that it looks for, and an alias is read when it is shown.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import semver

from slipway.catalog.listing import Listing, list_stage, version_of
from slipway.endpoint.containers.endpoint import ContainerEndpoint
from slipway.endpoint.playground.served import Served
from slipway.errors import SlipwayError

FRESH_S = 5.0  # as long as clients keep an alias
MOST = 50  # of one answer
SUFFIX = ".tar.gz"


class Choice(NamedTuple):
    """A release, by its ``target``, or the alias of ``name``, whose target is not read yet."""

    name: str
    target: str


@dataclass
class Releases:
    """The choices on an endpoint, listed anew when they are older than :data:`FRESH_S`."""

    served: Served
    _listed: tuple[Choice, ...] = ()
    _when: float = field(default=float("-inf"))

    def find(self, text: str, offset: int) -> dict[str, Any]:
        """Return the choices whose name or target holds each word of ``text``, from ``offset`` on:
        at most :data:`MOST`, and how many there are.

        Raises:
            SlipwayError: the store cannot be read.
        """
        if time.monotonic() > self._when + FRESH_S:
            self._listed, self._when = tuple(_choices(self.served)), time.monotonic()
        words = text.lower().split()
        found = [
            choice
            for choice in self._listed
            if all(word in f"{choice.name} {choice.target}".lower() for word in words)
        ]
        shown = [self._described(choice) for choice in found[offset : offset + MOST]]
        return {"total": len(found), "offset": offset, "choices": shown}

    def _described(self, choice: Choice) -> dict[str, Any]:
        if choice.target:
            return {"name": choice.name, "target": choice.target, "alias": False}
        entry: dict[str, Any] = {"name": choice.name, "target": "", "alias": True}
        try:
            alias = self.served.catalog.find_alias(choice.name)
        except SlipwayError as error:
            return entry | {"problem": str(error)}
        if alias is None:  # retired since it was listed
            return entry | {"problem": f"{choice.name} has no alias any more"}
        return entry | {"target": alias.target, "shadow": alias.shadow}


def _choices(served: Served) -> list[Choice]:
    endpoint = served.endpoint
    if isinstance(endpoint, ContainerEndpoint):
        return _containers(served, endpoint)
    listing = list_stage(served.releases)
    releases = [choice for choice in _objects(listing) if served.allows(choice.target)]
    named = {choice.name for choice in releases}
    aliases = [Choice(name, "") for name in listing.names if name in named]
    return [choice for choice in aliases if listing.has_alias(choice.name)] + releases


def _objects(listing: Listing) -> list[Choice]:
    """Return every release that has an object, by name, the newest first; recorded or not."""
    recorded = {target: name for name in listing.names for target in listing.records(name)}
    targets = [key.split("/", 2)[2] for key in listing.strangers(())]
    choices = [
        Choice(recorded.get(target) or name_of(target), target)
        for target in targets
        if target in recorded or target.endswith(SUFFIX)
    ]
    newest = sorted(choices, key=_age, reverse=True)
    return sorted(newest, key=lambda choice: choice.name)


def _age(choice: Choice) -> tuple[semver.Version, str]:
    version = version_of(choice.name, choice.target)
    return version or semver.Version(0), choice.target


def name_of(target: str) -> str:
    """Return the model's name in a target model: a release version has no underscore."""
    return target.rpartition("_")[0] or target.removesuffix(SUFFIX)


def _containers(served: Served, endpoint: ContainerEndpoint) -> list[Choice]:
    if endpoint.mode == "serial":
        return [Choice("pipeline", " → ".join(endpoint.containers))]
    return [
        Choice(container.definition.name, hostname)
        for hostname, container in endpoint.containers.items()
        if served.allows(hostname)
    ]
