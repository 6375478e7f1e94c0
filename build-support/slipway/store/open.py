"""Open a release store where slipway.toml or a caller says it lies."""

from __future__ import annotations

from pathlib import Path

from slipway.errors import SlipwayError
from slipway.settings import Endpoint, Settings, StageSettings
from slipway.settings.release import StageName
from slipway.store.directory import DirectoryStore
from slipway.store.interface import PLACE, Reader, Store


def open_reader(location: str, root: Path, *, profile: str | None = None) -> Reader:
    """The store at ``location``, to be read: a folder, relative to ``root``, or ``s3://bucket``
    with or without a ``/prefix``; ``profile`` is one of the AWS configuration.

    Raises:
        SlipwayError: a location of a kind that is not known, or a profile that is not there.
    """
    return _open(StageSettings("staging", location, profile), root)


def open_endpoint(settings: Settings, entry: Endpoint) -> Reader:
    """The store that an endpoint serves, to be read.

    Raises:
        SlipwayError: as :func:`open_reader`.
    """
    return _open(settings.store_of(entry), settings.root)


def open_stage(settings: Settings, stage: StageName) -> Store:
    """The store of a stage's releases, to be read and written.

    Raises:
        SlipwayError: as :func:`open_reader`.
    """
    return _open(settings.stage(stage), settings.root)


def _open(chosen: StageSettings, root: Path) -> Store:
    if chosen.store.startswith("s3://"):
        from slipway.store.s3.store import open_s3  # boto3 behind it: not for a folder

        return open_s3(chosen)
    if "://" in chosen.store:
        raise SlipwayError(
            f"no release store of the kind {chosen.store!r}",
            where=PLACE,
            fix="name a folder, such as .slipway/releases, or s3://bucket/prefix",
        )
    return DirectoryStore(root / chosen.store)
