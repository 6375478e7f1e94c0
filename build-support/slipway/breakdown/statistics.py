"""Triton's own statistics of each model, and what was added to them.

https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/protocol/extension_statistics.html
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import quote

from slipway.errors import SlipwayError
from slipway.server.client import HOST

TIMEOUT_S = 10.0
MILLISECONDS = 1e6  # of nanoseconds


@dataclass(frozen=True)
class Spent:
    """What one model took, in nanoseconds of wall time over ``requests``, run in ``runs`` batches.

    ``whole`` is from the request's arrival at the model to its answer: the wait in its queue, the
    copies of its inputs, the model itself, and the copies of its outputs, and what lies between.
    """

    requests: int = 0
    runs: int = 0
    whole: int = 0
    queue: int = 0
    inputs: int = 0
    compute: int = 0
    outputs: int = 0

    def __sub__(self, other: Spent) -> Spent:
        """Return what was added since ``other``."""
        return Spent(
            **{f.name: getattr(self, f.name) - getattr(other, f.name) for f in fields(self)}
        )

    def each(self, what: str) -> float:
        """Return milliseconds a request of one of the times."""
        value: int = getattr(self, what)
        return value / self.requests / MILLISECONDS if self.requests else 0.0

    @property
    def batch(self) -> float:
        """Return how many requests were run together, on average."""
        return self.requests / self.runs if self.runs else 0.0


def read_statistics(port: int, models: Iterable[str]) -> Mapping[str, Spent]:
    """Return the statistics of ``models`` of the server whose HTTP port is ``port``.

    Each is asked for alone: of all at once, Triton 24.10 knows none by the name that it lists where
    models have namespaces.

    Raises:
        SlipwayError: it does not answer with statistics.
    """
    connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT_S)
    try:
        found: dict[str, Spent] = {}
        for model in models:
            connection.request("GET", f"/v2/models/{quote(model)}/stats")
            response = connection.getresponse()
            text = response.read()
            if response.status != http.client.OK:
                raise ValueError(f"status {response.status}: {text[:200]!r}")
            found |= parse_statistics(json.loads(text))
        return found
    except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
        raise SlipwayError(
            f"Triton gives no statistics: {error}",
            fix="its log says why; slipway doctor shows which Triton is used",
        ) from error
    finally:
        connection.close()


def parse_statistics(document: Mapping[str, Any]) -> dict[str, Spent]:
    """Return what Triton answered, by model; versions of a model are added."""
    found: dict[str, Spent] = {}
    for model in document["model_stats"]:
        times = model["inference_stats"]
        before = found.get(model["name"], Spent())
        found[model["name"]] = Spent(
            before.requests + int(times["success"]["count"]),
            before.runs + int(model["execution_count"]),
            before.whole + int(times["success"]["ns"]),
            before.queue + int(times["queue"]["ns"]),
            before.inputs + int(times["compute_input"]["ns"]),
            before.compute + int(times["compute_infer"]["ns"]),
            before.outputs + int(times["compute_output"]["ns"]),
        )
    return found
