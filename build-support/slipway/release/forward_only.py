"""Move production's alias forward automatically, and back only by a rollback.

A job that is late, or runs again, must not undo a rollback, a split or a newer release.
"""

from __future__ import annotations

from collections.abc import Callable

import semver

from slipway.catalog import journal, keys
from slipway.catalog.alias import Alias
from slipway.catalog.journal import RETIRE
from slipway.catalog.listing import version_of
from slipway.settings.release import StageName
from slipway.store.stage import StageReader
from slipway.units import format_minute

PRODUCTION: StageName = "production"


class AliasUnchanged(Exception):
    """Production's alias was not moved; the message says why."""


def reject_downgrade(
    production: StageReader, name: str, target: str, version: str
) -> Callable[[Alias | None], None]:
    """Return a check that stops a move of production's alias back to ``target``.

    The check raises :class:`AliasUnchanged` if the alias serves a higher version, or served
    ``target`` before and was moved away from it, or if the name was retired.
    """

    def check(current: Alias | None) -> None:
        if current is None:
            history = production.store.keys(keys.history(production.name, name))
            last = journal.last_move(production.store, history)
            if last is not None and last.action == RETIRE:
                raise AliasUnchanged(
                    f"{name} was retired ({format_minute(last.when)} UTC);"
                    f" slipway rollback {name} {version} serves this release"
                )
            return
        for served in current.targets:
            other = version_of(name, served)
            if other is not None and other > semver.Version.parse(version):
                raise AliasUnchanged(
                    f"{served} is served, which is newer;"
                    f" slipway rollback {name} {version} serves this one"
                )
        for event in journal.load_events(production, name):
            if not event.names(target):
                continue
            if event.action == RETIRE:
                raise AliasUnchanged(
                    f"{target} was served before, and retired ({format_minute(event.when)} UTC);"
                    f" slipway rollback {name} {version} serves it again"
                )
            if event.now is not None and target not in event.now.targets:
                raise AliasUnchanged(
                    f"{target} was served before, and replaced by {event.target}"
                    f" ({event.action}, {format_minute(event.when)} UTC);"
                    f" slipway rollback {name} {version} serves it again"
                )
            raise AliasUnchanged(
                f"{current} is served, as it was set;"
                f" slipway alias {name} {version} --stage production serves this one alone"
            )

    return check
