"""Ask a model for many rows: in batches, within a number of requests."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from slipway.errors import SlipwayError
from slipway.model.interface import Interface
from slipway.triton.datatypes import Array

# the tensors of one row, without the batch's dimension
Row = Mapping[str, Array]
# takes the tensors of a request, of at most max_batch_size rows
Ask = Callable[[Mapping[str, Array]], Mapping[str, Array]]


class Asker:
    """Asks for rows, and counts rows and requests.

    ``largest`` is the most bytes of one request, ``requests`` the most of them.
    """

    def __init__(
        self,
        ask: Ask,
        interface: Interface,
        *,
        requests: int,
        largest: int,
        on_request: Callable[[int, int], None] | None = None,
    ) -> None:
        self.interface = interface
        self.requests = self.rows = 0
        self._ask = ask
        self._most = requests
        self._largest = largest
        self._on_request = on_request
        self._row_bytes = 1

    @property
    def batch(self) -> int:
        """Return how many rows go into one request."""
        fits = max(1, self._largest // self._row_bytes)
        return min(max(1, self.interface.max_batch_size), fits)

    def room(self) -> int:
        """Return how many rows may still be asked."""
        return max(0, self._most - self.requests) * self.batch

    def expect(self, row: Row) -> None:
        """Take ``row`` for one of usual size.

        Raises:
            SlipwayError: it is too large for a request.
        """
        self._row_bytes = _size(row)
        if self._row_bytes > self._largest:
            raise SlipwayError(
                f"one row has {self._row_bytes:,} bytes, and a request {self._largest:,}",
                fix="make it smaller: scale pictures down, cut recordings",
            )

    def ask(self, rows: Iterable[Row]) -> list[Row]:
        """Return the outputs of each row.

        Raises:
            SlipwayError: the model refuses a request.
        """
        return [answer for batch in self._batches(rows) for answer in self._send(batch)]

    def _batches(self, rows: Iterable[Row]) -> Iterator[list[Row]]:
        batch: list[Row] = []
        size = 0
        most = max(1, self.interface.max_batch_size)
        for row in rows:
            added = _size(row)
            if batch and (len(batch) == most or size + added > self._largest):
                yield batch
                batch, size = [], 0
            batch.append(row)
            size += added
        if batch:
            yield batch

    def _send(self, rows: list[Row]) -> list[Row]:
        batches = self.interface.batches
        tensors = (
            {name: np.stack([row[name] for row in rows]) for name in rows[0]}
            if batches
            else rows[0]
        )
        outputs = self._ask(tensors)
        self.requests += 1
        self.rows += len(rows)
        if self._on_request is not None:
            self._on_request(self.requests, self._most)
        if not batches:
            return [outputs]
        return [{name: array[i] for name, array in outputs.items()} for i in range(len(rows))]


def _size(row: Row) -> int:
    """Return the bytes of a row's tensors in a request."""
    return sum(
        (
            sum(len(element) + 4 for element in array.ravel())
            if array.dtype == object
            else math.prod(array.shape) * array.itemsize
        )
        for array in row.values()
    )
