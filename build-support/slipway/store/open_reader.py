"""Open a release store to read it, where slipway.toml or a caller locates it."""

from __future__ import annotations

from pathlib import Path

from slipway.errors import SlipwayError
from slipway.settings import EndpointSettings, Settings
from slipway.store.directory_reader import DirectoryReader
from slipway.store.interface import SETTING, Reader
from slipway.store.stage import StageReader

S3 = "s3://"


def open_reader(location: str, root: Path, *, profile: str | None = None) -> Reader:
    """Open the store at ``location``: a folder, relative to ``root``, or ``s3://bucket`` with or
    without a ``/prefix``; ``profile`` is one of the AWS configuration.

    Raises:
        SlipwayError: the location is of an unknown kind, or there is no such profile.
    """
    if location.startswith(S3):
        from slipway.store.s3.reader import open_s3_reader  # boto3: not for a folder

        return open_s3_reader(location, profile)
    return DirectoryReader(folder_of(location, root))


def open_endpoint(settings: Settings, entry: EndpointSettings) -> StageReader:
    """Open the stage that an endpoint serves.

    Raises:
        SlipwayError: as :func:`open_reader`.
    """
    stage = settings.store_of(entry)
    store = open_reader(stage.store, settings.root, profile=stage.profile)
    return StageReader(store, entry.stage)


def folder_of(location: str, root: Path) -> Path:
    """Return the folder at ``location``, relative to ``root``.

    Raises:
        SlipwayError: it is a URL.
    """
    if "://" in location:
        raise SlipwayError(
            f"unknown kind of release store {location!r}",
            where=SETTING,
            fix="name a folder, such as .slipway/releases, or s3://bucket/prefix",
        )
    return root / location
