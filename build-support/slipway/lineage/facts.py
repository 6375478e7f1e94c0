"""Read what the release stores record of a release: a few small objects, and no artifact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from slipway.catalog import keys
from slipway.catalog.alias import Alias
from slipway.catalog.catalog import Catalog
from slipway.catalog.keys import Kind
from slipway.catalog.reader import unknown_name
from slipway.catalog.record import Record
from slipway.catalog.tombstone import load_tombstone
from slipway.errors import SlipwayError
from slipway.release.evidence import envelope, evidence, signing
from slipway.release.evidence.statement import PAYLOAD_TYPE
from slipway.release.evidence.training import AttestedTraining
from slipway.release.publish import target_model
from slipway.settings import BUILT_IN, EndpointSettings, Settings
from slipway.settings.release import STAGES, StageName
from slipway.store.open import open_stage

NEEDED: tuple[Kind, ...] = ("provenance", "training")


@dataclass(frozen=True)
class StoredRelease:
    """The release as one stage has it: its record, the alias of its name there (``None`` without
    one), and the endpoints of that stage. ``pruned``: its artifact was removed."""

    stage: StageName
    record: Record
    alias: Alias | None
    endpoints: tuple[EndpointSettings, ...]
    pruned: bool = False


@dataclass(frozen=True)
class ReleaseFacts:
    """What is recorded of one artifact's bytes: its releases, the one that was asked for first, and
    the training that its evidence names. ``signed_by`` are the ids of trusted keys that signed
    that; ``problems`` say what is wrong with it."""

    releases: tuple[StoredRelease, ...]
    training: AttestedTraining | None = None
    signed_by: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def record(self) -> Record:
        """The record of the release that was asked for."""
        return self.releases[0].record


def read_facts(
    settings: Settings,
    name: str,
    selector: str | None = None,
    stages: Sequence[StageName] = STAGES,
) -> ReleaseFacts:
    """Return what is recorded of the release ``selector`` of ``name``: a stage, a version, a target
    model or a part of one. Without ``selector`` it is the release that production's alias serves,
    else staging's. ``stages`` are those to look in.

    Raises:
        SlipwayError: there is no such release, or its record is damaged.
    """
    catalogs = {stage: Catalog(open_stage(settings, stage)) for stage in stages}
    if selector in catalogs:  # a stage, as slipway diff takes it
        catalogs = {stage: catalog for stage, catalog in catalogs.items() if stage == selector}
        selector = None
    first = _select(settings, catalogs, name, selector)
    return _with_evidence(settings, [first, *_same_bytes(settings, first)])


def _select(
    settings: Settings, catalogs: Mapping[StageName, Catalog], name: str, selector: str | None
) -> StoredRelease:
    errors: list[SlipwayError] = []
    for stage in reversed(tuple(catalogs)):  # production first
        catalog = catalogs[stage]
        alias = catalog.find_alias(name)
        if selector is None and alias is None:
            continue
        pruned = False
        try:
            target = (
                alias.target if alias and not selector else catalog.resolve(name, selector or "")
            )
            record = catalog.record(name, target)
        except SlipwayError as error:
            errors.append(error)
            removed = _find_pruned(catalog, name, selector) if selector else None
            if removed is None:
                continue
            record, pruned = removed, True
        return StoredRelease(stage, record, alias, _endpoints(settings, stage, name), pruned)
    if errors:
        raise errors[-1]
    if not any(catalog.targets(name) for catalog in catalogs.values()):
        raise unknown_name(name, list(catalogs.values()))
    raise SlipwayError(
        f"no alias serves {name} in {' or '.join(catalogs)}",
        fix=f"name a release: slipway describe {name} lists them",
    )


def _find_pruned(catalog: Catalog, name: str, selector: str) -> Record | None:
    """Return the record of the one release of this version or key whose artifact was removed."""
    prefixes = (f"{name}_{selector}-rc.", f"{name}_{selector}.tar")
    targets = catalog.pruned_targets(name)
    matches = [target for target in targets if target == selector or target.startswith(prefixes)]
    if len(matches) != 1:
        return None
    tombstone = load_tombstone(catalog.source, name, matches[0])
    return None if tombstone is None else tombstone.record


def _same_bytes(settings: Settings, first: StoredRelease) -> list[StoredRelease]:
    """Return the release in the other stage that has the bytes of ``first``, if there is one."""
    record = first.record
    other: StageName = "production" if first.stage == "staging" else "staging"
    target = record.source if first.stage == "production" else None
    target = target or target_model(record.manifest, record.sha256, other)
    try:
        catalog = Catalog(open_stage(settings, other))
        found = catalog.find_record(record.name, target)
        if found is None or found.sha256 != record.sha256:
            return []
        alias = catalog.find_alias(record.name)
    except SlipwayError:
        return []  # a branch's credentials may not read production
    return [StoredRelease(other, found, alias, _endpoints(settings, other, record.name))]


def _endpoints(settings: Settings, stage: StageName, name: str) -> tuple[EndpointSettings, ...]:
    """Return the endpoints of ``stage`` that serve ``name``: those of slipway.toml, and the one
    that is called like its stage."""
    names = dict.fromkeys([*settings.endpoints, *(built for built in BUILT_IN if built == stage)])
    entries = [settings.endpoint(entry) for entry in names]
    return tuple(
        entry
        for entry in entries
        if entry.stage == stage and (not entry.containers or name in entry.containers)
    )


def _with_evidence(settings: Settings, releases: Sequence[StoredRelease]) -> ReleaseFacts:
    """Read the training from the evidence of the first release."""
    first = releases[0]
    facts = ReleaseFacts(tuple(releases))
    if first.record.training is None:
        return facts
    store, record = open_stage(settings, first.stage).store, first.record
    paths = {kind: keys.evidence(first.stage, record.name, record.sha256, kind) for kind in NEEDED}
    with ThreadPoolExecutor(len(paths)) as pool:
        stored = zip(paths, pool.map(store.read, paths.values()), strict=True)
        documents = {kind: data for kind, data in stored if data is not None}
    problems = evidence.find_problems(documents, record.sha256, settings, (), record.training)
    # the SBOM is not read, and the provenance names it
    problems = [problem for problem in problems if not problem.startswith("sbom")]
    facts = replace(facts, problems=tuple(problems))
    try:
        training = evidence.open_training(documents["training"], paths["training"])
    except (KeyError, SlipwayError):
        return facts
    trusted = signing.load_trusted_keys(settings)
    opened = envelope.open_envelope(documents["training"], PAYLOAD_TYPE, trusted)
    return replace(facts, training=training, signed_by=opened.signed_by)
