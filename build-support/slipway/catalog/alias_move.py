"""Move an alias to other target models, and record who moved it."""

from __future__ import annotations

from collections.abc import Callable

from slipway.catalog import journal, keys
from slipway.catalog.alias import Alias, write_alias
from slipway.catalog.index.move import Move
from slipway.catalog.journal import RETIRE, Action, JournalEvent
from slipway.catalog.origin import Origin
from slipway.store.stage import StageStore


def move_alias(
    stage: StageStore,
    name: str,
    alias: Alias,
    action: Action,
    origin: Origin,
    reason: str | None = None,
    *,
    check: Callable[[Alias | None], None] = lambda _: None,
    repair: bool = False,
    move: Move | None = None,
) -> Alias | None:
    """Move the alias of ``name``, and write the event; return the alias before.

    A repeated call changes nothing. If an earlier call was interrupted before it wrote the event,
    this one writes it. ``check`` may prevent the move, and ``repair`` replaces a damaged alias, as
    in :func:`slipway.catalog.alias.write_alias`; before it was what the last readable event says.
    ``move`` is the caller's, if this is a part of a larger change; otherwise the index has the new
    line when this returns.

    Raises:
        SlipwayError: a target model of it was never released in the stage, or was pruned; or the
            store ignores the conditions of requests.
    """
    stage.store.require_conditional_writes(keys.conditions(stage.name))
    if move is None:
        with Move(stage, name) as move:
            return move_alias(
                stage, name, alias, action, origin, reason, check=check, repair=repair, move=move
            )
    before = write_alias(stage, name, alias, check=check, repair=repair, begin=move.begin)
    was = before
    if before is None or before == alias:
        history = stage.store.keys(keys.history(stage.name, name))
        last = journal.last_move(stage.store, history, skip_damaged=True)
        moved = last is not None and last.action != RETIRE and last.target == str(alias)
        if before is not None and moved:
            return before
        was = None if last is None else last.now
    text = None if was is None else str(was)
    event = JournalEvent(action, str(alias), text, journal.now(), origin, reason, alias, was)
    move.begin()
    journal.append_event(stage, name, event)
    return before
