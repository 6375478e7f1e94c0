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
from slipway.signature.runtime import RUNTIMES, OnnxRuntime, runtime_of
from slipway.signature.signature import CARRIED, Dim, GraphTensor, Shape, Signature

__all__ = [
    "CARRIED",
    "RUNTIMES",
    "Dim",
    "GraphTensor",
    "OnnxRuntime",
    "Reading",
    "Shape",
    "Signature",
    "State",
    "add_weights",
    "graph_of",
    "onnx",
    "read_signature",
    "runtime_of",
    "sidecar",
    "sign_weights",
]
