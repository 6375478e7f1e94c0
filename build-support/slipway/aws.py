"""Describe the errors of boto3 that are the same for every AWS service."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from slipway.errors import SlipwayError

NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    SSOError,
    TokenRetrievalError,
)
# what a session and its client raise; ValueError: an endpoint that is not a URL
NOT_CONFIGURED = (BotoCoreError, ValueError)
RENEW_CREDENTIALS = "aws sts get-caller-identity shows whose credentials they are; renew them"


def error_code(error: ClientError) -> str:
    """Return the service's code of the error, or the HTTP status of a response without a body."""
    return str(error.response.get("Error", {}).get("Code", ""))


def error_message(error: ClientError) -> str:
    """Return the service's message, or boto3's where there is none."""
    return str(error.response.get("Error", {}).get("Message", "")) or str(error)


def no_credentials(error: Exception, where: str) -> SlipwayError:
    """Return the error for one of :data:`NO_CREDENTIALS`."""
    return SlipwayError(
        f"no AWS credentials: {error}",
        where=where,
        fix="aws configure, or aws sso login, or set AWS_PROFILE",
    )


def not_configured(error: Exception, where: str) -> SlipwayError:
    """Return the error for one of :data:`NOT_CONFIGURED`."""
    if isinstance(error, ProfileNotFound):
        return SlipwayError(str(error), where=where, fix="aws configure list-profiles")
    return SlipwayError(
        f"boto3's configuration is wrong: {error}",
        where=where,
        fix="correct ~/.aws/config or the AWS_… variables",
    )
