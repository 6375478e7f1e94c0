"""A Lambda function in the network of a private Airflow: ``airflow = "lambda:NAME"``.

It gets ``{"path", "method", "body", "query"}`` and answers ``{"status", "body"}``;
``ci/infra/lambda`` has it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from slipway.errors import SlipwayError
from slipway.settings import TrainingPlaceSettings
from slipway.training.airflow.api import Answer
from slipway.training.airflow.aws_client import asking, open_client

PASSING = ("TooManyRequestsException", "ServiceException", "EC2ThrottledException")


class Function:
    """The function. It logs in to Airflow itself."""

    def __init__(self, name: str, places: TrainingPlaceSettings, client: Any | None = None) -> None:
        self.where = f"lambda:{name}"
        self._name = name
        self._client = client or open_client("lambda", places, self.where)

    def send(
        self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Answer:
        """See :meth:`slipway.training.airflow.api.AirflowApi.send`."""
        event = {"path": path, "method": method, "body": body, "query": dict(query or {})}
        with asking(self.where, PASSING):
            found = self._client.invoke(FunctionName=self._name, Payload=json.dumps(event).encode())
            payload = found["Payload"].read()
        try:
            answer = json.loads(payload)
            if "FunctionError" not in found:
                return Answer(int(answer["status"]), answer.get("body"))
        except (ValueError, KeyError, TypeError):
            pass
        raise SlipwayError(
            f"the function failed: {payload[:300].decode(errors='replace')}",
            where=self.where,
            fix=f"read its log: aws logs tail /aws/lambda/{self._name}",
        )
