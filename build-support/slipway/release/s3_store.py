"""A release store in S3, written to: every key is created by a conditional request."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from slipway.release.s3 import S3Reader, client_of, error_code
from slipway.release.store import ABANDONED, Progress, Reader, changed
from slipway.settings import StageSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TAKEN = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


class S3Store(S3Reader):
    """A :class:`~slipway.release.store.Store` of the keys below ``prefix`` in ``bucket``."""

    def __init__(self, client: S3Client, bucket: str, prefix: str, settings: StageSettings) -> None:
        super().__init__(client, bucket, prefix)
        self._settings = settings

    def create_file(
        self, key: str, source: Path, sha256: str, progress: Progress | None = None
    ) -> bool:
        """See :class:`~slipway.release.store.Store`."""
        data = source.read_bytes()
        found = hashlib.sha256(data).hexdigest()
        if found != sha256:
            raise changed(str(source), found, sha256)
        return self.create(key, data)

    def copy(self, source: Reader, source_key: str, key: str, sha256: str) -> bool:
        """See :class:`~slipway.release.store.Store`."""
        with source.open(source_key) as stream:
            data = stream.read()
        found = hashlib.sha256(data).hexdigest()
        if found != sha256:
            raise changed(source_key, found, sha256)
        return self.create(key, data)

    def create(self, key: str, data: bytes) -> bool:
        """See :class:`~slipway.release.store.Store`."""
        with self._told(key):
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=self._key(key),
                    Body=data,
                    IfNoneMatch="*",
                    ChecksumSHA256=base64.b64encode(hashlib.sha256(data).digest()).decode(),
                )
            except ClientError as error:
                if error_code(error) in TAKEN:
                    return False
                raise
            return True

    def digest(self, key: str) -> str | None:
        """See :class:`~slipway.release.store.Store`."""
        data = self.read(key)
        return None if data is None else hashlib.sha256(data).hexdigest()

    def delete(self, key: str) -> bool:
        """See :class:`~slipway.release.store.Store`."""
        if self.stat(key) is None:
            return False
        with self._told(key):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(key))
        return True

    def clean(self, older_than: timedelta = ABANDONED) -> int:
        """See :class:`~slipway.release.store.Store`."""
        return 0

    def swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        """See :class:`~slipway.release.store.Store`."""
        if expected is None:
            return self.create(key, data)
        stat = self.stat(key)
        if stat is None or self.read(key) != expected:
            return False
        with self._told(key):
            try:
                self._client.put_object(
                    Bucket=self._bucket, Key=self._key(key), Body=data, IfMatch=stat.version
                )
            except ClientError as error:
                if error_code(error) in TAKEN:
                    return False
                raise
            return True


def open_s3(settings: StageSettings) -> S3Store:
    """The store that ``settings`` name. Nothing is sent before it is read or written.

    Raises:
        SlipwayError: no bucket is named, or boto3's configuration is wrong.
    """
    client, bucket, prefix = client_of(settings.store, settings.profile)
    return S3Store(client, bucket, prefix, settings)
