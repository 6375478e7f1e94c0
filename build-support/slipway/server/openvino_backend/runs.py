"""One run for all requests of a batch, with the native backend's own rules of a full batch.

openvino_backend, src/openvino.cc: ModelInstanceState::ProcessRequests, SetInputTensors,
ReadOutputTensors, ValidateOutputBatchSize. The messages are its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import openvino as ov

from slipway.server.backend_parts.splitting import Parts, split
from slipway.server.openvino_backend.network import attempt

type Array = np.ndarray[Any, Any]


class Runs:
    """The runs of one instance.

    How many rows a batch lacked is kept for the next one, as it is natively: after a batch that was
    filled up, a full one loses as many rows, and its requests fail.
    """

    def __init__(self, request: Any, rows: int, *, pads: bool) -> None:
        self._request = request
        self._rows = rows
        self._pads = pads
        self._padding = 0

    def answer(
        self, feeds: Sequence[Mapping[str, Array]], names: Sequence[str]
    ) -> dict[str, Parts]:
        """Return the parts of the outputs ``names``, one for each of ``feeds``.

        Raises:
            ValueError: all of them fail.
        """
        sizes = [len(next(iter(feed.values()))) for feed in feeds] if self._rows else None
        if sizes is not None:
            self._count(sizes)
        for name in feeds[0]:
            arrays = [feed[name] for feed in feeds]
            self._set(name, np.concatenate(arrays) if len(arrays) > 1 else arrays[0])
        attempt("running async inference", self._request.infer)
        return {name: split(name, self._output(name), None, sizes) for name in names}

    def _count(self, sizes: Sequence[int]) -> None:
        total = 0
        for size in sizes:
            total += size
            # compared after each request: requests that fill a batch together are refused, too
            if total != self._rows and not self._pads:
                raise ValueError(
                    f"expected requests with batch size '{self._rows}', got '{total}'... this error"
                    " can be avoided by setting 'ENABLE_BATCH_PADDING' parameter in model"
                    " configuration to 'YES' at a performance cost."
                )
            if total != self._rows:
                self._padding = self._rows - total

    def _set(self, name: str, array: Array) -> None:
        if not self._padding:
            tensor = ov.Tensor(np.ascontiguousarray(array))
            attempt("setting tensor data", self._request.set_tensor, name, tensor)
            return
        data = attempt("setting tensor data", self._request.get_tensor, name).data
        if data.nbytes < array.nbytes:
            raise ValueError(
                f"the input '{name}' has {array.nbytes} bytes, and its tensor {data.nbytes}:"
                " NVIDIA's backend writes behind the end of it, which ends the whole server"
            )
        flat = data.reshape(-1)
        flat[:] = 0
        flat[: array.size] = array.ravel()

    def _output(self, name: str) -> Array:
        # a copy: the next run writes to the same memory
        output = np.array(self._request.get_tensor(name).data)
        if not self._rows:
            return output
        kept = self._rows - self._padding
        if len(output) not in (self._rows, kept):
            raise ValueError(
                f"expected the batch size of openvino model output to be {self._rows}, got"
                f" {len(output)}"
            )
        return output[:kept]
