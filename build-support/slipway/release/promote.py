"""The bytes that staging tested become production's: they are copied, never built anew.

Every step can be cut off and done again. The alias is moved last, and forward only: a promotion
that is late, or is run again, undoes neither a rollback nor a newer release.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from slipway.catalog import alias as aliases
from slipway.catalog import journal, keys
from slipway.catalog.alias import Alias
from slipway.catalog.alias_move import serve
from slipway.catalog.catalog import Catalog
from slipway.catalog.keys import Stage
from slipway.catalog.origin import Origin
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.release.evaluation import evaluation
from slipway.release.evidence import evidence
from slipway.release.forward_only import Stays, forward_only
from slipway.release.metadata import refuse_lacking
from slipway.release.publish import install, target_model
from slipway.settings import Settings
from slipway.store.interface import Store
from slipway.store.open import open_stage

STAGING: Stage = "staging"
PRODUCTION: Stage = "production"


@dataclass(frozen=True)
class Promoted:
    """``source`` is staging's target model, ``target`` production's, of the same bytes.

    ``created``: this call brought them there; ``moved``: it let the name stand for them. If it did
    not, ``why`` says what the name stands for, and why that stayed. ``before`` is what the name
    stood for when the promotion began.
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


def promote(settings: Settings, name: str, word: str | None, origin: Origin) -> Promoted:
    """Release in production what staging has of ``name`` as ``word``: a version, a target model or
    a part of one; ``None`` is what staging's alias stands for.

    What production serves already, or has served, is left as it is; see :class:`Promoted`.

    Raises:
        SlipwayError: it was never in staging, its tests did not pass on these bytes or are not
            known to have, it lacks what production requires, its evaluation is worse than that of
            what production serves, or production has other bytes under its version.
    """
    staging, production = open_stage(settings, STAGING), open_stage(settings, PRODUCTION)
    tested = Catalog(staging, STAGING)
    source = tested.record(name, tested.resolve(name, word) if word else tested.alias(name).target)
    target = target_model(source.manifest, source.sha256, PRODUCTION)
    served = Catalog(production, PRODUCTION).find_alias(name)

    def done(created: bool, moved: bool, why: str | None = None) -> Promoted:
        before = None if served is None else str(served)
        return Promoted(
            name, source.version, target, source.target, source.sha256, created, moved, before, why
        )

    may = forward_only(production, name, target, source.version)
    if _there(production, name, target, source.sha256):
        try:
            if served == aliases.to(target):
                serve(production, PRODUCTION, name, served, "promote", origin)
                raise Stays(f"{target} is there already, and served")
            may(served)
        except Stays as stays:
            return done(False, False, str(stays))
    found = evidence.read(staging, STAGING, name, source.sha256)
    refuse_untested(staging, source)
    refuse_lacking(settings, PRODUCTION, source.target, found, source.sha256)
    evaluation.refuse_worse(source, _record(production, name, served))
    new = replace(
        source,
        target=target,
        published=journal.now(),
        # the commit that it was made from stays, whoever promotes it from wherever
        origin=replace(origin, commit=source.commit),
        source=source.target,
    )

    def put(key: str) -> bool:
        return production.copy(staging, keys.artifact(STAGING, source.target), key, source.sha256)

    created = install(production, PRODUCTION, new, found, put)
    try:
        before = serve(
            production, PRODUCTION, name, aliases.to(target), "promote", origin, allow=may
        )
    except Stays as stays:
        return done(created, False, str(stays))
    return done(created, before != aliases.to(target))


def refuse_untested(staging: Store, release: Record) -> None:
    """Refuse a release of staging whose tests are not known to have passed on these bytes.

    Raises:
        SlipwayError: they failed, or none are known.
    """
    again = f"slipway test models/{release.name}, then slipway publish models/{release.name}"
    tested = evidence.tested(staging, STAGING, release.name, release.sha256)
    if tested is None:
        raise SlipwayError(
            f"no tests of exactly these bytes (sha256 {release.sha256[:12]}) are known",
            where=release.target,
            fix=again,
        )
    if not tested.passed:
        raise SlipwayError(
            f"its tests did not pass on these bytes: {tested}",
            where=release.target,
            fix=f"mend what failed; then {again}",
        )


def _there(production: Store, name: str, target: str, sha256: str) -> bool:
    """Whether production has the release whole, but perhaps for the alias."""
    catalog = Catalog(production, PRODUCTION)
    known = catalog.find(name, target)
    if known is None or known.sha256 != sha256:
        return False
    return production.stat(keys.artifact(PRODUCTION, target)) is not None


def _record(production: Store, name: str, served: Alias | None) -> Record | None:
    if served is None:
        return None
    return Catalog(production, PRODUCTION).find(name, served.target)
