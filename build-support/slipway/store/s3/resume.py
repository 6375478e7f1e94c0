"""Which unfinished upload is ours to go on with after a cut, and which ones nobody needs.

S3 lists unfinished uploads by their keys, without the metadata that says whose bytes they hold, and
an upload that another machine is still sending looks as one that was cut off. So whoever sends keeps
a note in the user's cache, under a lock that ends with the process: a note whose lock is free is of
an upload that was cut off. Its parts are S3's to tell.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from slipway.files import cache_dir, written_aside
from slipway.store.s3.errors import DENIED, LACKING, NO_UPLOAD, code_of
from slipway.store.s3.multipart import Part, Upload
from slipway.store.s3.reader import Address

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OLD_NOTE = timedelta(days=7)  # S3's own cleaning, where there is one, is not later


class Note:
    """What is remembered of an upload of certain bytes, in the file ``path`` if there is one."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def write(self, upload: Upload) -> None:
        """Remember ``upload``."""
        if self._path is not None:
            with written_aside(self._path) as made:
                made.write_text(json.dumps({"id": upload.id, "writer": upload.writer}))

    def forget(self) -> None:
        """There is nothing to go on with."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def resume(self, at: Address) -> tuple[Upload, dict[int, Part]] | None:
        """The upload that was cut off, and the parts of it that S3 has, if there is one.

        A server that lists no parts, or may not for us, is as one that has none.
        """
        try:
            said = json.loads(self._path.read_bytes()) if self._path else {}
            upload = Upload(*at, said["id"], said["writer"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        try:
            return upload, upload.parts()
        except ClientError as error:
            if code_of(error) not in NO_UPLOAD | DENIED | LACKING:
                raise
            self.forget()
            return None


@contextlib.contextmanager
def noted(*what: object) -> Iterator[Note]:
    """The note of an upload that ``what`` tells from every other.

    While another process of this machine sends the same, or where there is no room for a cache, it
    is a note that remembers nothing.
    """
    from filelock import FileLock, Timeout

    name = hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]
    try:
        folder = cache_dir("uploads")
        _forget_old(folder)
        lock = FileLock(folder / f"{name}.lock", timeout=0)
        lock.acquire()
    except (Timeout, OSError):
        yield Note(None)
        return
    try:
        yield Note(folder / f"{name}.json")
    finally:
        lock.release()


def abandoned(
    client: S3Client, bucket: str, prefix: str, older_than: timedelta
) -> Iterator[Upload]:
    """The unfinished uploads of keys that begin with ``prefix``, to which nothing was added since."""
    before = datetime.now(UTC) - older_than
    pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for each in page.get("Uploads", ()):
            upload = Upload(client, bucket, each["Key"], each["UploadId"], "")
            if each["Initiated"] < before and _last(upload) < before:
                yield upload


def _last(upload: Upload) -> datetime:
    """When its newest part arrived."""
    try:
        times = [part.when for part in upload.parts().values() if part.when]
    except ClientError as error:
        if code_of(error) not in NO_UPLOAD:
            raise
        return datetime.max.replace(tzinfo=UTC)  # it has just ended
    return max(times, default=datetime.min.replace(tzinfo=UTC))


def _forget_old(folder: Path) -> None:
    before = time.time() - OLD_NOTE.total_seconds()
    for note in folder.glob("*.json"):
        with contextlib.suppress(FileNotFoundError):  # its upload has just ended
            if note.stat().st_mtime < before:
                note.unlink()
