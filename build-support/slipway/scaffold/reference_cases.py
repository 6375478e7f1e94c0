"""Write golden cases from the reference rows of a conversion and the framework's own answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from slipway.formats.conversion import Conversion
from slipway.formats.format import Array, Arrays
from slipway.scaffold.golden_case import write_case
from slipway.scaffold.steps import Steps, StepTensor
from slipway.triton.comparison import Tolerance
from slipway.triton.datatypes import numpy_type

CASES = 4
ROWS = 8  # of a case
LARGEST = 1 << 18  # numbers in the inputs and outputs of a case; more than one row only below it
CLOSE = 3e-6  # a difference up to which the usual tolerances of golden cases hold


def write_cases(tests: Path, conversion: Conversion, steps: Steps) -> dict[str, Array]:
    """Write ``cases/reference`` and more below ``tests``; return the answers of the first."""
    if conversion.difference is None:  # nothing here can run what is served
        return {}
    tolerance = None
    if conversion.difference > CLOSE:
        agreed = float(conversion.record["tolerance"])
        tolerance = Tolerance(agreed, agreed)
    first: dict[str, Array] = {}
    for number, (inputs, outputs) in enumerate(_cases(conversion, steps), 1):
        name = "reference" if number == 1 else f"reference_{number}"
        write_case(tests / "cases" / name, inputs, outputs, tolerance)
        first = first or outputs
    return first


def reference_tensors(
    conversion: Conversion, steps: Steps
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return all reference rows as clients send them, and the answers as they get them."""
    return _tensors(conversion, steps, slice(None))


def _cases(
    conversion: Conversion, steps: Steps
) -> Iterator[tuple[dict[str, Array], dict[str, Array]]]:
    total = len(next(iter(conversion.rows.values())))
    row = sum(a[0].size for a in (*conversion.rows.values(), *conversion.answers.values()))
    # a test sends a case twice in one batch
    size = max(1, min(ROWS, steps.max_batch_size // 2, LARGEST // max(row, 1)))
    for start in range(0, min(total, size * CASES), size):
        part = slice(start, start + size) if steps.max_batch_size else start
        yield _tensors(conversion, steps, part)


def _tensors(
    conversion: Conversion, steps: Steps, part: slice | int
) -> tuple[dict[str, Array], dict[str, Array]]:
    inputs, outputs = conversion.converted.inputs, conversion.converted.outputs
    return (
        dict(
            column
            for declared, step in zip(inputs, steps.inputs, strict=True)
            for column in _columns(_cast(conversion.rows, declared.name, step)[part], step)
        ),
        {
            step.public: _whole(_cast(conversion.answers, declared.name, step)[part], step)
            for declared, step in zip(outputs, steps.outputs, strict=True)
        },
    )


def _cast(arrays: Arrays | Mapping[str, Array], name: str, step: StepTensor) -> Array:
    return np.asarray(arrays[name]).astype(numpy_type(step.datatype))


def _whole(array: Array, step: StepTensor) -> Array:
    """Return the rows as clients see them: a row without dimensions of its own has one of 1."""
    return array.reshape((*array.shape, 1)) if step.scalar else array


def _columns(array: Array, step: StepTensor) -> Iterator[tuple[str, Array]]:
    if not step.joined:
        yield step.clients[0].public, _whole(array, step)
        return
    for number, client in enumerate(step.clients):
        yield client.public, array[:, number : number + 1]
