"""Serve an earlier release again: an alias moves, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipway.catalog import alias as aliases
from slipway.catalog import journal, keys
from slipway.catalog.alias import Alias
from slipway.catalog.alias_move import serve
from slipway.catalog.catalog import Catalog
from slipway.catalog.journal import Event
from slipway.catalog.keys import Stage
from slipway.catalog.origin import Origin
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.settings import Settings
from slipway.store.interface import Store
from slipway.store.open import open_stage


@dataclass(frozen=True)
class RolledBack:
    """``target``, of release ``version``, is served by all that ask for ``name``; ``before`` is
    what the name stood for. ``moved`` is false if it stood for ``target`` already."""

    name: str
    stage: Stage
    version: str
    target: str
    before: str | None
    moved: bool
    undo: str | None


def rollback(
    settings: Settings,
    stage: Stage,
    name: str,
    word: str | None,
    origin: Origin,
    reason: str | None = None,
) -> RolledBack:
    """Let ``name`` stand for ``word`` (a version, a target model or a part of one) alone, or,
    without it, for the release that was served before what is served now.

    Without ``word``, each further rollback goes one release further back; but one of the pipeline
    that did the last one does nothing, for a job that is run again means the same one.

    Raises:
        SlipwayError: there is no such release, its artifact is gone or has changed, nothing was
            served before, or another one moved the alias meanwhile.
    """
    store = open_stage(settings, stage)
    catalog = Catalog(store, stage)
    current = catalog.find_alias(name)
    if word is not None:
        chosen = catalog.record(name, catalog.resolve(name, word))
        refuse_damaged(store, stage, chosen)
    else:
        if current is None:
            catalog.alias(name)  # says why there is none
        events = journal.read(store, stage, name)
        last = next((event for event in events if event.now is not None), None)
        if last is not None and current is not None and _is_ours(last, current, origin):
            known = catalog.record(name, current.target)
            return RolledBack(
                name,
                stage,
                known.version,
                current.target,
                last.before,
                False,
                undo(last, stage, name),
            )
        chosen = _served_before(store, catalog, name, events, current)

    def allow(now: Alias | None) -> None:
        if now != current:
            raise SlipwayError(
                f"the alias of {name} was moved meanwhile: it stands for {now}, not {current}",
                where=keys.alias(stage, name),
                fix=f"slipway history {name} says by whom; then roll back again",
            )

    wanted = aliases.to(chosen.target)
    before = serve(store, stage, name, wanted, "rollback", origin, reason, allow=allow)
    said = None if before is None else str(before)
    undone = None if before is None else _undo(before, stage, name)
    return RolledBack(name, stage, chosen.version, chosen.target, said, before != wanted, undone)


def undo(event: Event, stage: Stage, name: str) -> str | None:
    """The command that takes back a move of an alias; ``None`` if it stood for nothing before."""
    return None if event.was is None else _undo(event.was, stage, name)


def refuse_damaged(store: Store, stage: Stage, release: Record) -> None:
    """Refuse to serve a release whose artifact is gone, or is not the one that was published.

    Raises:
        SlipwayError: says which.
    """
    wrong = _damage(store, stage, release)
    if wrong is not None:
        raise SlipwayError(
            wrong,
            where=keys.artifact(stage, release.target),
            fix=f"slipway status {release.name} names what can be served; or publish it again",
        )


def _served_before(
    store: Store,
    catalog: Catalog,
    name: str,
    events: Sequence[Event],
    current: Alias | None,
) -> Record:
    """The release that was served before, and is still there."""
    passed: list[str] = []
    for earlier in reversed(journal.line(events, current)[:-1]):
        for target in earlier.targets:
            if current == aliases.to(target) or target in passed:
                continue
            known = catalog.find(name, target)
            if known is not None and _damage(store, catalog.stage, known) is None:
                return known
            passed.append(target)
    gone = f" ({', '.join(passed)} cannot be served any more)" if passed else ""
    others = [one for one in catalog.targets(name) if current != aliases.to(one)]
    raise SlipwayError(
        f"{name} has no release in {catalog.stage} that was served before {current}{gone}",
        where=keys.history(catalog.stage, name),
        fix=(
            f"say which: slipway rollback {name} {others[-1]}"
            + (" --stage staging" if catalog.stage == "staging" else "")
            if others
            else "publish another release"
        ),
    )


def _damage(store: Store, stage: Stage, release: Record) -> str | None:
    key = keys.artifact(stage, release.target)
    stat = store.stat(key)
    if stat is None or store.stat(keys.pruned(stage, release.name, release.target)) is not None:
        return "its artifact is gone"
    if release.size is not None and stat.size != release.size:
        return f"its artifact has {stat.size:,} bytes, {release.size:,} were published"
    digest = store.digest(key)
    if digest != release.sha256:
        return f"its artifact has the SHA-256 {digest}, {release.sha256} was published"
    return None


def _is_ours(last: Event, current: Alias, origin: Origin) -> bool:
    """Whether the last move was a rollback by the pipeline that asks for one now."""
    return (
        last.action == "rollback"
        and origin.pipeline is not None
        and last.origin.pipeline == origin.pipeline
        and last.target == str(current)
    )


def _undo(before: Alias, stage: Stage, name: str) -> str:
    if len(before.variants) == 1 and before.shadow is None:
        place = "" if stage == "production" else f" --stage {stage}"
        return f"slipway rollback {name} {before.target}{place}"
    weights = " ".join(f"{v.target}={v.weight}" for v in before.variants)
    shadow = f" --shadow {before.shadow}" if before.shadow is not None else ""
    return f"slipway alias {name} {weights}{shadow} --stage {stage}"
