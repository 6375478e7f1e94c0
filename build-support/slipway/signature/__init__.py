"""Signatures: the inputs and outputs of weights, read without loading or downloading them."""

from __future__ import annotations

from slipway.signature import onnx, sidecar
from slipway.signature.reading import (
    Reading,
    State,
    add_weights,
    graph_of,
    read_signature,
    sign_weights,
)
from slipway.signature.signature import CARRIED, Dim, GraphTensor, Shape, Signature

__all__ = [
    "CARRIED",
    "Dim",
    "GraphTensor",
    "Reading",
    "Shape",
    "Signature",
    "State",
    "add_weights",
    "graph_of",
    "onnx",
    "read_signature",
    "sidecar",
    "sign_weights",
]
