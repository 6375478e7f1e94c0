"""Airflow's REST API, by whichever way it is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from slipway.errors import SlipwayError

# statuses that pass: a deployment, a restart, too many requests
PASSING = (429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Answer:
    """What Airflow answered: an HTTP status, and the body's JSON, ``None`` if it is empty."""

    status: int
    body: Any


class AirflowApi(Protocol):
    """A way to Airflow's REST API; ``where`` says which, for errors."""

    @property
    def where(self) -> str:
        """Return the setting's value, such as ``mwaa:NAME``."""

    def send(
        self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Answer:
        """Return the answer to one request. ``path`` begins after ``/api/v2``.

        Raises:
            SlipwayError: Airflow is not reached, or does not let us in.
            Unreachable: it may be reached later.
        """


class Unreachable(SlipwayError):
    """Airflow is not reached now; another attempt may."""


def address(*parts: str) -> str:
    """Return a path of the API, with each part escaped."""
    return "/" + "/".join(quote(part, safe="~:+") for part in parts)


def unwrap(answer: Answer, where: str, fix: str) -> Any:
    """Return the body of an answer that is no error.

    Raises:
        SlipwayError: it is one; with what Airflow says of it.
    """
    if answer.status < 400:
        return answer.body
    raise SlipwayError(f"Airflow answers {answer.status}: {detail(answer)}", where=where, fix=fix)


def detail(answer: Answer) -> str:
    """Return what an error of Airflow says, at most 500 characters."""
    body = answer.body
    found = body.get("detail", body) if isinstance(body, Mapping) else body
    if isinstance(found, list):  # of FastAPI's validation
        found = "; ".join(
            (
                f"{'.'.join(str(part) for part in one.get('loc', ()))}: {one.get('msg')}"
                if isinstance(one, Mapping)
                else str(one)
            )
            for one in found
        )
    return str(found)[:500]
