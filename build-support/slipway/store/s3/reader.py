"""A release store in S3, read through boto3 with boto3's own configuration: its variables (such
as ``AWS_PROFILE``, ``AWS_ENDPOINT_URL_S3``), files and roles."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    IncompleteReadError,
    ProfileNotFound,
    ReadTimeoutError,
    ResponseStreamingError,
)

from slipway.errors import SlipwayError
from slipway.store.interface import PLACE, Stat
from slipway.store.s3.errors import ABSENT, code_of, told

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, HeadObjectOutputTypeDef

READS = 3
BROKEN_OFF = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
LONGEST_KEY = 1024  # bytes (S3 User Guide, "Naming Amazon S3 objects")


class Address(NamedTuple):
    """An object, and the client that reaches it."""

    client: S3Client
    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class S3Reader:
    """A :class:`~slipway.store.interface.Reader` of the keys below ``prefix`` in ``bucket``."""

    def __init__(self, client: S3Client, bucket: str, prefix: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    def read(self, key: str) -> bytes | None:
        """See :class:`~slipway.store.interface.Reader`."""
        with self._told(key):
            found = fetch(self.address(key))
        return None if found is None else found[0]

    def stat(self, key: str) -> Stat | None:
        """See :class:`~slipway.store.interface.Reader`; the version is the object's ETag."""
        if len(self._key(key).encode()) > LONGEST_KEY:
            return None  # a HEAD request would not tell this from other mistakes
        with self._told(key):
            found = head(self.address(key))
        return None if found is None else Stat(found["ContentLength"], found["ETag"].strip('"'))

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """See :class:`~slipway.store.interface.Reader`."""
        with self._told(key):
            body = self._client.get_object(Bucket=self._bucket, Key=self._key(key))["Body"]
            with contextlib.closing(body):
                yield cast(BinaryIO, body)

    def keys(self, prefix: str) -> list[str]:
        """See :class:`~slipway.store.interface.Reader`."""
        found: list[str] = []
        with self._told(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._key(prefix)
            )
            for page in pages:
                found += [item["Key"] for item in page.get("Contents", ())]
        # the console makes a "folder" by an empty object whose key ends in a slash
        return sorted(key.removeprefix(self._prefix) for key in found if not key.endswith("/"))

    def address(self, key: str) -> Address:
        """Where the object of ``key`` is in S3.

        Raises:
            SlipwayError: ``key`` leads out of the store.
        """
        return Address(self._client, self._bucket, self._key(key))

    def _key(self, key: str) -> str:
        if key.startswith("/") or ".." in key.split("/") or "\0" in key or not _is_utf8(key):
            raise SlipwayError(
                f"the key {key!r:.200} leads out of the store",
                where=f"s3://{self._bucket}/{self._prefix}",
                fix="a key is a path without '..'",
            )
        return self._prefix + key

    def _told(self, key: str) -> AbstractContextManager[None]:
        """Say what S3 refused as its reader can mend it."""
        return told(self._bucket, f"s3://{self._bucket}/{self._prefix}{key}")


def fetch(at: Address) -> tuple[bytes, GetObjectOutputTypeDef] | None:
    """The bytes of a small object, and what S3 says of it; ``None`` if there is none.

    It is asked for again if its bytes break off, as boto3 does for all that comes before them.
    """
    for left in reversed(range(READS)):
        try:
            found = at.client.get_object(Bucket=at.bucket, Key=at.key)
            return found["Body"].read(), found
        except ClientError as error:
            if code_of(error) in ABSENT:
                return None
            raise
        except BROKEN_OFF:
            if not left:
                raise
    raise AssertionError("the last time raises or returns")


def head(at: Address, **options: Any) -> HeadObjectOutputTypeDef | None:
    """What S3 says of an object without its bytes; ``None`` if there is none."""
    try:
        return at.client.head_object(Bucket=at.bucket, Key=at.key, **options)
    except ClientError as error:
        # a HEAD request is answered without a body: a listing says what is wrong
        at.client.list_objects_v2(Bucket=at.bucket, MaxKeys=1)
        if code_of(error) in ABSENT:
            return None
        raise


def client_of(location: str, profile: str | None = None) -> tuple[S3Client, str, str]:
    """The client, bucket and prefix of ``s3://bucket[/prefix]``. Nothing is sent yet.

    Raises:
        SlipwayError: no bucket is named, or boto3's configuration is wrong.
    """
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    if not bucket:
        raise SlipwayError(
            f"{location!r} names no bucket", where=PLACE, fix="write s3://bucket/prefix"
        )
    try:
        client = boto3.session.Session(profile_name=profile).client("s3")
    except ProfileNotFound as error:
        raise SlipwayError(str(error), where=location, fix="aws configure list-profiles") from error
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
        raise SlipwayError(
            f"boto3's configuration is wrong: {error}",
            where=location,
            fix="correct ~/.aws/config or the AWS_… variables",
        ) from error
    return client, bucket, prefix


def open_s3_reader(location: str, profile: str | None = None) -> S3Reader:
    """Return the store at ``s3://bucket[/prefix]``. Nothing is sent before it is read.

    Raises:
        SlipwayError: no bucket is named, or boto3's configuration is wrong.
    """
    return S3Reader(*client_of(location, profile))


def _is_utf8(key: str) -> bool:
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True
