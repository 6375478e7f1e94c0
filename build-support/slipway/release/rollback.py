"""Serve an earlier release again: an alias moves, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipway.catalog import journal, keys
from slipway.catalog.alias import Alias, DamagedAlias, single_target
from slipway.catalog.alias_move import move_alias
from slipway.catalog.catalog import Catalog
from slipway.catalog.journal import JournalEvent
from slipway.catalog.origin import Origin
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.release.base_environments import require_base_environment
from slipway.release.damage import find_damage, reject_damaged
from slipway.settings import Settings
from slipway.settings.release import StageName
from slipway.store.open import open_stage


@dataclass(frozen=True)
class Rollback:
    """``target``, of release ``version``, is served to everybody who asks for ``name``; ``before``
    is the alias before. ``moved`` is false if the alias served ``target`` already."""

    name: str
    stage: StageName
    version: str
    target: str
    before: str | None
    moved: bool
    undo: str | None


def rollback(
    settings: Settings,
    stage: StageName,
    name: str,
    selector: str | None,
    origin: Origin,
    reason: str | None = None,
) -> Rollback:
    """Move the alias of ``name`` to the release ``selector`` (a version, a target model or a part
    of one) alone, or, without it, to the release that was served before the current one.

    Without ``selector``, each further rollback goes one release further back. A second rollback by
    the same pipeline does nothing, since a job that runs again means the same rollback. A damaged
    alias is replaced, and a retired name is served again: without ``selector``, by the release that
    was served last.

    Raises:
        SlipwayError: there is no such release, its artifact is gone or has changed, the endpoints'
            image is not said to have its environment, nothing was served before, or another call
            moved the alias meanwhile.
    """
    releases = open_stage(settings, stage)
    catalog = Catalog(releases)
    try:
        current, damaged = catalog.find_alias(name), False
    except DamagedAlias:
        current, damaged = None, True
    if selector is not None:
        chosen = catalog.record(name, catalog.resolve(name, selector))
        reject_damaged(releases, chosen)
    else:
        if current is None and not damaged and catalog.retirement(name) is None:
            catalog.alias(name)  # raises with the reason
        events = journal.load_events(releases, name, skip_damaged=True)
        last = next((event for event in events if event.now is not None), None)
        if last is not None and current is not None and _is_own_rollback(last, current, origin):
            target, version = current.target, catalog.record(name, current.target).version
            undo = undo_command(last.was, stage, name)
            return Rollback(name, stage, version, target, last.before, False, undo)
        chosen = _served_before(catalog, name, events, current)

    def check(now: Alias | None) -> None:
        if now != current:
            raise SlipwayError(
                f"the alias of {name} was moved meanwhile: it serves {now}, not {current}",
                where=keys.alias(stage, name),
                fix=f"slipway history {name} shows who moved it; then roll back again",
            )

    require_base_environment(chosen.manifest, chosen.target, settings.stage(stage))
    alias = single_target(chosen.target)
    before = move_alias(
        releases, name, alias, "rollback", origin, reason, check=check, repair=damaged
    )
    text = None if before is None else str(before)
    undo = undo_command(before, stage, name)
    return Rollback(name, stage, chosen.version, chosen.target, text, before != alias, undo)


def undo_command(before: Alias | None, stage: StageName, name: str) -> str | None:
    """Return the command that moves the alias back to ``before``; ``None`` if there was none."""
    if before is None:
        return None
    if len(before.variants) == 1 and before.shadow is None:
        option = "" if stage == "production" else f" --stage {stage}"
        return f"slipway rollback {name} {before.target}{option}"
    weights = " ".join(f"{v.target}={v.weight}" for v in before.variants)
    shadow = f" --shadow {before.shadow}" if before.shadow is not None else ""
    return f"slipway alias {name} {weights}{shadow} --stage {stage}"


def _served_before(
    catalog: Catalog, name: str, events: Sequence[JournalEvent], current: Alias | None
) -> Record:
    """Return the release that was served before, and is still available."""
    unavailable: list[str] = []
    aliases = journal.lineage(events, current)
    # where the alias is damaged, or away, the last one was served until then
    for earlier in reversed(aliases if current is None else aliases[:-1]):
        for target in earlier.targets:
            if current == single_target(target) or target in unavailable:
                continue
            try:
                record = catalog.find_record(name, target)
            except SlipwayError:
                record = None  # damaged
            if record is not None and find_damage(catalog.source, record) is None:
                return record
            unavailable.append(target)
    note = f" ({', '.join(unavailable)} cannot be served any more)" if unavailable else ""
    others = [target for target in catalog.targets(name) if current != single_target(target)]
    raise SlipwayError(
        f"{name} has no release in {catalog.stage} that was served before"
        f" {'its alias was damaged' if current is None else current}{note}",
        where=keys.history(catalog.stage, name),
        fix=(
            f"say which: slipway rollback {name} {others[-1]}"
            + (" --stage staging" if catalog.stage == "staging" else "")
            if others
            else "publish another release"
        ),
    )


def _is_own_rollback(last: JournalEvent, current: Alias, origin: Origin) -> bool:
    """Return whether the last move was a rollback by the pipeline of ``origin``."""
    return (
        last.action == "rollback"
        and origin.pipeline is not None
        and last.origin.pipeline == origin.pipeline
        and last.target == str(current)
    )
