"""A release store in S3, read through boto3 with boto3's own configuration: its variables (such
as ``AWS_PROFILE``, ``AWS_ENDPOINT_URL_S3``), files and roles."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from slipway.errors import SlipwayError
from slipway.release.store import PLACE, Stat

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# a status where there is no body with a code
ABSENT = {"NoSuchKey", "KeyTooLongError", "404"}
DENIED = {"AccessDenied", "403", "AllAccessDisabled"}
WRONG_CREDENTIALS = {
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "TokenRefreshRequired",
}
NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    SSOError,
    TokenRetrievalError,
)
LONGEST_KEY = 1024  # bytes (S3 User Guide, "Naming Amazon S3 objects")


class S3Reader:
    """A :class:`~slipway.release.store.Reader` of the keys below ``prefix`` in ``bucket``."""

    def __init__(self, client: S3Client, bucket: str, prefix: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    def read(self, key: str) -> bytes | None:
        """See :class:`~slipway.release.store.Reader`."""
        with self._told(key):
            try:
                return self._client.get_object(Bucket=self._bucket, Key=self._key(key))[
                    "Body"
                ].read()
            except ClientError as error:
                if error_code(error) in ABSENT:
                    return None
                raise

    def stat(self, key: str) -> Stat | None:
        """See :class:`~slipway.release.store.Reader`; the version is the object's ETag."""
        if len(self._key(key).encode()) > LONGEST_KEY:
            return None  # a HEAD request would not tell this from other mistakes
        with self._told(key):
            try:
                head = self._client.head_object(Bucket=self._bucket, Key=self._key(key))
            except ClientError as error:
                # a HEAD request is answered without a body: a listing says what is wrong
                self._client.list_objects_v2(Bucket=self._bucket, MaxKeys=1)
                if error_code(error) in ABSENT:
                    return None
                raise
            return Stat(head["ContentLength"], head["ETag"].strip('"'))

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """See :class:`~slipway.release.store.Reader`."""
        with self._told(key):
            body = self._client.get_object(Bucket=self._bucket, Key=self._key(key))["Body"]
            with contextlib.closing(body):
                yield cast(BinaryIO, body)

    def keys(self, prefix: str) -> list[str]:
        """See :class:`~slipway.release.store.Reader`."""
        found: list[str] = []
        with self._told(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._key(prefix)
            )
            for page in pages:
                found += [item["Key"] for item in page.get("Contents", ())]
        # the console makes a "folder" by an empty object whose key ends in a slash
        return sorted(key.removeprefix(self._prefix) for key in found if not key.endswith("/"))

    def _key(self, key: str) -> str:
        if key.startswith("/") or ".." in key.split("/") or "\0" in key or not _is_utf8(key):
            raise SlipwayError(
                f"the key {key!r:.200} leads out of the store",
                where=f"s3://{self._bucket}/{self._prefix}",
                fix="a key is a path without '..'",
            )
        return self._prefix + key

    @contextlib.contextmanager
    def _told(self, key: str) -> Iterator[None]:
        """Say what S3 refused as its reader can mend it."""
        where = f"s3://{self._bucket}/{self._prefix}{key}"
        try:
            yield
        except ClientError as error:
            raise _refused(error, self._bucket, where) from error
        except NO_CREDENTIALS as error:
            raise SlipwayError(
                f"no AWS credentials: {error}",
                where=where,
                fix="aws configure, or aws sso login, or set AWS_PROFILE",
            ) from error
        except ParamValidationError as error:
            raise SlipwayError(str(error), where=where, fix=f"correct {PLACE}") from error
        except BotoCoreError as error:
            raise SlipwayError(
                f"S3 was not reached, or broke off: {error}",
                where=where,
                fix="check the network, and AWS_ENDPOINT_URL_S3 if it is set; then try again",
            ) from error


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


def _is_utf8(key: str) -> bool:
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True


def error_code(error: ClientError) -> str:
    """S3's word for what it refused, or a status where there is no body."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _refused(error: ClientError, bucket: str, where: str) -> SlipwayError:
    code = error_code(error)
    said = str(error.response.get("Error", {}).get("Message", "")) or str(error)
    if code == "NoSuchBucket":
        return SlipwayError(
            f"no bucket {bucket!r}", where=where, fix="aws s3 ls names the buckets that you can see"
        )
    if code in ABSENT:
        return SlipwayError(
            "no such key in the release store", where=where, fix="slipway describe <name>"
        )
    if code in WRONG_CREDENTIALS:
        return SlipwayError(
            f"AWS refuses the credentials: {said}",
            where=where,
            fix="aws sts get-caller-identity shows whose they are; renew them",
        )
    if code in DENIED:
        return SlipwayError(
            f"access denied ({said})",
            where=where,
            fix="allow s3:GetObject on the objects and s3:ListBucket on the bucket, without"
            " which S3 denies what is not there, too",
        )
    return SlipwayError(f"S3 answers {code}: {said}", where=where, fix="try again")
