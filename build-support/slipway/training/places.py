"""The places by name."""

from __future__ import annotations

from slipway.settings import Settings
from slipway.training.place import Place
from slipway.training.run import PlaceName


def open_place(name: PlaceName, settings: Settings) -> Place:
    """Return the place that ``--on`` names, configured by the repository's settings.

    Raises:
        SlipwayError: it lacks a setting.
    """
    if name == "sagemaker":
        from slipway.training.sagemaker.place import SageMakerPlace

        return SageMakerPlace(settings)
    if name == "airflow":
        from slipway.training.airflow.place import AirflowPlace

        return AirflowPlace(settings)
    from slipway.training.local import LocalPlace

    return LocalPlace(settings)
