"""A served model as a function: values in, arrays out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipway.model.config_interface import interface_of_folder
from slipway.model.interface import as_array
from slipway.server.triton import Server
from slipway.triton.datatypes import Array


class Model:
    """A model on a running server.

    Calling it sends one request. Arrays go as they are; bytes, strings, numbers and lists of them
    take the type that the config declares. Sizes of 1 and the batch may be left out where only one
    reading remains: for an input of ``dims: 1`` in a batch, ``b"…"`` is one element and
    ``[b"…", b"…"]`` a batch of two.
    """

    def __init__(self, server: Server, target: str) -> None:
        self.server = server
        self.target = target
        self.interface = interface_of_folder(server.folder(target))

    def __call__(self, inputs: Mapping[str, Any]) -> dict[str, Array]:
        """Outputs by name, with their batch dimension; strings are ``bytes`` in object arrays.

        Raises:
            InferenceError: the request was refused, or the model failed on it.
            SlipwayError: a value can be read in more than one way, or in none.
        """
        return self.server.invoke(self.target, self.arrays(inputs))

    def arrays(self, inputs: Mapping[str, Any]) -> dict[str, Array]:
        """``inputs`` as they are sent.

        Raises:
            SlipwayError: as when calling.
        """
        declared = self.interface.inputs
        return {
            name: as_array(name, value, declared.get(name), self.interface.batches)
            for name, value in inputs.items()
        }
