"""Write to a release store in S3: every key is created or replaced by a conditional request."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from botocore.exceptions import ClientError

from slipway.aws import error_code
from slipway.errors import SlipwayError
from slipway.settings import StageSettings
from slipway.store.interface import ABANDONED, SETTING, Progress, Reader, absent
from slipway.store.s3 import conditional, known_servers
from slipway.store.s3.conditional import WRITERS, Content, WriteTarget
from slipway.store.s3.conditions import find_broken_condition
from slipway.store.s3.copy import copy_object, is_reachable
from slipway.store.s3.errors import ABSENT, CONFLICT, LACKING, UNMET, was_retried
from slipway.store.s3.multipart import PART, abandoned_uploads
from slipway.store.s3.reader import S3Reader, connect, get_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Store(S3Reader):
    """A :class:`~slipway.store.interface.Store` of the keys below ``prefix`` in ``bucket``.

    Files larger than ``part`` bytes are sent in parts of at least that size.
    """

    def __init__(
        self, client: S3Client, bucket: str, prefix: str, settings: StageSettings, part: int = PART
    ) -> None:
        super().__init__(client, bucket, prefix)
        self._options = _request_options(settings)
        self._part = part
        self._keeps_conditions = False

    def create_file(
        self, key: str, source: Path, sha256: str, progress: Progress | None = None
    ) -> bool:
        """See :class:`~slipway.store.interface.Store`; an upload that fails is aborted."""
        content = Content(lambda: source.open("rb"), source.stat().st_size, sha256, str(source))
        return self._create(key, content, progress)

    def copy(self, source: Reader, source_key: str, key: str, sha256: str) -> bool:
        """See :class:`~slipway.store.interface.Store`; made with this store's credentials."""
        stat = source.stat(source_key)
        if stat is None:
            raise absent(source_key)
        if self.stat(key) is not None:
            return False
        location, target = source.s3_location(source_key), self._target(key)
        if location is not None and is_reachable(location, target):
            with self._translate_errors(key):
                created = copy_object(location, target, sha256)
            if created is not None:
                return created
        content = Content(lambda: source.open(source_key), stat.size, sha256, source_key)
        return self._create(key, content, None)

    def create(self, key: str, data: bytes) -> bool:
        """See :class:`~slipway.store.interface.Store`."""
        with self._translate_errors(key):
            return conditional.put_if_absent(self._target(key), data)

    def delete(self, key: str) -> bool:
        """See :class:`~slipway.store.interface.Store`; of several callers at once, only one gets
        ``True``."""
        while (stat := self.stat(key)) is not None:
            if self._delete_version(key, f'"{stat.version}"'):
                return True
        return False

    def delete_unchanged(self, key: str, expected: bytes) -> bool:
        """See :class:`~slipway.store.interface.Store`; bytes and ETag come in one response."""
        while True:
            with self._translate_errors(key):
                result = get_object(self.s3_location(key))
            if result is None or result[0] != expected:
                return False
            if self._delete_version(key, result[1]["ETag"]):
                return True

    def clean(self, prefix: str, older_than: timedelta = ABANDONED) -> int:
        """See :class:`~slipway.store.interface.Store`."""
        with self._translate_errors(prefix):
            uploads = list(
                abandoned_uploads(self._client, self._bucket, self._key(prefix), older_than)
            )
            for upload in uploads:
                upload.abort()
        return len(uploads)

    def swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        """See :class:`~slipway.store.interface.Store`; bytes and ETag come in one response."""
        if expected is None:
            return self.create(key, data)
        with self._translate_errors(key):
            result = get_object(self.s3_location(key))
            if result is None or result[0] != expected:
                return False
            response = result[1]
            writers = response["Metadata"].get(WRITERS, "").split()
            return conditional.replace(self._target(key), data, response["ETag"], writers)

    def require_conditional_writes(self, key: str, *, again: bool = False) -> None:
        """See :class:`~slipway.store.interface.Store`."""
        server = self._client.meta.endpoint_url.rstrip("/")
        if not again and (self._keeps_conditions or known_servers.is_known(server, self._bucket)):
            self._keeps_conditions = True
            return
        with self._translate_errors(key):
            broken = find_broken_condition(self._target(key))
        if broken is not None:
            raise SlipwayError(
                f"the server {server} cannot hold releases: {broken}",
                where=f"s3://{self._bucket}/{self._prefix}",
                fix="use a server that keeps conditional writes, as AWS does, or a folder:"
                f" {SETTING}",
            )
        known_servers.remember(server, self._bucket)
        self._keeps_conditions = True

    def _delete_version(self, key: str, etag: str) -> bool:
        """Remove ``key`` if its object has ``etag``; return whether this call did."""
        request: Any = {"Bucket": self._bucket, "Key": self._key(key)}
        with self._translate_errors(key):
            try:
                self._client.delete_object(**request, IfMatch=etag)
                return True
            except ClientError as error:
                if error_code(error) in LACKING:
                    self._client.delete_object(**request)
                    return True
                if error_code(error) in ABSENT and was_retried(error):
                    return True  # it existed, and the first response was lost
                if error_code(error) not in UNMET | CONFLICT | ABSENT:
                    raise
        return False

    def _create(self, key: str, content: Content, progress: Progress | None) -> bool:
        if self.stat(key) is not None:
            return False
        with self._translate_errors(key):
            return conditional.create(self._target(key), content, progress)

    def _target(self, key: str) -> WriteTarget:
        return WriteTarget(self.s3_location(key), self._options, self._part)


def open_s3(settings: StageSettings) -> S3Store:
    """Open the store of ``settings``. Nothing is sent before it is read or written.

    Raises:
        SlipwayError: no bucket is named, or boto3's configuration is wrong.
    """
    client, bucket, prefix = connect(settings.store, settings.profile)
    return S3Store(client, bucket, prefix, settings)


def _request_options(settings: StageSettings) -> dict[str, Any]:
    """Return the request parameters that say how the stage's objects are stored."""
    options: dict[str, Any] = {}
    if settings.kms_key:
        options |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": settings.kms_key}
    if settings.tags:
        options["Tagging"] = urlencode(settings.tags)
    return options
