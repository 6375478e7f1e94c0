"""Promote the bytes that staging tested to production: they are copied, never rebuilt.

Every step can be interrupted and repeated. The alias is moved last, and only forward: a promotion
that is late, or runs again, undoes neither a rollback nor a newer release.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from slipway.catalog import journal, keys
from slipway.catalog.alias import single_target
from slipway.catalog.alias_move import move_alias
from slipway.catalog.catalog import Catalog
from slipway.catalog.index.move import Move
from slipway.catalog.origin import Origin
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.release.base_environments import require_base_environment
from slipway.release.damage import GONE, find_damage
from slipway.release.deploy_first import deploy_first
from slipway.release.evaluation import evaluation
from slipway.release.evidence import evidence
from slipway.release.evidence.recorded import accept_recorded, add_recorded
from slipway.release.forward_only import AliasUnchanged, reject_downgrade
from slipway.release.install import install_release
from slipway.release.metadata import require_evidence
from slipway.release.publish import target_model
from slipway.release.uncommitted import require_clean_commit
from slipway.settings import Settings
from slipway.store.open import open_stage
from slipway.store.stage import StageReader


@dataclass(frozen=True)
class Promotion:
    """``source`` is the target model in staging, ``target`` that in production, of the same bytes.

    ``created``: this call copied them; ``moved``: it moved the alias to them. If it did not,
    ``why`` gives the reason. ``before`` is the alias before the promotion began.
    """

    name: str
    version: str
    target: str
    source: str
    sha256: str
    created: bool
    moved: bool
    before: str | None
    why: str | None = None


def promote(
    settings: Settings,
    name: str,
    selector: str | None,
    origin: Origin,
    *,
    recorded: Path | None = None,
) -> Promotion:
    """Release in production what staging has of ``name``.

    ``selector`` is a version, a target model or a part of one; with ``None`` it is the release that
    staging's alias serves. What production serves already, or has served, is left unchanged; see
    :class:`Promotion`. ``recorded`` is a file with the test result of another machine, which counts
    instead of staging's.

    Raises:
        SlipwayError: it was never in staging, its tests did not pass on these bytes or no result
            is known, ``recorded`` is about something else, not all of it was committed, it lacks
            what production requires, its evaluation is worse than that of production's release, or
            production has other bytes under its version, or endpoints without its environment; or
            production's store ignores the
            conditions of requests.
    """
    staging, production = open_stage(settings, "staging"), open_stage(settings, "production")
    production.store.require_conditional_writes(keys.conditions("production"))
    candidates, releases = Catalog(staging), Catalog(production)
    target = candidates.resolve(name, selector) if selector else candidates.alias(name).target
    source = candidates.record(name, target)
    handed_over = None
    if recorded is not None:
        handed_over = accept_recorded(recorded, source.manifest, source.sha256, settings)
    target = target_model(source.manifest, source.sha256, "production")
    served = releases.find_alias(name)

    def result(created: bool, moved: bool, why: str | None = None) -> Promotion:
        before = None if served is None else str(served)
        return Promotion(
            name, source.version, target, source.target, source.sha256, created, moved, before, why
        )

    check = deploy_first(
        source.manifest,
        target,
        "production",
        reject_downgrade(production, name, target, source.version),
    )
    if _is_complete(releases, name, target, source.sha256):
        try:
            if served == single_target(target):
                move_alias(production, name, served, "promote", origin)
                raise AliasUnchanged(f"{target} is in production already, and served")
            check(served)
        except AliasUnchanged as unchanged:
            return result(False, False, str(unchanged))
    require_base_environment(source.manifest, target, settings.stage("production"))
    clean = settings.stage("production").clean_commit
    require_clean_commit(clean, "production", source.target, source.commit)
    documents = evidence.load_evidence(staging, name, source.sha256)
    if recorded is not None and handed_over is not None:
        documents = add_recorded(documents, handed_over, recorded)
    else:
        require_passed_tests(staging, source)
    require_evidence(
        settings, "production", source.target, documents, source.sha256, source.training
    )
    current = None if served is None else releases.find_record(name, served.target)
    evaluation.refuse_worse(source, current)
    new = replace(
        source,
        target=target,
        published=journal.now(),
        # the commit that it was built from stays, whoever promotes it from wherever
        origin=replace(origin, commit=source.commit),
        source=source.target,
    )

    def copy_artifact(key: str) -> bool:
        source_key = keys.artifact("staging", source.target)
        return production.store.copy(staging.store, source_key, key, source.sha256)

    with Move(production, name) as move:
        created = install_release(production, new, documents, copy_artifact, move.begin)
        alias = single_target(target)
        try:
            before = move_alias(production, name, alias, "promote", origin, check=check, move=move)
        except AliasUnchanged as unchanged:
            return result(created, False, str(unchanged))
    return result(created, before != alias)


def require_passed_tests(staging: StageReader, release: Record) -> None:
    """Refuse a release of staging unless its tests are known to have passed on these bytes.

    Raises:
        SlipwayError: they failed, or no result is known.
    """
    again = f"slipway test models/{release.name}, then slipway publish models/{release.name}"
    tested = evidence.load_test_result(staging, release.name, release.sha256)
    if tested is None:
        raise SlipwayError(
            f"no test result is recorded for this artifact (sha256 {release.sha256[:12]})",
            where=release.target,
            fix=again,
        )
    if not tested.passed:
        raise SlipwayError(
            f"its tests did not pass on these bytes: {tested}",
            where=release.target,
            fix=f"fix what failed; then {again}" if tested.failures else again,
        )


def _is_complete(production: Catalog, name: str, target: str, sha256: str) -> bool:
    """Return whether production has the complete release, except perhaps for the alias.

    Raises:
        SlipwayError: it has the release's record, and other bytes.
    """
    record = production.find_record(name, target)
    if record is None or record.sha256 != sha256:
        return False
    key = keys.artifact("production", target)
    if production.source.store.stat(key) is None:
        return False
    damage = find_damage(production.source, record)
    if damage == GONE:
        return False  # it is being pruned, or was
    if damage is not None:
        raise SlipwayError(
            f"{target} is in production already, and replaced since: {damage}",
            where=key,
            fix=f"slipway rollback {name} if it is served; then release the next version:"
            f" slipway bump {name}",
        )
    return True
