"""Test models through the path that requests take at the endpoint.

A model's tests use the fixture ``model``, a :class:`Model`::

    def test_a_photo_is_not_a_screen(model):
        assert model({"IMAGE": [photo]})["LABEL"][0, 0] == b"photo"
"""

from slipway.server.client import InferenceError
from slipway.testing.model import Model

__all__ = ["InferenceError", "Model"]
