"""Check the releases that an endpoint serves for drift, in one pass over its captures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from slipway.capture.location import CaptureLocation, capture_location
from slipway.capture.read import ReadCounts, read_captured
from slipway.catalog.reader import CatalogReader
from slipway.drift.earlier import earlier_profile
from slipway.drift.evaluate import DriftOptions, evaluate
from slipway.drift.reference import read_profile
from slipway.drift.sample import RequestSample
from slipway.drift.verdict import Comparison, DriftCheck, ReleaseDrift, Verdict
from slipway.drift.window import format_window
from slipway.errors import SlipwayError
from slipway.profile.profile import Profile
from slipway.settings import Settings
from slipway.store.open_reader import open_endpoint
from slipway.store.stage import StageReader

MEMORY = 1 << 30  # bytes of captured tensors that a check holds, shared by its releases
LEAST_MEMORY = 1 << 20  # bytes of one release
READERS = 8  # artifacts whose beginning is read at once
PROFILE = "profile"  # the reference of a comparison, where it is not an earlier window
NONE = timedelta()

ReadProfile = Callable[[StageReader, str], "Profile | None"]


@dataclass(frozen=True)
class _Windows:
    """What is compared: from ``since`` to ``until``, and the window ``against`` before it."""

    since: datetime
    until: datetime
    against: timedelta

    @property
    def label(self) -> str:
        return f"the {format_window(self.against)} before"


@dataclass(frozen=True)
class _Samples:
    """The requests of each checked target model in both windows, and the number of others."""

    current: Mapping[str, RequestSample]
    earlier: Mapping[str, RequestSample]
    others: Counter[str] = field(default_factory=Counter)
    counts: ReadCounts = field(default_factory=ReadCounts)


def check_drift(
    settings: Settings,
    endpoint: str,
    names: Sequence[str] = (),
    *,
    since: timedelta,
    against: timedelta = NONE,
    now: datetime | None = None,
    location: CaptureLocation | None = None,
    options: DriftOptions | None = None,
    profile_of: ReadProfile = read_profile,
    memory: int = MEMORY,
) -> DriftCheck:
    """Compare what the releases of ``names``, or of every alias, were asked in the last ``since``
    with their profiles; with ``against`` with the window of that length before it, too.

    The captures are read once, whatever the number of models.

    Raises:
        SlipwayError: the endpoint, a name or a store is not there, or cannot be read.
    """
    source = open_endpoint(settings, settings.endpoint(endpoint))
    problems: list[str] = []
    served = _served(CatalogReader(source), names, problems)
    until = now or datetime.now(UTC)
    windows = _Windows(until - since, until, against)
    captured = location or capture_location(settings, endpoint)
    samples = _read(captured, endpoint, names, served, windows, memory)
    if str(samples.counts):
        problems.append(f"lines that were left out: {samples.counts}")
    asked = [target for target in served if samples.current[target].seen]

    def find_profile(target: str) -> Profile | SlipwayError | None:
        try:
            return profile_of(source, target)
        except SlipwayError as error:  # of one release: it must not hide the others
            return error

    with ThreadPoolExecutor(READERS) as pool:
        profiles = dict(zip(asked, pool.map(find_profile, asked), strict=True))
    releases = [
        _compare(name, target, profiles.get(target), samples, windows, options or DriftOptions())
        for target, name in served.items()
    ]
    return DriftCheck(
        endpoint,
        source.name,
        windows.since,
        until,
        str(captured),
        releases,
        samples.others,
        tuple(problems),
    )


def _served(catalog: CatalogReader, names: Sequence[str], problems: list[str]) -> dict[str, str]:
    """Return the names by the target models that their aliases serve, without shadows."""
    served: dict[str, str] = {}
    for name in dict.fromkeys(names):
        served |= dict.fromkeys(catalog.alias(name).targets, name)
    if names:
        return served

    def targets(name: str) -> tuple[str, ...]:
        try:
            alias = catalog.find_alias(name)
        except SlipwayError as error:
            problems.append(f"{name} was not checked: {error.what}")
            return ()
        return () if alias is None else alias.targets

    every = catalog.names()
    with ThreadPoolExecutor(READERS) as pool:
        for name, found in zip(every, pool.map(targets, every), strict=True):
            served |= dict.fromkeys(found, name)
    return served


def _read(
    location: CaptureLocation,
    endpoint: str,
    names: Sequence[str],
    served: Mapping[str, str],
    windows: _Windows,
    memory: int,
) -> _Samples:
    share = max(LEAST_MEMORY, memory // max(1, len(served) * (2 if windows.against else 1)))
    samples = _Samples(
        {target: RequestSample(share) for target in served},
        {target: RequestSample(share) for target in served},
    )
    for request in read_captured(
        location,
        endpoint=None if location.foreign else endpoint,
        names=list(names) or None,
        counts=samples.counts,
        since=windows.since - windows.against,
        until=windows.until,
    ):
        if request.role == "shadow":
            continue
        recent = request.when >= windows.since
        chosen = samples.current if recent else samples.earlier
        if request.target in chosen:
            chosen[request.target].add(request)
        elif recent:
            samples.others[request.target] += 1
    return samples


def _compare(
    name: str,
    target: str,
    profile: Profile | SlipwayError | None,
    samples: _Samples,
    windows: _Windows,
    options: DriftOptions,
) -> ReleaseDrift:
    sample = samples.current[target]
    if not sample.seen:
        return ReleaseDrift(name, target, 0)
    notes = []
    if sample.kept < sample.seen:
        notes.append(
            f"{sample.kept:,} of {sample.seen:,} requests were compared, a fair sample that"
            " fits into memory; a shorter --since or fewer models take all"
        )
    requests, earlier = sample.requests(), samples.earlier[target].requests()
    references: list[tuple[str, Profile]] = []
    if isinstance(profile, Profile):
        references.append((PROFILE, profile))
    else:
        what = profile.what if profile else "its artifact holds no reference profile"
        notes.append(f"not compared with a profile: {what}")
    if windows.against:
        own = profile if isinstance(profile, Profile) else None
        before, problem = earlier_profile(earlier, own, windows.label)
        notes += [problem] if problem else []
        references += [(windows.label, before)] if before else []
    comparisons = []
    for reference, chosen in references:
        try:
            report = evaluate(
                chosen, requests, since=windows.since, until=windows.until, options=options
            )
        except SlipwayError as error:  # such as: no row that was captured can be compared
            notes.append(f"not compared with {reference}: {error.what}")
        else:
            comparisons.append(Comparison(reference, report))
    missing: Verdict = "too few rows" if references else "no profile"
    return ReleaseDrift(
        name,
        target,
        sample.seen,
        tuple(comparisons),
        missing,
        tuple(notes),
        (earlier, requests),
    )
