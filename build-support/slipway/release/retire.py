"""Retire a name in a stage: its alias goes away, its releases stay.

No promotion and no publication in production serves it again; a rollback or an alias does.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from slipway.catalog import journal, keys
from slipway.catalog.alias import Alias, DamagedAlias, parse_alias
from slipway.catalog.catalog import Catalog
from slipway.catalog.index.move import Move
from slipway.catalog.journal import RETIRE, JournalEvent
from slipway.catalog.origin import Origin
from slipway.errors import SlipwayError
from slipway.release.rollback import undo_command
from slipway.settings import Settings
from slipway.settings.release import StageName
from slipway.store.open import open_stage


@dataclass(frozen=True)
class Retirement:
    """``name`` is served no more in ``stage``, where it served ``before``; ``undo`` is the command
    that serves that again. ``retired`` is false if it was retired before this call."""

    name: str
    stage: StageName
    before: str | None
    retired: bool
    undo: str | None


def retire(
    settings: Settings, stage: StageName, name: str, origin: Origin, reason: str | None = None
) -> Retirement:
    """Remove the alias of ``name``, and write the event. A repeated call changes nothing; one that
    was cut off before it wrote the event is completed.

    Raises:
        SlipwayError: the name has no release in the stage, or none that was served; or another call
            moved the alias meanwhile.
    """
    releases = open_stage(settings, stage)
    releases.store.require_conditional_writes(keys.conditions(stage))
    catalog, key = Catalog(releases), keys.alias(stage, name)
    data = releases.store.read(key)
    history = releases.store.keys(keys.history(stage, name))
    last = journal.last_move(releases.store, history, skip_damaged=True)
    if data is None:
        if last is None:
            catalog.alias(name)  # raises with the reason
        elif last.action == RETIRE:
            return _result(name, stage, last.was, False)
    was = None if last is None else last.now
    with Move(releases, name) as move:
        move.begin()
        if data is not None:
            with contextlib.suppress(DamagedAlias):  # then it was what the last event says
                was = parse_alias(data, where=key)
            if not releases.store.delete_unchanged(key, data):
                raise SlipwayError(
                    f"the alias of {name} was moved meanwhile",
                    where=key,
                    fix=f"slipway history {name} shows who moved it; then retire it again",
                )
        text = "" if was is None else str(was)
        event = JournalEvent(RETIRE, text, text or None, journal.now(), origin, reason, None, was)
        journal.append_event(releases, name, event)
    return _result(name, stage, was, True)


def _result(name: str, stage: StageName, was: Alias | None, retired: bool) -> Retirement:
    before = None if was is None else str(was)
    return Retirement(name, stage, before, retired, undo_command(was, stage, name))
