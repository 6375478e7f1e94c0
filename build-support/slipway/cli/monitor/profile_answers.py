"""Ask a model for its answers to rows: on an endpoint, or served here as ``slipway test`` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from slipway.cli.building import build_artifact
from slipway.cli.progress import working
from slipway.errors import SlipwayError
from slipway.triton.datatypes import BYTES, Array

if TYPE_CHECKING:
    from slipway.model.interface import Interface
    from slipway.settings import Settings

Ask = Callable[[Mapping[str, Array]], Mapping[str, Array]]


def ask_model(
    settings: Settings,
    folder: Path,
    interface: Interface,
    rows: Mapping[str, Array],
    where: str | None,
) -> dict[str, list[Array]]:
    """Return the outputs for ``rows`` by name, one array of each batch.

    Raises:
        SlipwayError: the model cannot be built, served or reached, or refuses a row.
    """
    sent = {name: _encoded(array, interface, name) for name, array in rows.items()}
    if where is not None:
        from slipway.client import Endpoint

        with Endpoint(where, is_probe=True) as endpoint:
            model = endpoint.model(folder.name)
            return ask_in_batches(lambda part: model.predict(part), sent, interface)
    from slipway.testing.served_artifact import ServedArtifact, ServedModel

    artifact = build_artifact(folder, settings, Path("dist"))
    with working(f"starting a server for {folder.name}"):
        served = ServedArtifact(settings, folder, artifact.path)
        served.__enter__()
    try:
        return ask_in_batches(ServedModel(served), sent, interface)
    finally:
        served.__exit__(None, None, None)


def ask_in_batches(
    ask: Ask, rows: Mapping[str, Array], interface: Interface
) -> dict[str, list[Array]]:
    """Return the outputs of rows that are asked in the model's largest batches.

    Raises:
        SlipwayError: the model refuses a row; names the rows of the request.
    """
    count = len(next(iter(rows.values())))
    step = max(1, interface.max_batch_size)
    outputs: dict[str, list[Array]] = {}
    with working(f"asking the model for {count:,} answers"):
        for start in range(0, count, step):
            part = {name: array[start : start + step] for name, array in rows.items()}
            if not interface.batches:
                part = {name: array[0] for name, array in part.items()}
            try:
                answer = ask(part)
            except SlipwayError as error:
                end = min(start + step, count)
                raise SlipwayError(
                    f"rows {start + 1} to {end}: {error.what}", where=error.where, fix=error.fix
                ) from error
            for name, array in answer.items():
                kept = array if interface.batches else np.asarray(array)[np.newaxis]
                outputs.setdefault(name, []).append(kept)
    return outputs


def _encoded(array: Array, interface: Interface, name: str) -> Array:
    """Return texts as UTF-8, which is what a request has."""
    if interface.inputs[name].datatype != BYTES:
        return array
    encoded = np.empty(array.shape, dtype=object)
    for index, element in np.ndenumerate(array):
        encoded[index] = element.encode() if isinstance(element, str) else element
    return encoded
