"""Airflow's api-server itself: ``airflow = "http://127.0.0.1:8080"``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import requests

from slipway.errors import SlipwayError
from slipway.training.airflow.api import Answer, Unreachable

TOKEN, USER, PASSWORD = (f"SLIPWAY_AIRFLOW_{name}" for name in ("TOKEN", "USER", "PASSWORD"))
SECONDS = 30.0


class WebServer:
    """Airflow at an address. It is asked with a token: ``SLIPWAY_AIRFLOW_TOKEN``, or one that it
    gives for ``SLIPWAY_AIRFLOW_USER`` and ``SLIPWAY_AIRFLOW_PASSWORD`` (``POST /auth/token``)."""

    def __init__(self, url: str) -> None:
        self.where = url
        self._token: str | None = None
        self._session = requests.Session()

    def send(
        self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Answer:
        """See :meth:`slipway.training.airflow.api.AirflowApi.send`."""
        answer = self._send(method, path, body, query)
        if answer.status == 401 and not os.environ.get(TOKEN):
            self._token = None  # it lasts a day at most
            answer = self._send(method, path, body, query)
        if answer.status in (401, 403):
            raise SlipwayError(
                f"Airflow answers {answer.status} to {method} {path}",
                where=self.where,
                fix=f"set {USER} and {PASSWORD} of a user who may start DAGs, or {TOKEN}",
            )
        return answer

    def _send(self, method: str, path: str, body: Any, query: Mapping[str, Any] | None) -> Answer:
        headers = {"Authorization": f"Bearer {self._log_in()}"}
        return self._request(method, f"/api/v2{path}", headers, json=body, params=query)

    def _log_in(self) -> str:
        if os.environ.get(TOKEN):
            return os.environ[TOKEN]
        if self._token is None:
            body = {"username": os.environ.get(USER, ""), "password": os.environ.get(PASSWORD, "")}
            answer = self._request("POST", "/auth/token", {}, json=body)
            if answer.status != 201:
                raise SlipwayError(
                    f"Airflow gives no token: {answer.status}",
                    where=self.where,
                    fix=f"set {USER} and {PASSWORD}, or {TOKEN}",
                )
            self._token = str(answer.body["access_token"])
        return self._token

    def _request(self, method: str, path: str, headers: dict[str, str], **rest: Any) -> Answer:
        try:
            response = self._session.request(
                method, self.where + path, headers=headers, timeout=SECONDS, **rest
            )
        except requests.RequestException as error:
            raise Unreachable(
                f"Airflow is not reached: {type(error).__name__}",
                where=self.where,
                fix="start its api-server, or correct [training] airflow in slipway.toml",
            ) from error
        try:
            return Answer(response.status_code, response.json() if response.content else None)
        except ValueError:
            return Answer(response.status_code, response.text)
