"""Translate what S3 refuses, and how a request fails, into errors with a fix.

Codes are those of the S3 API reference, "Error responses"; a few are what other servers with an S3
API return where AWS has no such case.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from slipway.aws import (
    NO_CREDENTIALS,
    RENEW_CREDENTIALS,
    error_code,
    error_message,
    no_credentials,
)
from slipway.errors import SlipwayError
from slipway.store.interface import SETTING, AccessDenied

# a status where there is no body with a code
ABSENT = {"NoSuchKey", "KeyTooLongError", "404"}
DENIED = {"AccessDenied", "403", "AllAccessDisabled"}
# the condition of a request did not hold: the key exists, or was replaced
UNMET = {"PreconditionFailed", "412"}
# another request for the same key was in progress: whether the condition holds is not known yet
CONFLICT = {"ConditionalRequestConflict", "OperationAborted", "409"}
NO_UPLOAD = {"NoSuchUpload"}
# what a server returns that implements only some of S3
LACKING = {"NotImplemented", "501"}
WRONG_CREDENTIALS = {
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "TokenRefreshRequired",
}
THROTTLED = {
    "SlowDown",
    "ServiceUnavailable",
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "503",
    "429",
}
FULL = {
    "InsufficientStorage",
    "InsufficientCapacity",
    "QuotaExceeded",
    "XMinioStorageFull",
    "XMinioAdminBucketQuotaExceeded",
    "507",
}
DAMAGED = {"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"}
READING = (
    "allow s3:GetObject on the objects and s3:ListBucket on the bucket, without"
    " which S3 also denies keys that do not exist"
)
WRITING = (
    "allow s3:PutObject on the objects; with tags also s3:PutObjectTagging; with a KMS key"
    " kms:GenerateDataKey and kms:Decrypt on it"
)
# what a request needs (S3 User Guide, "Required permissions for Amazon S3 API operations")
PERMISSIONS = {
    "PutObject": WRITING,
    "CreateMultipartUpload": WRITING,
    "UploadPart": WRITING,
    "CompleteMultipartUpload": WRITING,
    "UploadPartCopy": "the copy is made with the credentials of the target stage: allow"
    " them s3:GetObject (and kms:Decrypt) on the source stage, and s3:PutObject here",
    "AbortMultipartUpload": "allow s3:AbortMultipartUpload on the objects",
    "ListParts": "allow s3:ListMultipartUploadParts on the objects",
    "ListMultipartUploads": "allow s3:ListBucketMultipartUploads on the bucket",
    "DeleteObject": "allow s3:DeleteObject on the objects",
}


@contextlib.contextmanager
def translate_errors(bucket: str, where: str) -> Iterator[None]:
    """Raise a SlipwayError for what boto3 raises within."""
    try:
        yield
    except ClientError as error:
        what, fix = _explain(error, bucket)
        kind = AccessDenied if error_code(error) in DENIED else SlipwayError
        raise kind(what, where=where, fix=fix) from error
    except NO_CREDENTIALS as error:
        raise no_credentials(error, where) from error
    except ParamValidationError as error:
        raise SlipwayError(str(error), where=where, fix=f"correct {SETTING}") from error
    except BotoCoreError as error:
        raise SlipwayError(
            f"S3 was not reached, or the connection broke: {error}",
            where=where,
            fix="check the network, and AWS_ENDPOINT_URL_S3 if it is set; then try again",
        ) from error


def was_retried(error: ClientError) -> bool:
    """Return whether boto3 had sent the request before, so that S3 may have done it already."""
    return bool(error.response.get("ResponseMetadata", {}).get("RetryAttempts"))


def _explain(error: ClientError, bucket: str) -> tuple[str, str]:
    """Return what happened, and how to fix it."""
    code, message = error_code(error), error_message(error)
    if code == "NoSuchBucket":
        return f"no bucket {bucket!r}", "aws s3 ls lists the buckets that you can see"
    if code in ABSENT:
        return "no such key in the release store", "slipway describe <name>"
    if code in WRONG_CREDENTIALS:
        return f"AWS refuses the credentials: {message}", RENEW_CREDENTIALS
    if code == "RequestTimeTooSkewed":
        return _clock_skew(error), "set the clock, for example: timedatectl set-ntp true"
    if code in DENIED:
        return f"access denied ({message})", _missing_permission(error, message)
    if code in THROTTLED:
        return (
            f"S3 asks for fewer requests ({code}: {message})",
            "try again in a minute; AWS_RETRY_MODE=adaptive and AWS_MAX_ATTEMPTS=10 are patient",
        )
    if code in FULL:
        return f"the store is full ({code}: {message})", "free space, or raise the quota"
    if code in DAMAGED:
        return f"the bytes changed in transit ({code}: {message})", "try again"
    if code.startswith("KMS."):
        fix = "correct kms_key in slipway.toml, or the key's policy"
        return f"KMS refuses the key ({code}: {message})", fix
    if code in LACKING:
        return (
            f"the server does not support this {error.operation_name} request ({message})",
            "use a server with conditional writes and checksums, as AWS has them since 2024",
        )
    return f"S3 answers {code}: {message}", "try again"


def _missing_permission(error: ClientError, message: str) -> str:
    """Return which permission to give; AWS names it where both are in one account."""
    match = re.search(r"not authorized to perform: (\S+)(?: on resource: \"?([^\s\"]+))?", message)
    if match:
        return f"allow {match[1]}" + (f" on {match[2]}" if match[2] else "")
    return PERMISSIONS.get(error.operation_name, READING)


def _clock_skew(error: ClientError) -> str:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        seconds = time.time() - parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return "this machine's clock is wrong by more than 15 minutes"
    direction = "ahead of" if seconds > 0 else "behind"
    return f"this machine's clock is {_duration(abs(seconds))} {direction} S3's"


def _duration(seconds: float) -> str:
    """Return a duration in the largest unit of which there are two: ``90 minutes``, ``2 days``."""
    for unit, size in (("days", 86400), ("hours", 3600)):
        if round(seconds / size) >= 2:
            return f"{round(seconds / size)} {unit}"
    return f"{round(seconds / 60)} minutes"
