"""Where complete capture files go: a folder, or a bucket by way of this machine's disk."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from slipway.capture.location import CaptureLocation
from slipway.errors import SlipwayError
from slipway.files import cache_dir

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PRIVATE = 0o700
SPOOL = ".spool"
READY = ".ready"
BACKOFF_S = 15.0  # between attempts to reach a bucket
CONNECT_S, READ_S, ATTEMPTS = 5, 30, 2

log = logging.getLogger(__name__)


class Sink(Protocol):
    """The place of complete files. ``spool`` is where lines are kept until they are such a file."""

    spool: Path

    def deliver(self, path: Path, key: str) -> None:
        """Take the complete file at ``path``, to be at ``key`` below the location.

        Raises:
            OSError: it was not taken.
        """
        ...

    def waiting(self) -> int:
        """Return the bytes that wait on this machine's disk to be sent."""
        ...

    def close(self, timeout_s: float) -> None:
        """Send what waits; what cannot be sent within ``timeout_s`` stays for the next writer."""
        ...


class FolderSink:
    """Files below a folder, readable by its owner alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.spool = folder / SPOOL
        make_private(folder)

    def deliver(self, path: Path, key: str) -> None:
        """See :class:`Sink`: the file gets its name in one step."""
        target = self._folder / key
        make_private(target.parent)
        path.rename(target)

    def waiting(self) -> int:
        """See :class:`Sink`."""
        return 0

    def close(self, timeout_s: float) -> None:
        """See :class:`Sink`."""


class S3Sink:
    """Objects in a bucket. Files wait in a folder of this machine until S3 has confirmed them."""

    def __init__(self, location: CaptureLocation) -> None:
        self._location = location
        self._client = connect(location)
        name = hashlib.sha256(str(location).encode()).hexdigest()[:16]
        self.spool = cache_dir("capture") / name
        self._ready = self.spool / READY
        make_private(self._ready)
        self._wake, self._closed = threading.Event(), threading.Event()
        self._failed = False
        self._thread = threading.Thread(target=self._run, name="slipway-upload", daemon=True)
        self._thread.start()

    def deliver(self, path: Path, key: str) -> None:
        """See :class:`Sink`."""
        target = self._ready / key
        make_private(target.parent)
        path.rename(target)
        self._wake.set()

    def waiting(self) -> int:
        """See :class:`Sink`."""
        total = 0
        for file in self._files():
            with contextlib.suppress(OSError):
                total += file.stat().st_size
        return total

    def close(self, timeout_s: float) -> None:
        """See :class:`Sink`."""
        self._closed.set()
        self._wake.set()
        self._thread.join(timeout_s)
        if left := len(self._files()):
            log.warning(
                "%d capture files were not sent to %s; the next start sends them from %s",
                left,
                self._location,
                self._ready,
            )

    def _files(self) -> list[Path]:
        return sorted(path for path in self._ready.rglob("*") if path.is_file())

    def _run(self) -> None:
        while True:
            last = self._closed.is_set()  # before: what comes while files are sent is sent, too
            self._send_all()
            if last:
                return
            if self._closed.is_set():
                continue
            if self._failed:
                self._closed.wait(BACKOFF_S)
            else:
                self._wake.wait()
                self._wake.clear()

    def _send_all(self) -> None:
        """Send every file that waits; end at the first that S3 does not take."""
        for file in self._files():
            key = file.relative_to(self._ready).as_posix()
            try:
                data = file.read_bytes()
            except FileNotFoundError:
                continue  # another writer has sent it
            try:
                put(self._client, self._location, key, data)
            except SlipwayError as error:
                if not self._failed:  # once, not at every attempt
                    log.warning("captures wait on this machine, in %s: %s", self._ready, error)
                self._failed = True
                return
            self._failed = False
            file.unlink(missing_ok=True)


def open_sink(location: CaptureLocation) -> Sink:
    """Return the sink of a location.

    Raises:
        SlipwayError: the folder cannot be created, or boto3's configuration is wrong.
    """
    if location.bucket:
        return S3Sink(location)
    assert location.folder is not None
    try:
        return FolderSink(location.folder)
    except OSError as error:
        raise SlipwayError(
            f"captures cannot be written: {error.strerror}",
            where=str(location.folder),
            fix="let your user write there, or choose another folder with --capture",
        ) from error


def put(client: S3Client, location: CaptureLocation, key: str, data: bytes) -> None:
    """Write an object; the same key again replaces it by the same bytes.

    Raises:
        SlipwayError: S3 was not reached, or refused.
    """
    from slipway.store.s3.errors import translate_errors

    assert location.bucket is not None
    options: dict[str, Any] = {}
    if location.kms_key:
        options = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": location.kms_key}
    full = location.prefix + key
    with translate_errors(location.bucket, f"s3://{location.bucket}/{full}"):
        client.put_object(
            Bucket=location.bucket,
            Key=full,
            Body=data,
            ContentType="application/json" if key.endswith(".json") else "application/jsonlines",
            **options,
        )


def connect(location: CaptureLocation) -> S3Client:
    """Return a client of S3 that gives up early: what cannot be sent waits on the disk.

    Raises:
        SlipwayError: boto3's configuration is wrong.
    """
    import boto3
    from botocore.config import Config

    from slipway.aws import NOT_CONFIGURED, not_configured

    config = Config(
        connect_timeout=CONNECT_S, read_timeout=READ_S, retries={"total_max_attempts": ATTEMPTS}
    )
    try:
        return boto3.session.Session(profile_name=location.profile).client("s3", config=config)
    except NOT_CONFIGURED as error:
        raise not_configured(error, str(location)) from error


def make_private(folder: Path) -> None:
    """Create a folder, and those above it that are missing, for their owner alone."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, PRIVATE)
