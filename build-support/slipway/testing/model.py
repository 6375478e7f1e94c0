"""Call a served model like a function: values in, arrays out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipway.model.config_interface import interface_of_folder
from slipway.model.interface import as_array
from slipway.server.server import Server
from slipway.triton.datatypes import Array


class Model:
    """A model on a running server.

    Calling it sends one request. Arrays are sent unchanged; bytes, strings, numbers and lists of
    them get the type that the config declares. Sizes of 1 and the batch may be left out if
    the meaning is unambiguous: for an input of ``dims: 1`` in a batch, ``b"…"`` is one element and
    ``[b"…", b"…"]`` a batch of two.
    """

    def __init__(self, server: Server, target: str) -> None:
        self.server = server
        self.target = target
        self.interface = interface_of_folder(server.folder(target))
        # the arrays and parameters of the last request that was answered
        self.answered: tuple[Mapping[str, Array], Mapping[str, Any]] | None = None

    def __call__(
        self, inputs: Mapping[str, Any], parameters: Mapping[str, Any] | None = None
    ) -> dict[str, Array]:
        """Return outputs by name, with their batch dimension.

        Strings are ``bytes`` in object arrays. ``parameters`` are the request's own, which a model
        of sequences needs: ``{"sequence_id": 7, "sequence_start": True}``.

        Raises:
            InferenceError: the request was refused, or the model failed on it.
            SlipwayError: a value is ambiguous, or does not fit the input.
        """
        arrays = self.arrays(inputs)
        answer = self.server.invoke(self.target, arrays, parameters)
        self.answered = (arrays, parameters or {})
        return answer

    def arrays(self, inputs: Mapping[str, Any]) -> dict[str, Array]:
        """Return ``inputs`` as they are sent.

        Raises:
            SlipwayError: as when calling.
        """
        declared = self.interface.inputs
        return {
            name: as_array(name, value, declared.get(name), self.interface.batches)
            for name, value in inputs.items()
        }
