"""Amazon MWAA's own way to its Airflow: ``airflow = "mwaa:NAME"``.

``InvokeRestApi`` needs neither a token nor a way into the environment's network. AWS documents ten
seconds for an answer, of at most 6 MB, and paths of 64 characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from slipway import aws
from slipway.settings import TrainingPlaceSettings
from slipway.training.airflow.api import Answer
from slipway.training.airflow.aws_client import asking, open_client
from slipway.training.airflow.short_paths import LONGEST, list_instead

# codes of MWAA and of AWS's front that pass
PASSING = ("ThrottlingException", "InternalServerException", "ServiceUnavailableException")
AIRFLOWS_OWN = (
    "RestApiClientException",
    "RestApiServerException",
)  # Airflow answered with an error


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
        with asking(self.where, PASSING):
            try:
                found = self._client.invoke_rest_api(**request)
            except ClientError as error:
                if aws.error_code(error) not in AIRFLOWS_OWN:
                    raise
                answer: Any = error.response
                status = int(answer.get("RestApiStatusCode", 500))
                return Answer(status, answer.get("RestApiResponse"))
        return Answer(int(found["RestApiStatusCode"]), found.get("RestApiResponse"))
