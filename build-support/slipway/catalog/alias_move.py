"""Let a name stand for other target models, and keep who did it."""

from __future__ import annotations

from collections.abc import Callable

from slipway.catalog import alias as aliases
from slipway.catalog import journal, keys
from slipway.catalog.alias import Alias
from slipway.catalog.journal import Action, Event
from slipway.catalog.keys import Stage
from slipway.catalog.origin import Origin
from slipway.store.interface import Store


def serve(
    store: Store,
    stage: Stage,
    name: str,
    alias: Alias,
    action: Action,
    origin: Origin,
    reason: str | None = None,
    *,
    allow: Callable[[Alias | None], None] = lambda _: None,
) -> Alias | None:
    """Move the alias of ``name``, and write the event; what it stood for before.

    Done again, nothing changes; an event that was cut off before it was written is written then.
    ``allow`` may stop the move, as :func:`slipway.catalog.alias.move` says.

    Raises:
        SlipwayError: a target model of it was never released in ``stage``, or was pruned.
    """
    before = aliases.move(store, stage, name, alias, allow=allow)
    was = before
    if before == alias:
        last = journal.last_move(store, store.keys(keys.history(stage, name)))
        if last is not None and last.target == str(alias):
            return before
        was = None if last is None else last.now
    said = None if was is None else str(was)
    event = Event(action, str(alias), said, journal.now(), origin, reason, alias, was)
    journal.write(store, stage, name, event)
    return before
