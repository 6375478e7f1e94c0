"""Find out whether a server keeps the conditions of requests that write.

A server that does not know ``If-None-Match`` or ``If-Match`` ignores it, and answers success: of
several publishers of one key, each learns that it won. So a key of no meaning is written on
conditions that do not hold. It is never removed, since a publisher may lack the permission.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from slipway.aws import error_code
from slipway.store.s3.conditional import WriteTarget, attempts, contended
from slipway.store.s3.errors import ABSENT, CONFLICT, UNMET
from slipway.store.s3.multipart import start_upload
from slipway.store.s3.reader import get_object

RACERS = 4
NO_ETAG = '"00000000000000000000000000000000"'
PURPOSE = "slipway writes this object to see whether the server keeps conditions; it has no meaning"


def find_broken_condition(target: WriteTarget) -> str | None:
    """Return what the server does wrongly, as a sentence; ``None`` if it keeps all conditions.

    About fifteen requests are sent. Several callers at once do not disturb each other.

    Raises:
        ClientError: the server refuses a request for another reason than its condition.
    """
    _holds(target, partial(_put, target, IfNoneMatch="*"))  # creates it, if this is the first call
    if _holds(target, partial(_put, target, IfNoneMatch="*")):
        return "it ignores If-None-Match of PutObject, and replaces what exists"
    if _holds(target, partial(_put, target, IfMatch=NO_ETAG)):
        return "it ignores If-Match of PutObject, and replaces what others wrote"
    if _holds(target, partial(_upload, target)):
        return "it ignores If-None-Match of CompleteMultipartUpload, and replaces what exists"
    if _holds(target, partial(_copy, target)):
        return "it ignores x-amz-copy-source-if-match of UploadPartCopy, and copies what it has"
    for _ in attempts():
        winners = _race(target)
        if winners > 1:
            return f"{winners} of {RACERS} writers of one version at once were all successful"
        if winners == 1:
            return None
    raise contended(target)


def _race(target: WriteTarget) -> int:
    """Let several writers replace one version of the object; return how many succeeded."""
    current = get_object(target.at)
    if current is None:
        return 0
    write = partial(_put, target, IfMatch=current[1]["ETag"])
    with ThreadPoolExecutor(RACERS) as pool:
        return sum(pool.map(lambda _: bool(_is_met(write)), range(RACERS)))


def _holds(target: WriteTarget, request: Callable[[], object]) -> bool:
    """Return whether the condition of ``request`` holds, according to the server."""
    for _ in attempts():
        if (met := _is_met(request)) is not None:
            return met
    raise contended(target)


def _is_met(request: Callable[[], object]) -> bool | None:
    """Return whether the condition of ``request`` holds; ``None`` if another request was in the
    way."""
    try:
        request()
    except ClientError as error:
        if error_code(error) in UNMET | ABSENT:
            return False
        if error_code(error) in CONFLICT:
            return None
        raise
    return True


def _put(target: WriteTarget, **condition: Any) -> None:
    target.at.client.put_object(
        Bucket=target.at.bucket, Key=target.at.key, Body=_body(), **condition, **target.options
    )


def _upload(target: WriteTarget) -> None:
    upload = start_upload(*target.at, "", {}, target.options)
    try:
        upload.complete([upload.send(1, _body())])
    except BaseException:
        upload.abort()
        raise


def _copy(target: WriteTarget) -> None:
    """Copy the object to itself, in an upload that never ends, if it has an ETag that none has."""
    upload = start_upload(*target.at, "", {}, target.options)
    try:
        upload.copy(1, {"Bucket": target.at.bucket, "Key": target.at.key}, NO_ETAG, 0, 1)
    finally:
        upload.abort()


def _body() -> bytes:
    """Return bytes that no other call writes, so that no two versions have one ETag."""
    return (json.dumps({"purpose": PURPOSE, "write": secrets.token_hex(8)}) + "\n").encode()
