"""Amazon MWAA's own way to its Airflow: ``airflow = "mwaa:NAME"``.

``InvokeRestApi`` needs neither a token nor a way into the environment's network. AWS documents ten
seconds for an answer, of at most 6 MB, and paths of 64 characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from slipway import aws
from slipway.errors import SlipwayError
from slipway.settings import TrainingPlaceSettings
from slipway.training.airflow.api import Answer, Unreachable
from slipway.training.airflow.short_paths import LONGEST, list_instead

# codes of MWAA and of AWS's front that pass
PASSING = ("ThrottlingException", "InternalServerException", "ServiceUnavailableException")


class Mwaa:
    """An environment of MWAA."""

    def __init__(self, name: str, places: TrainingPlaceSettings, client: Any | None = None) -> None:
        self.where = f"mwaa:{name}"
        self._name = name
        self._client = client or open_client("mwaa", places, self.where)

    def send(
        self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Answer:
        """See :meth:`slipway.training.airflow.api.AirflowApi.send`."""
        if len(path) > LONGEST:
            listed = list_instead(method, path, self.where)
            return listed.pick(self.send("POST", listed.path, listed.body))
        request: dict[str, Any] = {"Name": self._name, "Path": path, "Method": method}
        if body is not None:
            request["Body"] = body
        if query:
            request["QueryParameters"] = dict(query)
        try:
            found = self._client.invoke_rest_api(**request)
        except ClientError as error:
            code = aws.error_code(error)
            # Airflow itself answered with an error
            if code in ("RestApiClientException", "RestApiServerException"):
                answer: Any = error.response
                status = int(answer.get("RestApiStatusCode", 500))
                return Answer(status, answer.get("RestApiResponse"))
            raise refused(error, self.where, PASSING) from error
        except (ConnectionError, HTTPClientError) as error:
            raise Unreachable(f"AWS is not reached: {error}", where=self.where) from error
        except aws.NO_CREDENTIALS as error:
            raise aws.no_credentials(error, self.where) from error
        except BotoCoreError as error:
            raise aws.not_configured(error, self.where) from error
        return Answer(int(found["RestApiStatusCode"]), found.get("RestApiResponse"))


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


def refused(error: ClientError, where: str, passing: tuple[str, ...]) -> SlipwayError:
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
