"""The drift of a name on an endpoint, for a page that asks for it again and again."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from slipway.drift.check import check_drift
from slipway.drift.reference import read_profile
from slipway.drift.verdict import DriftCheck
from slipway.profile.profile import Profile
from slipway.settings import Settings
from slipway.store.open_reader import open_endpoint
from slipway.store.stage import StageReader

HOUR = timedelta(hours=1)
PROFILES = 64  # of releases, kept: the profile of a target model never changes
MEMORY = 64 << 20  # bytes of captured tensors


def recent_drift(
    settings: Settings,
    endpoint: str,
    name: str,
    *,
    since: timedelta = HOUR,
    now: datetime | None = None,
) -> DriftCheck:
    """Return the drift of the releases of ``name`` that ``endpoint`` serves, in the last ``since``.

    A release without a profile, without requests or with too few rows is no error: its
    ``verdict`` says so. It reads files and computes for up to seconds: call it in a thread.

    Raises:
        SlipwayError: the endpoint, the name or a store is not there, or cannot be read.
    """

    def profile_of(source: StageReader, target: str) -> Profile | None:
        store = settings.store_of(settings.endpoint(endpoint))
        return _remembered(_Place(settings, endpoint, store.store), target)

    return check_drift(
        settings, endpoint, [name], since=since, now=now, profile_of=profile_of, memory=MEMORY
    )


class _Place:
    """An endpoint whose artifacts are read; equal if their store is the same."""

    def __init__(self, settings: Settings, endpoint: str, store: str) -> None:
        self.settings = settings
        self.endpoint = endpoint
        self.key = (str(settings.root), store, settings.endpoint(endpoint).stage)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Place) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(PROFILES)
def _remembered(place: _Place, target: str) -> Profile | None:
    source = open_endpoint(place.settings, place.settings.endpoint(place.endpoint))
    return read_profile(source, target)
