"""CloudFormation's client, and AWS's errors with a fix."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from slipway.aws import (
    NO_CREDENTIALS,
    NOT_CONFIGURED,
    RENEW_CREDENTIALS,
    error_code,
    error_message,
    no_credentials,
    not_configured,
)
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

    from slipway.infra.environment import Environment

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
INVALID_CREDENTIALS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
}


def create_client(environment: Environment) -> CloudFormationClient:
    """Return CloudFormation's client for an environment, without a request.

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
    except NOT_CONFIGURED as error:
        raise not_configured(error, where) from error


@contextlib.contextmanager
def translate_errors(where: str) -> Iterator[None]:
    """Raise CloudFormation's errors as a SlipwayError with this ``where``."""
    try:
        yield
    except NO_CREDENTIALS as error:
        raise no_credentials(error, where) from error
    except BotoCoreError as error:
        raise SlipwayError(
            f"cannot reach CloudFormation: {error}",
            where=where,
            fix="check the network, and AWS_ENDPOINT_URL if it is set; then try again",
        ) from error
    except ClientError as error:
        code, message = error_code(error), error_message(error)
        if code in INVALID_CREDENTIALS:
            fix = RENEW_CREDENTIALS
        elif code in DENIED:
            fix = (
                "use a role that may use CloudFormation and create the template's resources:"
                " docs/infrastructure.md names the services"
            )
        else:
            fix = "correct the template or the parameters; slipway infra plan checks them"
        raise SlipwayError(f"AWS answers {code}: {message}", where=where, fix=fix) from error
