"""Read captures back: Slipway's own and SageMaker's."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone

from slipway.capture.inference_id import is_probe
from slipway.capture.location import CaptureLocation
from slipway.capture.parse_line import ForeignLineError, parse_line
from slipway.capture.record import CapturedRequest
from slipway.capture.storage.files import CaptureFiles, Found, open_files
from slipway.capture.storage.names import file_prefix, hours, name_prefix, parse_key

log = logging.getLogger(__name__)


@dataclass
class ReadCounts:
    """What was read: ``files``, and ``lines`` of them that were wanted. ``foreign`` lines are not
    captured requests, ``torn`` ones end without a line break, ``nameless`` ones do not say of which
    model they are; ``examples`` has a place and a reason of the first few. ``probes`` are requests
    of Slipway's own, which SageMaker captures as any other."""

    files: int = 0
    lines: int = 0
    foreign: int = 0
    torn: int = 0
    nameless: int = 0
    probes: int = 0
    examples: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kinds = {"not captured requests": self.foreign, "torn": self.torn}
        kinds["of an unknown model"] = self.nameless
        return ", ".join(f"{number} {kind}" for kind, number in kinds.items() if number)


@dataclass(frozen=True)
class Wanted:
    """Which captures are read; see :func:`read_captured`. ``target`` is that of lines which do not
    name theirs, as SageMaker's."""

    since: datetime
    until: datetime
    endpoint: str | None = None
    names: frozenset[str] | None = None
    targets: frozenset[str] | None = None
    target: str = ""

    def has(self, request: CapturedRequest) -> bool:
        """Return whether a request is among them."""
        return (
            self.since <= request.when <= self.until
            and (self.endpoint is None or request.endpoint == self.endpoint)
            and (self.names is None or request.name in self.names)
            and (self.targets is None or request.target in self.targets)
        )

    def prefixes(self) -> list[str]:
        """Return what the names of the files begin with that can hold such requests."""
        prefixes = {""}
        if self.names is not None:
            prefixes = {name_prefix(name) for name in self.names}
        if self.targets is not None:
            of_targets = {file_prefix(target) for target in self.targets}
            prefixes = {p for p in of_targets if any(p.startswith(other) for other in prefixes)}
        return sorted(prefixes)


def read_captured(
    location: CaptureLocation,
    *,
    endpoint: str | None = None,
    names: Collection[str] | None = None,
    targets: Collection[str] | None = None,
    since: datetime,
    until: datetime | None = None,
    target: str = "",
    counts: ReadCounts | None = None,
) -> Iterator[CapturedRequest]:
    """Yield the captured requests from ``since`` to ``until``, by the hour, of the models ``names``
    or the target models ``targets``; by default of all.

    Only the hours between are listed, and only files are read whose names say that they can hold
    such requests. In a folder, lines are read that are not in a complete file yet.

    Lines that are not captured requests are left out: they are counted in ``counts``, and a
    warning says how many, unless the caller has the counts. ``target`` is the target model of lines
    which do not name theirs, as SageMaker's; without it they are left out where ``names`` or
    ``targets`` are given.

    Raises:
        SlipwayError: the location cannot be read.
    """
    wanted = Wanted(
        since,
        until or datetime.now(timezone.utc),
        endpoint,
        None if names is None else frozenset(names),
        None if targets is None else frozenset(targets),
        target,
    )
    counted = counts or ReadCounts()
    files = open_files(location)
    for found in _find(files, location, wanted):
        yield from _read(found, wanted, counted)
    if counts is None and str(counted):
        log.warning("left out lines in %s: %s", location, counted)


def _find(files: CaptureFiles, location: CaptureLocation, wanted: Wanted) -> Iterator[Found]:
    """Yield the files that may hold what is wanted: complete ones by the hour, then open ones."""
    # opened before complete ones are listed: a rotation meanwhile neither hides nor repeats a line
    journals = files.open_journals()
    try:
        ids = {journal.id for journal in journals}
        for hour in hours(wanted.since, wanted.until):
            for folder in files.hour_folders(hour, wanted.endpoint):
                prefixes = [""] if location.foreign else wanted.prefixes()
                for found in files.matching(folder, prefixes):
                    if found.id not in ids and _may_hold(found, wanted):
                        yield found
        yield from journals
    finally:
        for journal in journals:
            journal.close()


def _may_hold(found: Found, wanted: Wanted) -> bool:
    """Return whether a file can hold what is wanted, by its name."""
    file = parse_key(found.key)
    if file is None or "~" in file.target:
        return True
    seconds = wanted.since.replace(microsecond=0)
    return (
        file.until >= seconds
        and file.since <= wanted.until
        and (wanted.names is None or file.name in wanted.names)
        and (wanted.targets is None or file.target in wanted.targets)
    )


def _read(found: Found, wanted: Wanted, counts: ReadCounts) -> Iterator[CapturedRequest]:
    counts.files += 1
    for number, line in enumerate(found.lines(), start=1):
        if not line.strip():
            continue
        whole = line.endswith(b"\n")
        try:
            request = parse_line(
                line, endpoint=found.endpoint, variant=found.variant, target=wanted.target
            )
        except ForeignLineError as error:
            if whole:
                counts.foreign += 1
            else:
                counts.torn += 1
            if len(counts.examples) < 5:
                counts.examples.append(f"{found.key}:{number}: {error}")
            continue
        if not request.target and (wanted.names is not None or wanted.targets is not None):
            counts.nameless += 1
        elif is_probe(request.inference_id):
            counts.probes += 1
        elif wanted.has(request):
            counts.lines += 1
            yield request
