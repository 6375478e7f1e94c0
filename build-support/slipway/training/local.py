"""The place ``local``: this machine."""

from __future__ import annotations

from slipway.errors import SlipwayError
from slipway.settings import Settings
from slipway.training.place import StartedTraining, TrainingRequest
from slipway.training.run import PlaceName


class LocalPlace:
    """Train on this machine. See :class:`slipway.training.place.Place`."""

    name: PlaceName = "local"
    detachable = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def start(self, request: TrainingRequest) -> StartedTraining:
        """See :meth:`slipway.training.place.Place.start`."""
        raise SlipwayError(f"--on {self.name} is not there yet", fix="ci/retrain")
