"""The ways to Airflow by the setting that names them."""

from __future__ import annotations

from slipway.settings import TrainingPlaceSettings
from slipway.training.airflow.api import AirflowApi
from slipway.training.airflow.function import Function
from slipway.training.airflow.mwaa import Mwaa
from slipway.training.airflow.web import WebServer


def open_api(places: TrainingPlaceSettings) -> AirflowApi:
    """Return the way that ``[training] airflow`` names. Nothing is sent yet.

    Raises:
        SlipwayError: it is not set.
    """
    kind, _, name = places.require("airflow").partition(":")
    if kind == "mwaa":
        return Mwaa(name, places)
    if kind == "lambda":
        return Function(name, places)
    return WebServer(places.require("airflow").rstrip("/"))
