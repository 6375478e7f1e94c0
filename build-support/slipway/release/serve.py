"""Let a name stand for other target models, and keep who did it."""

from __future__ import annotations

from slipway.release import alias as aliases
from slipway.release import journal
from slipway.release.alias import Alias
from slipway.release.journal import Action
from slipway.release.keys import Stage
from slipway.release.origin import Origin
from slipway.release.store import Store


def serve(
    store: Store,
    stage: Stage,
    name: str,
    alias: Alias,
    action: Action,
    origin: Origin,
    reason: str | None = None,
) -> Alias | None:
    """Move the alias of ``name``, and write the event; what it stood for before.

    Done again, nothing changes and no event is written.

    Raises:
        SlipwayError: a target model of it was never released in ``stage``.
    """
    before = aliases.move(store, stage, name, alias)
    if before != alias:
        was = None if before is None else str(before)
        journal.write(store, stage, name, action, str(alias), was, origin, reason)
    return before
