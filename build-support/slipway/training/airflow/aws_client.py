"""How AWS is asked for Airflow: a client with the settings of ``[training]``, and its errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from slipway import aws
from slipway.errors import SlipwayError
from slipway.settings import TrainingPlaceSettings
from slipway.training.airflow.api import Unreachable


def open_client(service: str, places: TrainingPlaceSettings, where: str) -> Any:
    """Return boto3's client of a service, with the profile and region of ``[training]``.

    Raises:
        SlipwayError: boto3's configuration is wrong.
    """
    try:
        session: Any = boto3.session.Session(profile_name=places.profile, region_name=places.region)
        return session.client(service)
    except aws.NOT_CONFIGURED as error:
        raise aws.not_configured(error, where) from error


@contextmanager
def asking(where: str, passing: tuple[str, ...]) -> Iterator[None]:
    """Turn AWS's errors in the block into those of a user; codes in ``passing`` may pass.

    Raises:
        SlipwayError: AWS refuses, or there are no credentials.
        Unreachable: AWS may answer later.
    """
    try:
        yield
    except ClientError as error:
        raise _refused(error, where, passing) from error
    except (ConnectionError, HTTPClientError) as error:
        raise Unreachable(f"AWS is not reached: {error}", where=where) from error
    except aws.NO_CREDENTIALS as error:
        raise aws.no_credentials(error, where) from error
    except BotoCoreError as error:
        raise aws.not_configured(error, where) from error


def _refused(error: ClientError, where: str, passing: tuple[str, ...]) -> SlipwayError:
    """Return the error for what AWS refused."""
    code, message = aws.error_code(error), aws.error_message(error)
    if code in passing:
        return Unreachable(f"{code}: {message}", where=where, fix="try again later")
    fix = {
        "AccessDeniedException": "the role needs airflow:InvokeRestApi, or lambda:InvokeFunction, "
        "as slipway infra deploy training gives it to GitLab's role",
        "ResourceNotFoundException": "correct [training] airflow in slipway.toml: "
        "slipway infra outputs training names it",
    }.get(code, aws.RENEW_CREDENTIALS)
    return SlipwayError(f"{code}: {message}", where=where, fix=fix)
