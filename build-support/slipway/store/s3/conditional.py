"""A key in S3 is created once: by one conditional request, or by many and a conditional last one.

An answer can be lost after S3 has done what was asked; boto3 then asks again, and hears that the key
is taken, by itself. So every object says in its metadata which call wrote it.
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

from slipway.errors import SlipwayError
from slipway.store.interface import Progress, changed
from slipway.store.s3.errors import ABSENT, CONFLICT, NO_UPLOAD, UNMET, code_of
from slipway.store.s3.multipart import PART, Part, Upload, begin, checksum, part_size, side_by_side
from slipway.store.s3.reader import Address, head
from slipway.store.s3.resume import noted

DIGEST, WRITERS = "sha256", "writers"  # in an object's metadata
KEPT_WRITERS = 20  # metadata may have 2 KB (S3 User Guide, "Working with object metadata")
ATTEMPTS = 10
NOBODY = {"IfNoneMatch": "*"}


@dataclass(frozen=True)
class Target:
    """A key to be written, and how its object is kept: ``options`` of the request. ``part`` is how
    many bytes are sent at once, at least."""

    at: Address
    options: Mapping[str, Any]
    part: int = PART

    def writers(self) -> list[str] | None:
        """Which calls wrote the object that is there, the last ones; ``None`` if there is none."""
        found = head(self.at)
        return None if found is None else found["Metadata"].get(WRITERS, "").split()


@dataclass(frozen=True)
class Content:
    """Bytes to be written: ``size`` of them, if their SHA-256 is ``sha256``. ``name`` is where
    they are from; ``open`` reads them from the start."""

    open: Callable[[], AbstractContextManager[BinaryIO]]
    size: int
    sha256: str
    name: str


def put(
    target: Target,
    data: bytes,
    condition: Mapping[str, Any] = NOBODY,
    before: Sequence[str] = (),
) -> bool:
    """Write ``data`` in one request if ``condition`` holds; whether this call did.

    ``before`` are the writers of what is replaced. They stay in the metadata: a call whose answer
    was lost still finds itself after another has written on top of it.
    """
    writer = secrets.token_hex(8)
    written = {
        DIGEST: hashlib.sha256(data).hexdigest(),
        WRITERS: " ".join([*before, writer][-KEPT_WRITERS:]),
    }
    for _ in _attempts(target):
        try:
            target.at.client.put_object(
                Bucket=target.at.bucket,
                Key=target.at.key,
                Body=data,
                Metadata=written,
                ChecksumSHA256=checksum(data),
                **condition,
                **target.options,
            )
            return True
        except ClientError as error:
            if code_of(error) in CONFLICT:
                continue
            if code_of(error) not in UNMET | ABSENT:
                raise
            there = target.writers()
            if there is not None:
                return writer in there
            if "IfMatch" in condition:
                return False
            # what was there has just been removed
    raise _busy(target)


def create(target: Target, content: Content, progress: Progress | None = None) -> bool:
    """Create the key from ``content``, whatever its size; whether this call did.

    An upload in parts that is cut off is gone on with by the next call, on this machine.

    Raises:
        SlipwayError: the bytes have another SHA-256. Nothing was visible under the key.
    """
    if content.size > target.part:
        return _create_in_parts(target, content, progress)
    with content.open() as stream:
        data = _read(stream, target.part + 1)
    if (found := hashlib.sha256(data).hexdigest()) != content.sha256:
        raise changed(content.name, found, content.sha256)
    created = put(target, data)
    if progress:
        progress(len(data))
    return created


def begun(target: Target, sha256: str) -> Upload:
    """A new upload of bytes whose SHA-256 will be ``sha256``."""
    writer = secrets.token_hex(8)
    metadata = {DIGEST: sha256, WRITERS: writer}
    return begin(*target.at, writer, metadata, target.options)


def finished(target: Target, upload: Upload, parts: Sequence[Part]) -> bool | None:
    """Make the object visible; whether this call did, ``None`` if it has to begin anew.

    The parts are gone afterwards, unless S3 refuses for a reason that may pass.
    """
    try:
        upload.complete(parts)
        return True
    except ClientError as error:
        # after a conflict S3 wants the parts once more (API reference, CompleteMultipartUpload)
        if code_of(error) not in UNMET | CONFLICT | NO_UPLOAD | ABSENT | {"InvalidPart"}:
            raise
    there = target.writers()
    if there is not None and upload.writer in there:
        return True
    upload.abort()
    return None if there is None else False


def anew(target: Target, once: Callable[[], bool | None]) -> bool:
    """What ``once`` answers, when it does."""
    for _ in _attempts(target):
        if (answer := once()) is not None:
            return answer
    raise _busy(target)


def _create_in_parts(target: Target, content: Content, progress: Progress | None) -> bool:
    at, size = target.at, part_size(content.size, target.part)
    place = at.client.meta.endpoint_url, at.bucket, at.key
    with noted(*place, content.sha256, size, dict(target.options)) as note:

        def once() -> bool | None:
            upload, there = note.resume(at) or (begun(target, content.sha256), {})
            note.write(upload)
            try:
                parts = _send(upload, there, content, size, progress)
            except ClientError as error:
                if code_of(error) not in NO_UPLOAD:
                    raise  # the parts stay, to go on with
                parts = []  # somebody cleaned it away
            except SlipwayError:
                upload.abort()
                note.forget()
                raise
            answer = finished(target, upload, parts) if parts else None
            note.forget()
            return answer

        return anew(target, once)


def _send(
    upload: Upload,
    there: Mapping[int, Part],
    content: Content,
    size: int,
    progress: Progress | None,
) -> list[Part]:
    """Send the parts that are not ``there``. The bytes are read once."""
    digest = hashlib.sha256()

    def one(number: int, data: bytes) -> Part:
        known = there.get(number)
        if known and (known.size, known.sha256) == (len(data), checksum(data)):
            part = known
        else:
            part = upload.send(number, data)
        if progress:
            progress(len(data))
        return part

    def jobs(stream: BinaryIO) -> Iterator[Callable[[], Part]]:
        for number in itertools.count(1):
            data = _read(stream, size)
            if not data:
                return
            yield partial(one, number, data)
            digest.update(data)  # while the others send

    with content.open() as stream:
        parts = side_by_side(jobs(stream))
    if digest.hexdigest() != content.sha256:
        raise changed(content.name, digest.hexdigest(), content.sha256)
    return parts


def _read(stream: BinaryIO, size: int) -> bytes:
    """The next ``size`` bytes; fewer at the end only."""
    pieces: list[bytes] = []
    while size > 0 and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _attempts(target: Target) -> Iterator[None]:
    """As often as others may get in the way, each time after a longer pause."""
    for number in range(ATTEMPTS):
        yield
        time.sleep(random.random() * min(2.0, 0.05 * 2**number))


def _busy(target: Target) -> SlipwayError:
    return SlipwayError(
        "others write the same key again and again", where=str(target.at), fix="try again"
    )
