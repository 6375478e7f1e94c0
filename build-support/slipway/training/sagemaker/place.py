"""The place sagemaker."""

from __future__ import annotations

from slipway.errors import SlipwayError
from slipway.settings import Settings
from slipway.training.place import StartedTraining, TrainingRequest
from slipway.training.run import PlaceName


class SageMakerPlace:
    """Train on SageMaker. See :class:`slipway.training.place.Place`."""

    name: PlaceName = "sagemaker"
    detachable = True

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def start(self, request: TrainingRequest) -> StartedTraining:
        """See :meth:`slipway.training.place.Place.start`."""
        raise SlipwayError(f"--on {self.name} is not there yet", fix="--on local")
