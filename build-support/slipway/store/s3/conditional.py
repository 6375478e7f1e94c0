"""Create or replace a key in S3 by conditional requests, so that nobody's bytes are overwritten.

A response can be lost after S3 has done what was asked. boto3 then repeats the request, and S3
refuses it because the key exists. So every object records in its metadata which calls wrote it.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

from slipway.aws import error_code
from slipway.errors import SlipwayError
from slipway.store.interface import Progress, S3Location, changed
from slipway.store.s3.errors import ABSENT, CONFLICT, NO_UPLOAD, UNMET
from slipway.store.s3.multipart import (
    PART,
    Part,
    Upload,
    checksum,
    part_size,
    run_parallel,
    start_upload,
)
from slipway.store.s3.reader import DIGEST, head

WRITERS = "writers"  # in an object's metadata
MAX_WRITERS = 20  # metadata may have 2 KB (S3 User Guide, "Working with object metadata")
ATTEMPTS = 10
IF_ABSENT = {"IfNoneMatch": "*"}


@dataclass(frozen=True)
class WriteTarget:
    """A key to write. ``options`` are request parameters that say how its object is stored;
    ``part`` is the smallest size of a part in bytes."""

    at: S3Location
    options: Mapping[str, Any]
    part: int = PART

    def writers(self) -> list[str] | None:
        """Return the calls that wrote the current object, newest last; ``None`` without one."""
        response = head(self.at)
        return None if response is None else response["Metadata"].get(WRITERS, "").split()


@dataclass(frozen=True)
class Content:
    """Bytes to write: ``size`` of them, with the SHA-256 ``sha256``. ``name`` says where they come
    from; ``open`` reads them from the start."""

    open: Callable[[], AbstractContextManager[BinaryIO]]
    size: int
    sha256: str
    name: str


def put_if_absent(target: WriteTarget, data: bytes) -> bool:
    """Create the key with ``data`` in one request; return whether this call created it."""
    return _put(target, data, IF_ABSENT, ())


def replace(target: WriteTarget, data: bytes, etag: str, writers: Sequence[str]) -> bool:
    """Replace the object that has ``etag`` by ``data``; return whether this call replaced it.

    ``writers`` wrote the current object. They stay in the metadata: a call whose response was lost
    recognizes its own write even after somebody else has replaced it.
    """
    return _put(target, data, {"IfMatch": etag}, writers)


def create(target: WriteTarget, content: Content, progress: Progress | None = None) -> bool:
    """Create the key from ``content`` of any size; return whether this call created it.

    Raises:
        SlipwayError: the bytes have another SHA-256. The key was never visible.
    """
    if content.size > target.part:
        size = part_size(content.size, target.part)
        return create_by_upload(
            target, content.sha256, lambda upload: _send(upload, content, size, progress)
        )
    with content.open() as stream:
        data = _read_block(stream, target.part + 1)
    if (digest := hashlib.sha256(data).hexdigest()) != content.sha256:
        raise changed(content.name, digest, content.sha256)
    created = put_if_absent(target, data)
    if progress:
        progress(len(data))
    return created


def create_by_upload(
    target: WriteTarget, sha256: str, send: Callable[[Upload], list[Part]]
) -> bool:
    """Create the key by a multipart upload; return whether this call created it.

    ``send`` sends all parts of an upload whose bytes have the SHA-256 ``sha256``. If it raises,
    the upload is aborted. If somebody else ended the upload meanwhile, another one is started.
    """
    for _ in attempts():
        writer = secrets.token_hex(8)
        metadata = {DIGEST: sha256, WRITERS: writer}
        upload = start_upload(*target.at, writer, metadata, target.options)
        try:
            created = _complete(target, upload, send(upload))
        except BaseException as error:
            upload.abort()
            if isinstance(error, ClientError) and error_code(error) in NO_UPLOAD:
                continue
            raise
        if created is not None:
            return created
    raise contended(target)


def _put(
    target: WriteTarget, data: bytes, condition: Mapping[str, Any], writers: Sequence[str]
) -> bool:
    writer = secrets.token_hex(8)
    metadata = {
        DIGEST: hashlib.sha256(data).hexdigest(),
        WRITERS: " ".join([*writers, writer][-MAX_WRITERS:]),
    }
    for _ in attempts():
        try:
            target.at.client.put_object(
                Bucket=target.at.bucket,
                Key=target.at.key,
                Body=data,
                Metadata=metadata,
                ChecksumSHA256=checksum(data),
                **condition,
                **target.options,
            )
            return True
        except ClientError as error:
            if error_code(error) in CONFLICT:
                continue
            if error_code(error) not in UNMET | ABSENT:
                raise
            current = target.writers()
            if current is not None:
                return writer in current
            if "IfMatch" in condition:
                return False
            # the object that was in the way has just been removed
    raise contended(target)


def _complete(target: WriteTarget, upload: Upload, parts: Sequence[Part]) -> bool | None:
    """Make the object visible; return whether this call did, ``None`` to start another upload."""
    try:
        upload.complete(parts)
        return True
    except ClientError as error:
        # after a conflict S3 wants the parts once more (API reference, CompleteMultipartUpload)
        if error_code(error) not in UNMET | CONFLICT | NO_UPLOAD | ABSENT | {"InvalidPart"}:
            raise
    current = target.writers()
    if current is not None and upload.writer in current:
        return True
    upload.abort()
    return None if current is None else False


def _send(upload: Upload, content: Content, size: int, progress: Progress | None) -> list[Part]:
    """Send all of ``content`` in parts of ``size`` bytes. The bytes are read once."""
    digest = hashlib.sha256()

    def send_part(number: int, data: bytes) -> Part:
        part = upload.send(number, data)
        if progress:
            progress(len(data))
        return part

    def jobs(stream: BinaryIO) -> Iterator[Callable[[], Part]]:
        for number in itertools.count(1):
            data = _read_block(stream, size)
            if not data:
                return
            yield partial(send_part, number, data)
            digest.update(data)  # while the others send

    with content.open() as stream:
        parts = run_parallel(jobs(stream))
    if digest.hexdigest() != content.sha256:
        raise changed(content.name, digest.hexdigest(), content.sha256)
    return parts


def _read_block(stream: BinaryIO, size: int) -> bytes:
    """Read the next ``size`` bytes; fewer only at the end."""
    pieces: list[bytes] = []
    while size > 0 and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def attempts() -> Iterator[None]:
    """Yield for each attempt; the pauses between them grow."""
    for number in range(ATTEMPTS):
        yield
        time.sleep(random.random() * min(2.0, 0.05 * 2**number))


def contended(target: WriteTarget) -> SlipwayError:
    """Return the error for a key that others kept changing."""
    return SlipwayError(
        "conflicting writers: the key kept changing", where=str(target.at), fix="try again"
    )
