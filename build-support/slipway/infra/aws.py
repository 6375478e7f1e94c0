"""CloudFormation's client, and what AWS refuses, as its reader can mend it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

    from slipway.infra.environment import Environment

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
STALE = {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "SignatureDoesNotMatch"}
NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    SSOError,
    TokenRetrievalError,
)


def client_of(environment: Environment) -> CloudFormationClient:
    """CloudFormation for an environment, by boto3's own configuration. Nothing is sent yet.

    Raises:
        SlipwayError: boto3's configuration is wrong, or has no region.
    """
    where = str(environment.path)
    try:
        session = boto3.session.Session(
            profile_name=environment.profile, region_name=environment.region
        )
        return session.client("cloudformation")
    except NoRegionError as error:
        raise SlipwayError(
            "no AWS region", where=where, fix='write region = "…", or set AWS_DEFAULT_REGION'
        ) from error
    except ProfileNotFound as error:
        raise SlipwayError(str(error), where=where, fix="aws configure list-profiles") from error
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
        raise SlipwayError(
            f"boto3's configuration is wrong: {error}",
            where=where,
            fix="correct ~/.aws/config or the AWS_… variables",
        ) from error


@contextlib.contextmanager
def told(where: str) -> Iterator[None]:
    """Say what CloudFormation refused, as a SlipwayError of ``where``."""
    try:
        yield
    except NO_CREDENTIALS as error:
        raise SlipwayError(
            f"no AWS credentials: {error}",
            where=where,
            fix="aws configure, or aws sso login, or set AWS_PROFILE",
        ) from error
    except BotoCoreError as error:
        raise SlipwayError(
            f"CloudFormation was not reached: {error}",
            where=where,
            fix="check the network, and AWS_ENDPOINT_URL if it is set; then try again",
        ) from error
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        said = error.response.get("Error", {}).get("Message", "") or str(error)
        if code in STALE:
            fix = "aws sts get-caller-identity shows whose credentials they are; renew them"
        elif code in DENIED:
            fix = (
                "take a role that may use CloudFormation and make what the template has:"
                " docs/infrastructure.md names the services"
            )
        else:
            fix = "correct the template or the parameters as it says; slipway infra plan tries it"
        raise SlipwayError(f"AWS answers {code}: {said}", where=where, fix=fix) from error
