"""CloudFormation's client, and what AWS refuses, as its reader can mend it."""

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
STALE = {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "SignatureDoesNotMatch"}


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
    except NOT_CONFIGURED as error:
        raise not_configured(error, where) from error


@contextlib.contextmanager
def told(where: str) -> Iterator[None]:
    """Say what CloudFormation refused, as a SlipwayError of ``where``."""
    try:
        yield
    except NO_CREDENTIALS as error:
        raise no_credentials(error, where) from error
    except BotoCoreError as error:
        raise SlipwayError(
            f"CloudFormation was not reached: {error}",
            where=where,
            fix="check the network, and AWS_ENDPOINT_URL if it is set; then try again",
        ) from error
    except ClientError as error:
        code, message = error_code(error), error_message(error)
        if code in STALE:
            fix = RENEW_CREDENTIALS
        elif code in DENIED:
            fix = (
                "take a role that may use CloudFormation and make what the template has:"
                " docs/infrastructure.md names the services"
            )
        else:
            fix = "correct the template or the parameters as it says; slipway infra plan tries it"
        raise SlipwayError(f"AWS answers {code}: {message}", where=where, fix=fix) from error
