"""One multipart upload to S3: its start, its parts, sent in parallel, and its end.

S3 stores the SHA-256 of every part, checks each when it arrives, and all of them when the parts
become one object (S3 User Guide, "Checking object integrity": the checksum type COMPOSITE).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from slipway.aws import error_code
from slipway.store.s3.errors import NO_UPLOAD

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, CopySourceTypeDef

PART = 16 << 20  # bytes
MAX_PARTS = 10_000  # S3 User Guide, "Amazon S3 multipart upload limits"
WORKERS = 8  # below the 10 connections of boto3's pool; with a part each, 128 MiB of memory


class Part(NamedTuple):
    """A part that S3 has. ``sha256`` is in base 64, ``None`` where the server does not store it."""

    number: int
    etag: str
    size: int
    sha256: str | None


@dataclass(frozen=True)
class Upload:
    """A started upload. ``writer`` is in its metadata, and identifies the object that it becomes
    as the result of this upload."""

    client: S3Client
    bucket: str
    key: str
    id: str
    writer: str

    def send(self, number: int, data: bytes) -> Part:
        """Send a part; S3 refuses it if other bytes arrive."""
        sha256 = checksum(data)
        response = self.client.upload_part(
            **self._parameters, PartNumber=number, Body=data, ChecksumSHA256=sha256
        )
        return Part(number, response["ETag"], len(data), sha256)

    def copy(self, number: int, source: CopySourceTypeDef, etag: str, first: int, end: int) -> Part:
        """Let S3 copy the bytes from ``first`` to before ``end`` of ``source``, if it still has the
        ``etag``; an empty range is the one part of an empty object."""
        if first == end:
            return self.send(number, b"")
        result = self.client.upload_part_copy(
            **self._parameters,
            PartNumber=number,
            CopySource=source,
            CopySourceIfMatch=etag,
            CopySourceRange=f"bytes={first}-{end - 1}",
        )["CopyPartResult"]
        return Part(number, result["ETag"], end - first, result.get("ChecksumSHA256"))

    def complete(self, parts: Iterable[Part]) -> None:
        """Make the object of ``parts`` visible, unless the key exists.

        Raises:
            ClientError: the key exists; or S3 has other parts, or the upload has ended.
        """
        listed = sorted(parts)
        self.client.complete_multipart_upload(
            **self._parameters,
            MultipartUpload={"Parts": [_completed_part(part) for part in listed]},
            MpuObjectSize=sum(part.size for part in listed),
            IfNoneMatch="*",
        )

    def abort(self) -> None:
        """End the upload and free its parts. If S3 refuses, a later ``clean`` does it."""
        with contextlib.suppress(ClientError, BotoCoreError):
            self.client.abort_multipart_upload(**self._parameters)

    def last_change(self) -> datetime | None:
        """Return when the newest part arrived; ``None`` without parts.

        Raises:
            ClientError: the upload has ended, or its parts cannot be listed.
        """
        pages = self.client.get_paginator("list_parts").paginate(**self._parameters)
        times = [part["LastModified"] for page in pages for part in page.get("Parts", ())]
        return max(times, default=None)

    @property
    def _parameters(self) -> Any:  # each operation has a type of its own for these three
        return {"Bucket": self.bucket, "Key": self.key, "UploadId": self.id}


def start_upload(
    client: S3Client,
    bucket: str,
    key: str,
    writer: str,
    metadata: Mapping[str, str],
    options: Mapping[str, Any],
) -> Upload:
    """Start an upload; ``options`` say how its object is stored, such as with which KMS key."""
    response = client.create_multipart_upload(
        Bucket=bucket, Key=key, Metadata=metadata, ChecksumAlgorithm="SHA256", **options
    )
    return Upload(client, bucket, key, response["UploadId"], writer)


def abandoned_uploads(
    client: S3Client, bucket: str, prefix: str, older_than: timedelta
) -> Iterator[Upload]:
    """Yield the unfinished uploads of keys that begin with ``prefix``, unchanged for so long."""
    before = datetime.now(UTC) - older_than
    pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for item in page.get("Uploads", ()):
            upload = Upload(client, bucket, item["Key"], item["UploadId"], "")
            if item["Initiated"] < before and _is_unchanged(upload, before):
                yield upload


def part_size(size: int, least: int = PART) -> int:
    """Return how large the parts of ``size`` bytes are; only the last one may be smaller.

    It is the same for every upload and copy of these bytes, so that checksums can be compared.
    """
    needed = math.ceil(size / MAX_PARTS)
    return least if needed <= least else math.ceil(needed / (1 << 20)) << 20


def checksum(data: bytes) -> str:
    """Return the SHA-256 of ``data`` as S3 writes it, in base 64."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def composite_checksum(parts: Iterable[Part]) -> str | None:
    """Return S3's checksum of an object of ``parts``; ``None`` if a part's is not known."""
    listed = sorted(parts)
    if any(part.sha256 is None for part in listed):
        return None
    digests = b"".join(base64.b64decode(part.sha256 or "") for part in listed)
    return f"{checksum(digests)}-{len(listed)}"


def run_parallel(jobs: Iterable[Callable[[], Part]]) -> list[Part]:
    """Run ``jobs``, few at a time, since each has a part in memory; return the parts in order.

    Raises what the first failing job raises; no further job is started then.
    """
    parts: list[Part] = []
    pending: set[Future[Part]] = set()
    with ThreadPoolExecutor(WORKERS, "s3-part") as pool:
        try:
            for job in jobs:
                pending.add(pool.submit(job))
                if len(pending) >= WORKERS:
                    completed, pending = wait(pending, return_when=FIRST_COMPLETED)
                    parts += [future.result() for future in completed]
            parts += [future.result() for future in as_completed(pending)]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return sorted(parts)


def _is_unchanged(upload: Upload, since: datetime) -> bool:
    try:
        changed = upload.last_change()
    except ClientError as error:
        if error_code(error) not in NO_UPLOAD:
            raise
        return False  # it has just ended
    return changed is None or changed < since


def _completed_part(part: Part) -> CompletedPartTypeDef:
    completed: CompletedPartTypeDef = {"PartNumber": part.number, "ETag": part.etag}
    if part.sha256 is not None:
        completed["ChecksumSHA256"] = part.sha256
    return completed
