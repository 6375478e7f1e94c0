"""Where captures are kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from slipway.settings import EndpointSettings, Settings
from slipway.store.open_reader import S3, folder_of

PREFIX = "captured/"  # of the keys in a release store


@dataclass(frozen=True)
class CaptureLocation:
    """A folder, or a bucket with the ``prefix`` of its keys, which ends in a slash or is empty.

    Below it is SageMaker's layout: ``<endpoint>/<variant>/<yyyy>/<mm>/<dd>/<hh>/<file>.jsonl``.
    ``profile`` is one of the AWS configuration, ``kms_key`` encrypts. ``foreign``: other programs,
    such as SageMaker, write there too; their files do not name a model, and all have to be read.
    """

    folder: Path | None = None
    bucket: str | None = None
    prefix: str = ""
    profile: str | None = None
    kms_key: str | None = None
    foreign: bool = False

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}" if self.bucket else str(self.folder)


def parse_location(
    location: str, root: Path, *, profile: str | None = None, foreign: bool = False
) -> CaptureLocation:
    """Return the location that a user names: a folder, relative to ``root``, or ``s3://bucket``
    with or without a ``/prefix``.

    Raises:
        SlipwayError: it is a URL of another kind.
    """
    if location.startswith(S3):
        bucket, _, prefix = location[len(S3) :].partition("/")
        prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        return CaptureLocation(bucket=bucket, prefix=prefix, profile=profile, foreign=foreign)
    return CaptureLocation(folder=folder_of(location, root), foreign=foreign)


def capture_location(settings: Settings, endpoint_name: str) -> CaptureLocation:
    """Return where the captures of an endpoint are kept; see :func:`location_of`.

    Raises:
        SlipwayError: there is no such endpoint, or its store is of an unknown kind.
    """
    return location_of(settings, settings.endpoint(endpoint_name))


def location_of(settings: Settings, entry: EndpointSettings) -> CaptureLocation:
    """Return where the captures of the endpoint ``entry`` are kept: at its own location, if its
    ``capture`` names one, otherwise at ``captured/`` in its release store.

    Raises:
        SlipwayError: a location is of an unknown kind.
    """
    store = settings.store_of(entry)
    if isinstance(entry.capture, str):
        return parse_location(entry.capture, settings.root, profile=store.profile)
    base = store.store.rstrip("/")
    found = parse_location(f"{base}/{PREFIX}", settings.root, profile=store.profile)
    return replace(found, kms_key=store.kms_key)
