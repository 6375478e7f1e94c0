"""What S3 refuses, and how a request fails, said so that its reader can mend it.

Codes are those of the S3 API reference, "Error responses"; a few are what other servers that speak
S3 answer where AWS has no such case.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)

from slipway.errors import SlipwayError
from slipway.store.interface import PLACE

# a status where there is no body with a code
ABSENT = {"NoSuchKey", "KeyTooLongError", "404"}
DENIED = {"AccessDenied", "403", "AllAccessDisabled"}
# the condition of a request did not hold: the key is taken, or was replaced
UNMET = {"PreconditionFailed", "412"}
# another request for the same key was under way: nobody knows yet whether the condition holds
CONFLICT = {"ConditionalRequestConflict", "OperationAborted", "409"}
NO_UPLOAD = {"NoSuchUpload"}
# what a server that speaks only some of S3 says
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
NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    SSOError,
    TokenRetrievalError,
)
READING = (
    "allow s3:GetObject on the objects and s3:ListBucket on the bucket, without"
    " which S3 denies what is not there, too"
)
WRITING = (
    "allow s3:PutObject on the objects; with tags s3:PutObjectTagging, too; with a KMS key"
    " kms:GenerateDataKey and kms:Decrypt on it"
)
# what a request needs (S3 User Guide, "Required permissions for Amazon S3 API operations")
PERMISSIONS = {
    "PutObject": WRITING,
    "CreateMultipartUpload": WRITING,
    "UploadPart": WRITING,
    "CompleteMultipartUpload": WRITING,
    "UploadPartCopy": "the copy is made with the credentials of the stage that is written: allow"
    " them s3:GetObject (and kms:Decrypt) on the stage that is read, and s3:PutObject here",
    "AbortMultipartUpload": "allow s3:AbortMultipartUpload on the objects",
    "ListParts": "allow s3:ListMultipartUploadParts on the objects",
    "ListMultipartUploads": "allow s3:ListBucketMultipartUploads on the bucket",
    "DeleteObject": "allow s3:DeleteObject on the objects",
}


@contextlib.contextmanager
def told(bucket: str, where: str) -> Iterator[None]:
    """Raise a SlipwayError for what boto3 raises within."""
    try:
        yield
    except ClientError as error:
        raise refused(error, bucket, where) from error
    except NO_CREDENTIALS as error:
        raise SlipwayError(
            f"no AWS credentials: {error}",
            where=where,
            fix="aws configure, or aws sso login, or set AWS_PROFILE",
        ) from error
    except ParamValidationError as error:
        raise SlipwayError(str(error), where=where, fix=f"correct {PLACE}") from error
    except BotoCoreError as error:
        raise SlipwayError(
            f"S3 was not reached, or broke off: {error}",
            where=where,
            fix="check the network, and AWS_ENDPOINT_URL_S3 if it is set; then try again",
        ) from error


def code_of(error: ClientError) -> str:
    """S3's word for what it refused, or a status where there is no body."""
    return str(error.response.get("Error", {}).get("Code", ""))


def retried(error: ClientError) -> bool:
    """Whether boto3 had asked before, so that S3 may have done it already."""
    return bool(error.response.get("ResponseMetadata", {}).get("RetryAttempts"))


def refused(error: ClientError, bucket: str, where: str) -> SlipwayError:
    """The error that ``error`` is to the reader."""
    what, fix = _words(error, bucket)
    return SlipwayError(what, where=where, fix=fix)


def _words(error: ClientError, bucket: str) -> tuple[str, str]:
    """What happened, and how to mend it."""
    code = code_of(error)
    said = str(error.response.get("Error", {}).get("Message", "")) or str(error)
    if code == "NoSuchBucket":
        return f"no bucket {bucket!r}", "aws s3 ls names the buckets that you can see"
    if code in ABSENT:
        return "no such key in the release store", "slipway describe <name>"
    if code in WRONG_CREDENTIALS:
        fix = "aws sts get-caller-identity shows whose they are; renew them"
        return f"AWS refuses the credentials: {said}", fix
    if code == "RequestTimeTooSkewed":
        return _skewed(error), "set the clock, such as by: timedatectl set-ntp true"
    if code in DENIED:
        return f"access denied ({said})", _missing(error, said)
    if code in THROTTLED:
        return (
            f"S3 asks for fewer requests ({code}: {said})",
            "try again in a minute; AWS_RETRY_MODE=adaptive and AWS_MAX_ATTEMPTS=10 are patient",
        )
    if code in FULL:
        return f"the store is full ({code}: {said})", "free space, or raise the quota"
    if code in DAMAGED:
        return f"the bytes changed on their way ({code}: {said})", "try again"
    if code.startswith("KMS."):
        fix = "correct kms_key in slipway.toml, or what the key allows"
        return f"KMS refuses the key ({code}: {said})", fix
    if code in LACKING:
        return (
            f"the server lacks {error.operation_name} as it was asked ({said})",
            "use one that knows conditional writes and checksums, as AWS does since 2024",
        )
    return f"S3 answers {code}: {said}", "try again"


def _missing(error: ClientError, said: str) -> str:
    """Which permission to give: AWS names it where both are of one account."""
    named = re.search(r"not authorized to perform: (\S+)(?: on resource: \"?([^\s\"]+))?", said)
    if named:
        return f"allow {named[1]}" + (f" on {named[2]}" if named[2] else "")
    return PERMISSIONS.get(error.operation_name, READING)


def _skewed(error: ClientError) -> str:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        seconds = (datetime.now(UTC) - parsedate_to_datetime(headers["date"])).total_seconds()
    except (KeyError, ValueError, TypeError):
        return "this machine's clock is wrong by more than 15 minutes"
    way = "ahead" if seconds > 0 else "behind"
    return f"this machine's clock is {abs(seconds) / 60:.0f} minutes {way} of S3's"
