"""A copy within S3: no byte comes through here, and what is visible in the end is proven.

By UploadPartCopy and not by CopyObject, whose condition came only in 2025, and which a server that
does not know it leaves out without a word; the condition of the last request of a multipart upload
is the one that artifacts rely on anyway. There is no limit of 5 GB either.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from slipway.errors import SlipwayError
from slipway.store.interface import changed
from slipway.store.s3.conditional import DIGEST, Target, anew, begun, finished
from slipway.store.s3.errors import NO_UPLOAD, UNMET, code_of
from slipway.store.s3.multipart import Part, Upload, composite, part_size, side_by_side
from slipway.store.s3.reader import Address, head

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CopySourceTypeDef, HeadObjectOutputTypeDef

AMAZON = (".amazonaws.com", ".amazonaws.com.cn")


def reaches(source: Address, target: Target) -> bool:
    """Whether the target's S3 can read ``source`` by itself: they are one service."""
    urls = [address.client.meta.endpoint_url.rstrip("/") for address in (source, target.at)]
    return urls[0] == urls[1] or all(url.endswith(AMAZON) for url in urls)


def copy(source: Address, target: Target, sha256: str) -> bool | None:
    """Create the key from ``source``; whether this call did. ``None`` if S3's checksums do not
    show that the bytes are those of ``sha256``: then nothing was written.

    Raises:
        SlipwayError: ``source`` has other bytes, or was replaced meanwhile.
    """
    found = head(source, ChecksumMode="ENABLED")
    if found is None or DIGEST not in found["Metadata"]:
        return None
    if (recorded := found["Metadata"][DIGEST]) != sha256:
        raise changed(str(source), recorded, sha256)

    def once() -> bool | None:
        upload = begun(target, sha256)
        try:
            parts = side_by_side(_jobs(upload, source, found, target.part))
            if not _proven(parts, found, sha256):
                raise _Unproven
            return finished(target, upload, parts)
        except BaseException as error:
            upload.abort()
            if isinstance(error, ClientError) and code_of(error) in NO_UPLOAD:
                return None
            raise

    try:
        return anew(target, once)
    except _Unproven:
        return None
    except ClientError as error:
        if error.operation_name == "UploadPartCopy" and code_of(error) in UNMET:
            raise SlipwayError(
                "it was replaced while it was copied", where=str(source), fix="try again"
            ) from error
        raise


class _Unproven(Exception):
    """S3's checksums do not show whose bytes were copied."""


def _jobs(
    upload: Upload, source: Address, found: HeadObjectOutputTypeDef, least: int
) -> Iterator[Callable[[], Part]]:
    """A copy of each part, cut as an upload of these bytes cuts them."""
    end, size = found["ContentLength"], part_size(found["ContentLength"], least)
    named: CopySourceTypeDef = {"Bucket": source.bucket, "Key": source.key}
    for number, first in enumerate(range(0, max(1, end), size), 1):
        yield partial(upload.copy, number, named, found["ETag"], first, min(first + size, end))


def _proven(parts: list[Part], found: HeadObjectOutputTypeDef, sha256: str) -> bool:
    """Whether ``parts`` hold the bytes that the source had when it was uploaded.

    A server that tells no checksums of what it copies is taken at its word: it copied the version
    whose ETag was asked for.
    """
    if len(parts) == 1 and parts[0].sha256:
        return base64.b64decode(parts[0].sha256).hex() == sha256
    made = composite(parts)
    return made is None or made == found.get("ChecksumSHA256")
