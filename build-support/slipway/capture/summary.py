"""Sum up the captures of a location by release, from the names of their files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from slipway.capture.counts import DROPPED, FOLDER, OFFERED, UNSAMPLED, parse_counts
from slipway.capture.location import CaptureLocation
from slipway.capture.parse_line import ForeignLineError, parse_line
from slipway.capture.storage.files import CaptureFiles, Found, open_files
from slipway.capture.storage.names import parse_key


@dataclass
class ReleaseSummary:
    """The complete files of one target model on one endpoint.

    ``offered``, ``unsampled`` and ``dropped`` (by reason) are what its writers counted; what a
    writer counted before it was killed may be missing. ``redacted`` are the tensors of its newest
    file that are not kept whole.
    """

    endpoint: str
    target: str
    requests: int = 0
    bytes: int = 0
    files: int = 0
    since: datetime | None = None
    until: datetime | None = None
    days: int = 0
    offered: int = 0
    unsampled: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    redacted: Mapping[str, str] = field(default_factory=dict)

    def dump(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "endpoint": self.endpoint,
            "target": self.target,
            "requests": self.requests,
            "bytes": self.bytes,
            "files": self.files,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "retention_days": self.days,
            "offered": self.offered,
            "unsampled": self.unsampled,
            "dropped": self.dropped,
            "redacted": dict(self.redacted),
        }


@dataclass(frozen=True)
class Summary:
    """The releases, sorted, and how many ``foreign`` files other programs wrote; ``open_bytes`` are
    in files that are not complete yet, and not in the releases' figures."""

    releases: list[ReleaseSummary]
    foreign: int
    open_bytes: int


def summarize(
    location: CaptureLocation, *, endpoint: str | None = None, names: Collection[str] | None = None
) -> Summary:
    """Return what is captured of each release; of the models ``names``, by default of all.

    One line of each release is read, and the counts of the writers.

    Raises:
        SlipwayError: the location cannot be read.
    """
    files = open_files(location)
    releases: dict[tuple[str, str], ReleaseSummary] = {}
    last: dict[tuple[str, str], Found] = {}
    foreign = 0

    def release(own: str, target: str) -> ReleaseSummary:
        return releases.setdefault((own, target), ReleaseSummary(own, target))

    for found in files.all():
        if found.key.startswith(f"{FOLDER}/"):
            own = found.key.split("/")[1]
            if endpoint in (None, own):
                _add_counts(found, own, names, release)
            continue
        file = parse_key(found.key)
        if file is None:
            foreign += 1
            continue
        if endpoint not in (None, file.endpoint) or not _is_of(file.target, names):
            continue
        entry = release(file.endpoint, file.target)
        entry.requests += file.requests
        entry.bytes += found.size
        entry.files += 1
        entry.since = min(entry.since or file.since, file.since)
        if entry.until is None or file.until >= entry.until:
            entry.until, entry.days = file.until, file.days
            last[file.endpoint, file.target] = found
    open_bytes = 0
    for journal in files.open_journals():
        open_bytes += journal.size
        journal.close()
    for key, found in last.items():
        releases[key].redacted = _redacted(found)
    return Summary([releases[key] for key in sorted(releases)], foreign, open_bytes)


def forget(
    location: CaptureLocation,
    now: datetime,
    *,
    days: int | None = None,
    names: Collection[str] | None = None,
    dry_run: bool = False,
) -> tuple[int, int]:
    """Remove the files that are older than ``days``, by default than their models keep them; return
    how many files and bytes that are. Files of other programs stay.

    Raises:
        SlipwayError: the location cannot be read, or a file not be removed.
    """
    from slipway.capture.storage.retention import is_expired

    files: CaptureFiles = open_files(location)
    count = size = 0
    for found in list(files.all()):
        file = parse_key(found.key)
        if names is not None and (file is None or not _is_of(file.target, names)):
            continue
        if is_expired(found.key, now, days):
            count, size = count + 1, size + found.size
            if not dry_run:
                files.remove(found.key)
    return count, size


def _add_counts(found: Found, endpoint: str, names: Collection[str] | None, release: Any) -> None:
    try:
        counts = parse_counts(b"".join(found.lines()))
    except ValueError:
        return
    for target, values in counts.items():
        if not _is_of(target, names):
            continue
        entry = release(endpoint, target)
        entry.offered += values.get(OFFERED, 0)
        entry.unsampled += values.get(UNSAMPLED, 0)
        for what, number in values.items():
            if what.startswith(DROPPED):
                reason = what[len(DROPPED) :]
                entry.dropped[reason] = entry.dropped.get(reason, 0) + number


def _is_of(target: str, names: Collection[str] | None) -> bool:
    return names is None or target.rpartition("_")[0] in names


def _redacted(found: Found) -> Mapping[str, str]:
    try:
        return parse_line(next(iter(found.lines()), b"")).redacted
    except ForeignLineError:
        return {}
