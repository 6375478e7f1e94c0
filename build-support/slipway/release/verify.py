"""Whether releases are what their records say: every byte read, every member compared."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Buffer, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

from slipway.archive import open_tar
from slipway.artifact import manifest
from slipway.artifact.manifest import Manifest
from slipway.artifact.members import Members
from slipway.catalog import keys, tombstone
from slipway.catalog.catalog import Catalog
from slipway.catalog.keys import Stage
from slipway.catalog.listing import Listing, list_stage
from slipway.catalog.reader import unknown
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.release.evidence import evidence
from slipway.settings import Settings
from slipway.settings.release import STAGES
from slipway.store.interface import Reader
from slipway.store.open import open_stage

CHUNK = 1 << 20


@dataclass(frozen=True)
class Verified:
    """A release, and what is wrong with it; nothing, if it is whole. ``size`` is in bytes."""

    stage: Stage
    name: str
    target: str
    size: int
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """A release that is to be verified; ``size`` is what its record says, where it says it."""

    stage: Stage
    name: str
    target: str


def chosen(
    settings: Settings,
    name: str | None,
    word: str | None,
    stages: Sequence[Stage] = STAGES,
    *,
    all_: bool = False,
) -> list[Asked]:
    """What ``slipway verify`` looks at: the release ``word`` of ``name``; else what the aliases
    name, variants and shadow; with ``all_`` everything that has a record or an artifact.

    Raises:
        SlipwayError: there is no such release, or a store cannot be read.
    """
    readers: dict[Stage, Reader] = {stage: open_stage(settings, stage) for stage in stages}
    catalogs = [Catalog(readers[stage], stage) for stage in stages]
    if name is not None and word is not None:
        found = [Asked(stage, name, target) for stage, target in _named(catalogs, name, word)]
        if not found:
            raise _missing(catalogs, name, word)
        return found
    listed = {stage: list_stage(readers[stage], stage, [name] if name else []) for stage in stages}
    asked = [
        Asked(stage, one, target)
        for stage, listing in listed.items()
        for one in listing.names
        for target in _of(listing, Catalog(readers[stage], stage), one, all_)
    ]
    if name is not None and not any(name in listing.names for listing in listed.values()):
        raise unknown(name, catalogs)
    if all_ and name is None:
        for stage, listing in listed.items():
            for key in listing.strangers(listing.names):
                asked.append(Asked(stage, "", key.removeprefix(keys.models(stage))))
    return asked


def verify(
    settings: Settings, asked: Asked, progress: Callable[[int], object] = lambda _: None
) -> Verified:
    """Read the artifact once: its digest and size against the record, each member against the
    manifest, then the evidence against what the stage requires.

    ``progress`` is called with the bytes that were read.

    Raises:
        SlipwayError: the store is not reached. What is wrong with the release is in the result.
    """
    reader = open_stage(settings, asked.stage)
    key = keys.artifact(asked.stage, asked.target)
    stat = reader.stat(key)
    problems: list[str] = []
    record: Record | None = None
    try:
        record = Catalog(reader, asked.stage).find(asked.name, asked.target)
        if record is None:
            gone = tombstone.find(reader, asked.stage, asked.name, asked.target)
            problems.append("no record of it" if gone is None else "its pruning was cut off")
    except SlipwayError as error:
        problems.append(error.what)
    if stat is None:
        problems.append("its artifact is gone")
        return Verified(asked.stage, asked.name, asked.target, 0, tuple(problems))
    digest = None
    try:
        with reader.open(key) as stream:
            digest, of_members = _read(stream, key, record, progress)
        problems += of_members
    except SlipwayError as error:
        problems.append(f"not read to its end: {error.what}")
    if record is not None and digest is not None:
        if record.size is not None and stat.size != record.size:
            problems.append(f"{stat.size:,} bytes, {record.size:,} were published")
        if digest != record.sha256:
            problems.append(f"its SHA-256 is {digest}, {record.sha256} was published")
        noted = reader.digest(key) if digest == record.sha256 else None
        if noted not in (None, digest):
            problems.append(f"the store notes the SHA-256 {noted}, its bytes have {digest}")
        known = evidence.read(reader, asked.stage, asked.name, record.sha256)
        require = settings.stage(asked.stage).require
        problems += evidence.problems(known, record.sha256, settings, require)
    return Verified(asked.stage, asked.name, asked.target, stat.size, tuple(problems))


class _Hashed(io.RawIOBase):
    """A stream whose bytes are hashed on their way."""

    def __init__(self, stream: BinaryIO, progress: Callable[[int], object]) -> None:
        self._stream = stream
        self._progress = progress
        self._sha256 = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        room = memoryview(buffer)
        data = self._stream.read(len(room))
        room[: len(data)] = data
        self._sha256.update(data)
        self._progress(len(data))
        return len(data)

    def drain(self) -> str:
        """Read what is left; the digest of all."""
        while self.read(CHUNK):
            pass
        return self._sha256.hexdigest()


def _read(
    stream: BinaryIO, key: str, record: Record | None, progress: Callable[[int], object]
) -> tuple[str, list[str]]:
    """The digest of the bytes, and what is wrong with the members."""
    hashed = _Hashed(stream, progress)
    problems: list[str] = []
    try:
        problems += _members(cast(BinaryIO, hashed), key, record)
    except SlipwayError as error:
        problems.append(error.what)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        # it parsed, but says what no manifest says
        problems.append(f"its manifest is damaged: {error!r:.200}")
    return hashed.drain(), problems


def _members(stream: BinaryIO, key: str, record: Record | None) -> Iterator[str]:
    members: Members | None = None
    with open_tar(stream, key) as tar:
        for member in tar:
            if member.isdir():
                continue
            content = tar.extractfile(member) if member.isfile() else None
            if content is None:
                yield f"{member.name} is neither a file nor a folder"
            elif members is None:
                if not member.name.endswith(f"/{manifest.FILE_NAME}"):
                    yield f"no artifact of Slipway's: its first file is {member.name}"
                    return
                made = manifest.parse(content.read(), where=member.name)
                if record is not None and made != _as_read(record.manifest):
                    yield "its manifest is not the one that its record holds"
                members = Members(made)
            else:
                members.take(member.name, member.size, cast(BinaryIO, content))
    if members is None:
        yield "no artifact of Slipway's: it is empty"
    else:
        yield from members.problems()


def _as_read(made: Manifest) -> Manifest:
    """A manifest as JSON brings it back."""
    return Manifest(**json.loads(made.dump()))


def _of(listing: Listing, catalog: Catalog, name: str, all_: bool) -> list[str]:
    if all_:
        return sorted(listing.objects(name) | listing.records(name))
    alias = catalog.find_alias(name) if listing.has_alias(name) else None
    if alias is None:
        return []
    return [*alias.targets, *([alias.shadow] if alias.shadow is not None else [])]


def _named(catalogs: Sequence[Catalog], name: str, word: str) -> Iterator[tuple[Stage, str]]:
    for catalog in catalogs:
        targets = catalog.targets(name)
        exact = [t for t in targets if t.startswith((f"{name}_{word}-rc.", f"{name}_{word}.tar"))]
        for target in (
            [t for t in targets if t == word] or exact or [t for t in targets if word in t]
        ):
            yield catalog.stage, target


def _missing(catalogs: Sequence[Catalog], name: str, word: str) -> SlipwayError:
    if not any(catalog.targets(name) for catalog in catalogs):
        return unknown(name, catalogs)
    return SlipwayError(f"{name} has no release {word!r}", fix=f"slipway describe {name}")
