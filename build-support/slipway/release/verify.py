"""Verify that releases are what their records say: read every byte, compare every member."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

from slipway.archive.reader import open_tar
from slipway.artifact import manifest
from slipway.artifact.manifest import Manifest
from slipway.artifact.members import MemberCheck
from slipway.catalog import keys
from slipway.catalog.catalog import Catalog
from slipway.catalog.index.line import Line
from slipway.catalog.index.repair import Repair, repair_index
from slipway.catalog.listing import Listing, list_stage
from slipway.catalog.reader import unknown_name
from slipway.catalog.record import Record
from slipway.catalog.tombstone import load_tombstone
from slipway.errors import SlipwayError
from slipway.files import HashingReader
from slipway.release.base_environments import missing_environment
from slipway.release.evidence import evidence
from slipway.settings import Settings
from slipway.settings.release import STAGES, StageName
from slipway.store.open import open_stage
from slipway.store.stage import StageReader


@dataclass(frozen=True)
class ReleaseCheck:
    """A release, and what is wrong with it; no problems if it is sound. ``size`` is in bytes."""

    stage: StageName
    name: str
    target: str
    size: int
    problems: tuple[str, ...]


@dataclass(frozen=True)
class SelectedRelease:
    """A release to verify; ``versions`` are those of its record and its artifact in a listing,
    empty without both."""

    stage: StageName
    name: str
    target: str
    versions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Selection:
    """The releases to verify, and how the index of each stage was corrected, if all of it was
    looked at."""

    releases: list[SelectedRelease]
    repairs: Mapping[StageName, Repair]


def select_releases(
    settings: Settings,
    name: str | None,
    selector: str | None,
    stages: Sequence[StageName] = STAGES,
    *,
    all_: bool = False,
) -> Selection:
    """Return what ``slipway verify`` looks at: the release ``selector`` of ``name``; else the
    targets of the aliases, variants and shadow; with ``all_`` everything that has a record or an
    artifact. Without a name, the index is compared with the catalog, and corrected.

    Raises:
        SlipwayError: there is no such release, or a store cannot be read.
    """
    catalogs = {stage: Catalog(open_stage(settings, stage)) for stage in stages}
    if name is not None and selector is not None:
        selected = [
            SelectedRelease(stage, name, target)
            for stage, catalog in catalogs.items()
            for target in catalog.matches(name, selector)
        ]
        if not selected:
            raise _missing(list(catalogs.values()), name, selector)
        return Selection(selected, {})
    repairs: dict[StageName, Repair] = {}
    selected, known = [], set[str]()
    for stage, catalog in catalogs.items():
        listing = list_stage(catalog.source, [name] if name else [])
        known |= set(listing.names)
        lines: Mapping[str, Line] = {}
        if name is None:
            repairs[stage] = repair_index(open_stage(settings, stage), listing)
            lines = repairs[stage].lines
        selected += [
            SelectedRelease(stage, model, target, _versions(listing, model, target))
            for model in listing.names
            for target in _targets(listing, catalog, model, lines.get(model), all_)
        ]
        if all_ and name is None:
            for key in listing.strangers(listing.names):
                target = key.removeprefix(keys.models(stage))
                selected.append(SelectedRelease(stage, "", target))
    if name is not None and name not in known:
        raise unknown_name(name, list(catalogs.values()))
    return Selection(selected, repairs)


def verify(
    settings: Settings,
    release: SelectedRelease,
    progress: Callable[[int], object] = lambda _: None,
    source: StageReader | None = None,
) -> ReleaseCheck:
    """Read the artifact once: its digest and size against the record, each member against the
    manifest, then the evidence against what the stage requires.

    ``progress`` is called with the number of bytes that were read. ``source`` is the stage, if
    it is open already.

    Raises:
        SlipwayError: the store cannot be reached. Problems of the release are in the result.
    """
    source = source or open_stage(settings, release.stage)
    key = keys.artifact(release.stage, release.target)
    stat = source.store.stat(key)
    problems: list[str] = []
    record: Record | None = None
    try:
        record = Catalog(source).find_record(release.name, release.target)
        if record is None:
            tombstone = load_tombstone(source, release.name, release.target)
            problems.append(
                "it has no record" if tombstone is None else "its pruning was interrupted"
            )
    except SlipwayError as error:
        problems.append(error.what)
    lacking = record and missing_environment(record.manifest, settings.stage(release.stage))
    if lacking:
        problems.append(
            f"base_environments of {release.stage} does not name its environment {lacking}"
        )
    if stat is None:
        problems.append("its artifact is gone")
        return ReleaseCheck(release.stage, release.name, release.target, 0, tuple(problems))
    digest = None
    try:
        with source.store.open(key) as stream:
            hashing = HashingReader(stream, progress)
            problems += _check_contents(hashing, key, record)
            digest = hashing.drain()
    except SlipwayError as error:
        problems.append(f"not read to its end: {error.what}")
    if record is not None and digest is not None:
        if record.size is not None and stat.size != record.size:
            problems.append(f"{stat.size:,} bytes, {record.size:,} were published")
        if digest != record.sha256:
            problems.append(f"its SHA-256 is {digest}, {record.sha256} was published")
        recorded = source.store.digest(key) if digest == record.sha256 else None
        if recorded not in (None, digest):
            problems.append(f"the store records the SHA-256 {recorded}, its bytes have {digest}")
        documents = evidence.load_evidence(source, release.name, record.sha256)
        require = settings.stage(release.stage).require
        problems += evidence.find_problems(
            documents, record.sha256, settings, require, record.training
        )
    return ReleaseCheck(release.stage, release.name, release.target, stat.size, tuple(problems))


def _check_contents(stream: HashingReader, key: str, record: Record | None) -> list[str]:
    """Return what is wrong with the members."""
    problems: list[str] = []
    try:
        problems += _check_members(cast(BinaryIO, stream), key, record)
    except SlipwayError as error:
        problems.append(error.what)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        # it is JSON, but not a manifest
        problems.append(f"its manifest is damaged: {error!r:.200}")
    return problems


def _check_members(stream: BinaryIO, key: str, record: Record | None) -> Iterator[str]:
    members: MemberCheck | None = None
    with open_tar(stream, key) as tar:
        for member in tar:
            if member.isdir():
                continue
            content = tar.extractfile(member) if member.isfile() else None
            if content is None:
                yield f"{member.name} is neither a file nor a folder"
            elif members is None:
                if not manifest.is_manifest(member.name):
                    yield f"not an artifact of Slipway's: its first file is {member.name}"
                    return
                description = manifest.parse_manifest(content.read(), where=member.name)
                if record is not None and description != _as_parsed(record.manifest):
                    yield "its manifest is not the one in its record"
                members = MemberCheck(description)
            else:
                members.add(member.name, member.size, cast(BinaryIO, content))
    if members is None:
        yield "not an artifact of Slipway's: it is empty"
    else:
        yield from members.problems()


def _as_parsed(description: Manifest) -> Manifest:
    """Return the manifest with the types that JSON has."""
    return Manifest(**json.loads(description.dump()))


def _versions(listing: Listing, name: str, target: str) -> tuple[str, ...]:
    both = (keys.record(listing.stage, name, target), keys.artifact(listing.stage, target))
    stats = [listing.stats[key] for key in both if key in listing.stats]
    return tuple(stat.version for stat in stats) if len(stats) == len(both) else ()


def _targets(
    listing: Listing, catalog: Catalog, name: str, line: Line | None, all_: bool
) -> Sequence[str]:
    if all_:
        return sorted(listing.objects(name) | listing.records(name))
    if line is not None:
        return () if line.served is None else line.served.alias.all_targets
    alias = catalog.find_alias(name) if listing.has_alias(name) else None
    return () if alias is None else alias.all_targets


def _missing(catalogs: Sequence[Catalog], name: str, selector: str) -> SlipwayError:
    if not any(catalog.targets(name) for catalog in catalogs):
        return unknown_name(name, catalogs)
    return SlipwayError(f"{name} has no release {selector!r}", fix=f"slipway describe {name}")
