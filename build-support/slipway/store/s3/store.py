"""A release store in S3, written to: every key is created or replaced by a conditional request."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from botocore.exceptions import ClientError

from slipway.errors import SlipwayError
from slipway.settings import StageSettings
from slipway.store.interface import ABANDONED, Progress, Reader
from slipway.store.s3 import conditional, resume
from slipway.store.s3 import copy as s3_copy
from slipway.store.s3.conditional import DIGEST, WRITERS, Content, Target
from slipway.store.s3.errors import ABSENT, CONFLICT, LACKING, UNMET, code_of, retried
from slipway.store.s3.multipart import PART
from slipway.store.s3.reader import S3Reader, client_of, fetch, head

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHUNK = 1 << 20


class S3Store(S3Reader):
    """A :class:`~slipway.store.interface.Store` of the keys below ``prefix`` in ``bucket``.

    Files larger than ``part`` bytes are sent in parts of that size, at least.
    """

    def __init__(
        self, client: S3Client, bucket: str, prefix: str, settings: StageSettings, part: int = PART
    ) -> None:
        super().__init__(client, bucket, prefix)
        self._options = _options(settings)
        self._part = part

    def create_file(
        self, key: str, source: Path, sha256: str, progress: Progress | None = None
    ) -> bool:
        """See :class:`~slipway.store.interface.Store`; what was cut off is gone on with."""
        content = Content(lambda: source.open("rb"), source.stat().st_size, sha256, str(source))
        return self._create(key, content, progress)

    def copy(self, source: Reader, source_key: str, key: str, sha256: str) -> bool:
        """See :class:`~slipway.store.interface.Store`; made with this store's credentials."""
        found = source.stat(source_key)
        if found is None:
            raise SlipwayError(
                "no such key in the release store", where=source_key, fix="slipway describe <name>"
            )
        if self.stat(key) is not None:
            return False
        if isinstance(source, S3Reader):
            there, target = source.address(source_key), self._target(key)
            if s3_copy.reaches(there, target):
                with self._told(key):
                    created = s3_copy.copy(there, target, sha256)
                if created is not None:
                    return created
        content = Content(lambda: source.open(source_key), found.size, sha256, source_key)
        return self._create(key, content, None)

    def create(self, key: str, data: bytes) -> bool:
        """See :class:`~slipway.store.interface.Store`."""
        with self._told(key):
            return conditional.put(self._target(key), data)

    def digest(self, key: str) -> str | None:
        """See :class:`~slipway.store.interface.Store`; as it was when the key was written. What
        others put there is read."""
        with self._told(key):
            found = head(self.address(key))
        if found is None:
            return None
        if DIGEST in found["Metadata"]:
            return found["Metadata"][DIGEST]
        digest = hashlib.sha256()
        with self.open(key) as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def delete(self, key: str) -> bool:
        """See :class:`~slipway.store.interface.Store`; of several at once, one hears that it was."""
        while (found := self.stat(key)) is not None:
            named: Any = {"Bucket": self._bucket, "Key": self._key(key)}
            with self._told(key):
                try:
                    self._client.delete_object(**named, IfMatch=f'"{found.version}"')
                    return True
                except ClientError as error:
                    if code_of(error) in LACKING:
                        self._client.delete_object(**named)
                        return True
                    if code_of(error) in ABSENT and retried(error):
                        return True  # it was there, and the first answer was lost
                    if code_of(error) not in UNMET | CONFLICT | ABSENT:
                        raise
        return False

    def clean(self, prefix: str, older_than: timedelta = ABANDONED) -> int:
        """See :class:`~slipway.store.interface.Store`."""
        with self._told(prefix):
            found = list(
                resume.abandoned(self._client, self._bucket, self._key(prefix), older_than)
            )
            for upload in found:
                upload.abort()
        return len(found)

    def swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        """See :class:`~slipway.store.interface.Store`; bytes and ETag are of one answer."""
        if expected is None:
            return self.create(key, data)
        with self._told(key):
            found = fetch(self.address(key))
            if found is None or found[0] != expected:
                return False
            got = found[1]
            before = got["Metadata"].get(WRITERS, "").split()
            return conditional.put(self._target(key), data, {"IfMatch": got["ETag"]}, before)

    def _create(self, key: str, content: Content, progress: Progress | None) -> bool:
        if self.stat(key) is not None:
            return False
        with self._told(key):
            return conditional.create(self._target(key), content, progress)

    def _target(self, key: str) -> Target:
        return Target(self.address(key), self._options, self._part)


def open_s3(settings: StageSettings) -> S3Store:
    """The store that ``settings`` name. Nothing is sent before it is read or written.

    Raises:
        SlipwayError: no bucket is named, or boto3's configuration is wrong.
    """
    client, bucket, prefix = client_of(settings.store, settings.profile)
    return S3Store(client, bucket, prefix, settings)


def _options(settings: StageSettings) -> dict[str, Any]:
    """How the stage's objects are kept, as a request says it."""
    options: dict[str, Any] = {}
    if settings.kms_key:
        options |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": settings.kms_key}
    if settings.tags:
        options["Tagging"] = urlencode(settings.tags)
    return options
