"""Invoke models on an endpoint, from an application.

from slipway.client import Endpoint

with Endpoint("production") as endpoint:
    answer = endpoint.model("screen_detection").predict({"IMAGE": photo})
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slipway.client.container import Container, ContainerReply
from slipway.client.endpoint import Endpoint
from slipway.client.errors import ConnectionFailed, InvocationError, ModelError
from slipway.client.model import Model, Prediction
from slipway.client.values import Integers, Numbers, Texts, Truths
from slipway.model.interface import Interface, Tensor

if TYPE_CHECKING:
    from slipway.client.captures import Captures

__all__ = [
    "Captures",
    "ConnectionFailed",
    "Container",
    "ContainerReply",
    "Endpoint",
    "Integers",
    "Interface",
    "InvocationError",
    "Model",
    "ModelError",
    "Numbers",
    "Prediction",
    "Tensor",
    "Texts",
    "Truths",
]


def __getattr__(name: str) -> Any:
    """Import :class:`Captures` when it is asked for: most applications do not capture."""
    if name == "Captures":
        from slipway.client.captures import Captures

        return Captures
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
