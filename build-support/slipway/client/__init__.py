"""Invoke models on an endpoint, from an application.

from slipway.client import Endpoint

with Endpoint("production") as endpoint:
    answer = endpoint.model("screen_detection").predict({"IMAGE": photo})
"""

from slipway.client.container import Container, ContainerReply
from slipway.client.endpoint import Endpoint
from slipway.client.errors import ConnectionFailed, InvocationError, ModelError
from slipway.client.model import Model, Prediction
from slipway.client.values import Integers, Numbers, Texts, Truths
from slipway.model.interface import Interface, Tensor

__all__ = [
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
