"""Production's alias moves forward by itself, and back by a rollback only.

A job that is late, or is run again, must not undo a rollback, a split or a newer release.
"""

from __future__ import annotations

from collections.abc import Callable

import semver

from slipway.catalog import journal
from slipway.catalog.alias import Alias
from slipway.catalog.keys import Stage
from slipway.catalog.listing import version_of
from slipway.store.interface import Reader

PRODUCTION: Stage = "production"


class Stays(Exception):
    """Production goes on serving what it serves."""


def forward_only(
    production: Reader, name: str, target: str, version: str
) -> Callable[[Alias | None], None]:
    """What stops a move of production's alias to ``target`` that would be one backwards.

    The returned function raises :class:`Stays` if the name stands for a higher version, or stood
    for ``target`` before and was moved away from it.
    """

    def allow(before: Alias | None) -> None:
        if before is None:
            return
        for served in before.targets:
            other = version_of(name, served)
            if other is not None and other > semver.Version.parse(version):
                raise Stays(
                    f"{served} is served, which is newer;"
                    f" slipway rollback {name} {version} serves this one"
                )
        for event in journal.read(production, PRODUCTION, name):
            if not event.names(target):
                continue
            if event.now is not None and target not in event.now.targets:
                raise Stays(
                    f"{target} was served before, and {event.target} put in its place"
                    f" ({event.action}, {event.when[:16].replace('T', ' ')} UTC);"
                    f" slipway rollback {name} {version} serves it again"
                )
            raise Stays(
                f"{before} is served, as it was set;"
                f" slipway alias {name} {version} --stage production serves this one alone"
            )

    return allow
