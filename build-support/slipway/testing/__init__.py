"""Test models through the path that requests take at the endpoint.

A model's tests use the fixture ``model``, a :class:`Model`::

    def test_a_photo_is_not_a_screen(model):
        assert model({"IMAGE": [photo]})["LABEL"][0, 0] == b"photo"
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slipway.server.client import InferenceError
    from slipway.testing.model import Model

__all__ = ["InferenceError", "Model"]

# they import numpy and a client, which those who only ask about a model do not need
_MODULES = {"InferenceError": "slipway.server.client", "Model": "slipway.testing.model"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
