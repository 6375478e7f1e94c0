"""Addresses of Airflow's pages."""

from __future__ import annotations

from urllib.parse import quote

from slipway.errors import SlipwayError
from slipway.settings import TrainingPlaceSettings
from slipway.training.airflow.aws_client import open_client


def run_page(where: str, places: TrainingPlaceSettings, dag: str, run: str) -> str:
    """Return the address of a run's page; where the web server's address is not known, a name that
    a person finds there."""
    path = f"dags/{quote(dag)}/runs/{quote(run, safe='')}"
    if where.startswith("http"):
        return f"{where}/{path}"
    kind, _, name = where.partition(":")
    if kind == "mwaa" and (host := _web_server(name, places)):
        return f"https://{host}/{path}"
    return f"{where} {path}"


def _web_server(name: str, places: TrainingPlaceSettings) -> str | None:
    """Return the web server's host; ``None`` where the role lacks airflow:GetEnvironment."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        found = open_client("mwaa", places, f"mwaa:{name}").get_environment(Name=name)
    except (ClientError, BotoCoreError, SlipwayError):
        return None
    host = found["Environment"].get("WebserverUrl")
    return None if host is None else str(host)
