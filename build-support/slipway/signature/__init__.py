"""Signatures: what weights say of their inputs and outputs, without loading or downloading them."""

from __future__ import annotations

from slipway.signature import onnx, sidecar
from slipway.signature.reading import Reading, State, add, graph_of, read_signature, sign
from slipway.signature.runtime import RUNTIMES, Runtime, runtime_of
from slipway.signature.signature import CARRIED, Dim, Shape, Signature, Tensor

__all__ = [
    "CARRIED",
    "RUNTIMES",
    "Dim",
    "Reading",
    "Runtime",
    "Shape",
    "Signature",
    "State",
    "Tensor",
    "add",
    "graph_of",
    "onnx",
    "read_signature",
    "runtime_of",
    "sidecar",
    "sign",
]
