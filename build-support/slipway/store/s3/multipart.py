"""One multipart upload to S3: its parts, sent side by side, and its end.

S3 keeps the SHA-256 of every part, checks each when it arrives, and all of them when the parts
become one object (S3 User Guide, "Checking object integrity": the checksum type COMPOSITE).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, CopySourceTypeDef

PART = 16 << 20  # bytes
MOST_PARTS = 10_000  # S3 User Guide, "Amazon S3 multipart upload limits"
WORKERS = 8  # below the 10 connections that boto3 keeps; with a part each, 128 MiB of memory


class Part(NamedTuple):
    """A part that S3 has. ``sha256`` is in base 64, ``None`` where the server does not keep it."""

    number: int
    etag: str
    size: int
    sha256: str | None
    when: datetime | None = None


@dataclass(frozen=True)
class Upload:
    """An upload that has begun. ``writer`` is the word in its metadata by which the object it
    becomes is known as this upload's."""

    client: S3Client
    bucket: str
    key: str
    id: str
    writer: str

    def send(self, number: int, data: bytes) -> Part:
        """Send a part; S3 refuses it if it arrives with other bytes."""
        sha256 = checksum(data)
        sent = self.client.upload_part(
            **self._named, PartNumber=number, Body=data, ChecksumSHA256=sha256
        )
        return Part(number, sent["ETag"], len(data), sha256)

    def copy(self, number: int, source: CopySourceTypeDef, etag: str, first: int, end: int) -> Part:
        """Let S3 copy the bytes from ``first`` to before ``end`` of ``source``, if it still has the
        ``etag``; an empty range is an empty object's one part."""
        if first == end:
            return self.send(number, b"")
        copied = self.client.upload_part_copy(
            **self._named,
            PartNumber=number,
            CopySource=source,
            CopySourceIfMatch=etag,
            CopySourceRange=f"bytes={first}-{end - 1}",
        )["CopyPartResult"]
        return Part(number, copied["ETag"], end - first, copied.get("ChecksumSHA256"))

    def parts(self) -> dict[int, Part]:
        """The parts that S3 has, by their number."""
        pages = self.client.get_paginator("list_parts").paginate(**self._named)
        found = [
            Part(
                each["PartNumber"],
                each["ETag"],
                each["Size"],
                each.get("ChecksumSHA256"),
                each.get("LastModified"),
            )
            for page in pages
            for each in page.get("Parts", ())
        ]
        return {part.number: part for part in found}

    def complete(self, parts: Iterable[Part]) -> None:
        """Make the object of ``parts`` visible, unless there is one under the key.

        Raises:
            ClientError: there is one; or S3 has other parts, or the upload no more.
        """
        listed = sorted(parts)
        self.client.complete_multipart_upload(
            **self._named,
            MultipartUpload={"Parts": [_named_part(part) for part in listed]},
            MpuObjectSize=sum(part.size for part in listed),
            IfNoneMatch="*",
        )

    def abort(self) -> None:
        """End it and free its parts, if S3 lets us; if not, a later cleaning does."""
        with contextlib.suppress(ClientError, BotoCoreError):
            self.client.abort_multipart_upload(**self._named)

    @property
    def _named(self) -> Any:  # each operation has a type of its own for these three
        return {"Bucket": self.bucket, "Key": self.key, "UploadId": self.id}


def begin(
    client: S3Client,
    bucket: str,
    key: str,
    writer: str,
    metadata: Mapping[str, str],
    options: Mapping[str, Any],
) -> Upload:
    """Begin an upload; ``options`` are how its object is kept, such as by which key of KMS."""
    begun = client.create_multipart_upload(
        Bucket=bucket, Key=key, Metadata=metadata, ChecksumAlgorithm="SHA256", **options
    )
    return Upload(client, bucket, key, begun["UploadId"], writer)


def part_size(size: int, least: int = PART) -> int:
    """How large the parts of ``size`` bytes are: all alike but the last. The same for all who send
    or copy these bytes, so that their parts can be compared."""
    needed = math.ceil(size / MOST_PARTS)
    return least if needed <= least else math.ceil(needed / (1 << 20)) << 20


def checksum(data: bytes) -> str:
    """A SHA-256 as S3 writes it."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def composite(parts: Iterable[Part]) -> str | None:
    """The checksum of an object of ``parts`` as S3 tells it, if each part's is known."""
    listed = sorted(parts)
    if any(part.sha256 is None for part in listed):
        return None
    digests = b"".join(base64.b64decode(part.sha256 or "") for part in listed)
    return f"{checksum(digests)}-{len(listed)}"


def side_by_side(jobs: Iterable[Callable[[], Part]]) -> list[Part]:
    """Do ``jobs``, each of which has a part in memory, without taking many in hand at once.

    Raises what the first that fails does; no other is begun then.
    """
    done: list[Part] = []
    pending: set[Future[Part]] = set()
    with ThreadPoolExecutor(WORKERS, "s3-part") as pool:
        try:
            for job in jobs:
                pending.add(pool.submit(job))
                if len(pending) >= WORKERS:
                    finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                    done += [each.result() for each in finished]
            done += [each.result() for each in as_completed(pending)]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return sorted(done)


def _named_part(part: Part) -> CompletedPartTypeDef:
    named: CompletedPartTypeDef = {"PartNumber": part.number, "ETag": part.etag}
    if part.sha256 is not None:
        named["ChecksumSHA256"] = part.sha256
    return named
