"""Read a release store in S3 through boto3 with boto3's own configuration: its variables (such as
``AWS_PROFILE``, ``AWS_ENDPOINT_URL_S3``), files and roles."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from weakref import WeakKeyDictionary

from botocore.exceptions import (
    ClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from slipway.aws import NOT_CONFIGURED, error_code, not_configured
from slipway.errors import SlipwayError
from slipway.files import sha256_of_stream
from slipway.store.interface import SETTING, Level, S3Location, Stat, outside
from slipway.store.s3.errors import ABSENT, translate_errors
from slipway.store.s3.session import create_session

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, HeadObjectOutputTypeDef

READS = 3
CONNECTION_BROKE = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
DIGEST = "sha256"  # in an object's metadata
LISTED_S = 60.0
MAX_KEY = 1024  # bytes (S3 User Guide, "Naming Amazon S3 objects")

# when each client listed which bucket (monotonic seconds)
_listed: WeakKeyDictionary[S3Client, dict[str, float]] = WeakKeyDictionary()


class S3Reader:
    """A :class:`~slipway.store.interface.Reader` of the keys below ``prefix`` in ``bucket``."""

    records_digests = True

    def __init__(self, client: S3Client, bucket: str, prefix: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    def read(self, key: str) -> bytes | None:
        """See :class:`~slipway.store.interface.Reader`."""
        with self._translate_errors(key):
            result = get_object(self.s3_location(key))
        return None if result is None else result[0]

    def stat(self, key: str) -> Stat | None:
        """See :class:`~slipway.store.interface.Reader`; the version is the object's ETag."""
        if len(self._key(key).encode()) > MAX_KEY:
            return None  # a HEAD request would not tell this from other mistakes
        with self._translate_errors(key):
            response = head(self.s3_location(key))
        if response is None:
            return None
        return Stat(response["ContentLength"], response["ETag"].strip('"'))

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """See :class:`~slipway.store.interface.Reader`."""
        with self._translate_errors(key):
            body = self._client.get_object(Bucket=self._bucket, Key=self._key(key))["Body"]
            with contextlib.closing(body):
                yield cast(BinaryIO, body)

    def digest(self, key: str) -> str | None:
        """See :class:`~slipway.store.interface.Reader`: what was recorded when the key was written.
        Objects that other programs wrote are read."""
        with self._translate_errors(key):
            response = head(self.s3_location(key))
        if response is None:
            return None
        if DIGEST in response["Metadata"]:
            return response["Metadata"][DIGEST]
        with self.open(key) as stream:
            return sha256_of_stream(stream)

    def keys(self, prefix: str) -> list[str]:
        """See :class:`~slipway.store.interface.Reader`."""
        return list(self.stats(prefix))

    def stats(self, prefix: str) -> dict[str, Stat]:
        """See :class:`~slipway.store.interface.Reader`."""
        return self._list(prefix).keys

    def level(self, prefix: str) -> Level:
        """See :class:`~slipway.store.interface.Reader`."""
        return self._list(prefix, Delimiter="/")

    def _list(self, prefix: str, **options: Any) -> Level:
        listed: dict[str, Stat] = {}
        folders: list[str] = []
        start = self._key(prefix)
        with self._translate_errors(prefix):
            paginator = self._client.get_paginator("list_objects_v2")
            for page in paginator.paginate(Bucket=self._bucket, Prefix=start, **options):
                for item in page.get("Contents", ()):
                    # the console creates a "folder" as an empty object whose key ends in a slash
                    if not item["Key"].endswith("/"):
                        stat = Stat(item["Size"], item["ETag"].strip('"'))
                        listed[item["Key"].removeprefix(self._prefix)] = stat
                for common in page.get("CommonPrefixes", ()):
                    folders.append(common["Prefix"].removeprefix(start).removesuffix("/"))
        return Level(dict(sorted(listed.items())), sorted(folders))

    def s3_location(self, key: str) -> S3Location:
        """See :class:`~slipway.store.interface.Reader`."""
        return S3Location(self._client, self._bucket, self._key(key))

    def _key(self, key: str) -> str:
        if key.startswith("/") or ".." in key.split("/") or "\0" in key or not _is_utf8(key):
            raise outside(key, f"s3://{self._bucket}/{self._prefix}")
        return self._prefix + key

    def _translate_errors(self, key: str) -> AbstractContextManager[None]:
        return translate_errors(self._bucket, f"s3://{self._bucket}/{self._prefix}{key}")


def get_object(at: S3Location) -> tuple[bytes, GetObjectOutputTypeDef] | None:
    """Return the bytes of a small object and S3's response; ``None`` if it does not exist.

    The request is repeated if the connection breaks within the bytes, as boto3 does for all that
    comes before them.
    """
    for left in reversed(range(READS)):
        try:
            response = at.client.get_object(Bucket=at.bucket, Key=at.key)
            return response["Body"].read(), response
        except ClientError as error:
            if error_code(error) in ABSENT:
                return None
            raise
        except CONNECTION_BROKE:
            if not left:
                raise
    raise AssertionError("the last attempt raises or returns")


def head(at: S3Location, **options: Any) -> HeadObjectOutputTypeDef | None:
    """Return S3's description of an object without its bytes; ``None`` if it does not exist."""
    try:
        return at.client.head_object(Bucket=at.bucket, Key=at.key, **options)
    except ClientError as error:
        is_absent = error_code(error) in ABSENT
        if not (is_absent and _was_listed(at)):
            # the response to a HEAD request has no body: a listing tells what is wrong
            at.client.list_objects_v2(Bucket=at.bucket, MaxKeys=1)
            _listed.setdefault(at.client, {})[at.bucket] = time.monotonic()
        if is_absent:
            return None
        raise


def _was_listed(at: S3Location) -> bool:
    """Return whether the bucket was there a moment ago: then it is the object that is not."""
    listed = _listed.get(at.client, {}).get(at.bucket)
    return listed is not None and time.monotonic() < listed + LISTED_S


def connect(location: str, profile: str | None = None) -> tuple[S3Client, str, str]:
    """Return the client, bucket and prefix of ``s3://bucket[/prefix]``. Nothing is sent yet.

    Raises:
        SlipwayError: no bucket is named, or boto3's configuration is wrong.
    """
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    if not bucket:
        raise SlipwayError(
            f"{location!r} names no bucket", where=SETTING, fix="write s3://bucket/prefix"
        )
    try:
        client = create_session(profile).client("s3")
    except NOT_CONFIGURED as error:
        raise not_configured(error, location) from error
    return client, bucket, prefix


def open_s3_reader(location: str, profile: str | None = None) -> S3Reader:
    """Return the store at ``s3://bucket[/prefix]``. Nothing is sent before it is read.

    Raises:
        SlipwayError: no bucket is named, or boto3's configuration is wrong.
    """
    return S3Reader(*connect(location, profile))


def _is_utf8(key: str) -> bool:
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True
