"""Copy an object within S3: no byte comes through here, and checksums prove the copy.

It uses UploadPartCopy, not CopyObject. CopyObject got its condition only in 2025, and a server that
does not know the condition ignores it silently. The condition of the last request of a multipart
upload is the one that artifacts rely on anyway. There is no limit of 5 GB either.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from slipway.aws import error_code
from slipway.errors import SlipwayError
from slipway.store.interface import S3Location, changed
from slipway.store.s3.conditional import WriteTarget, create_by_upload
from slipway.store.s3.errors import UNMET
from slipway.store.s3.multipart import Part, Upload, composite_checksum, part_size, run_parallel
from slipway.store.s3.reader import DIGEST, head

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CopySourceTypeDef, HeadObjectOutputTypeDef

AMAZON = (".amazonaws.com", ".amazonaws.com.cn")


def is_reachable(source: S3Location, target: WriteTarget) -> bool:
    """Return whether the target's S3 can read ``source`` itself: both are one service."""
    urls = [address.client.meta.endpoint_url.rstrip("/") for address in (source, target.at)]
    return urls[0] == urls[1] or all(url.endswith(AMAZON) for url in urls)


def copy_object(source: S3Location, target: WriteTarget, sha256: str) -> bool | None:
    """Create the key from ``source``; return whether this call created it.

    Returns ``None``, and writes nothing, if S3's checksums do not prove that the bytes have the
    SHA-256 ``sha256``.

    Raises:
        SlipwayError: ``source`` has other bytes, or was replaced during the copy.
    """
    response = head(source, ChecksumMode="ENABLED")
    if response is None or DIGEST not in response["Metadata"]:
        return None
    if (recorded := response["Metadata"][DIGEST]) != sha256:
        raise changed(str(source), recorded, sha256)

    def copy_parts(upload: Upload) -> list[Part]:
        parts = run_parallel(_jobs(upload, source, response, target.part))
        if not _is_proven(parts, response, sha256):
            raise _Unproven
        return parts

    try:
        return create_by_upload(target, sha256, copy_parts)
    except _Unproven:
        return None
    except ClientError as error:
        if error.operation_name == "UploadPartCopy" and error_code(error) in UNMET:
            raise SlipwayError(
                "it was replaced while it was copied", where=str(source), fix="try again"
            ) from error
        raise


class _Unproven(Exception):
    """S3's checksums do not show whose bytes were copied."""


def _jobs(
    upload: Upload, source: S3Location, response: HeadObjectOutputTypeDef, least: int
) -> Iterator[Callable[[], Part]]:
    """Yield a copy of each part, in the sizes that an upload of these bytes has."""
    end, size = response["ContentLength"], part_size(response["ContentLength"], least)
    location: CopySourceTypeDef = {"Bucket": source.bucket, "Key": source.key}
    for number, first in enumerate(range(0, max(1, end), size), 1):
        last = min(first + size, end)
        yield partial(upload.copy, number, location, response["ETag"], first, last)


def _is_proven(parts: list[Part], response: HeadObjectOutputTypeDef, sha256: str) -> bool:
    """Return whether ``parts`` hold the bytes that the source had when it was uploaded.

    A server that reports no checksums of copied parts is trusted: it copied the version whose ETag
    was requested.
    """
    if len(parts) == 1 and parts[0].sha256:
        return base64.b64decode(parts[0].sha256).hex() == sha256
    copied = composite_checksum(parts)
    return copied is None or copied == response.get("ChecksumSHA256")
