"""Tests of models, through the served endpoint's own path.

A model's tests take the fixture ``model``, a :class:`Model`::

    def test_a_photo_is_no_screen(model):
        assert model({"IMAGE": [photo]})["LABEL"][0, 0] == b"photo"
"""

from slipway.server.client import InferenceError
from slipway.testing.model import Model

__all__ = ["InferenceError", "Model"]
