"""Answer rows with OpenVINO, on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import openvino

from slipway.formats.format import Array, Converted
from slipway.formats.rows import answer_in_batches


def answer(folder: Path, rows: Mapping[str, Array], converted: Converted) -> dict[str, Array]:
    """Return the answers of the ``.xml`` or ``.onnx`` file, by the names of the outputs."""
    file = next(name for name in converted.files if name.endswith((".xml", ".onnx")))
    model = openvino.Core().compile_model(str(folder / file), "CPU")

    def run(part: dict[str, Array]) -> dict[str, Array]:
        feed = {converted.served.get(name, name): array for name, array in part.items()}
        answers = model(feed)
        names = {o.name: converted.served.get(o.name, o.name) for o in converted.outputs}
        return {name: np.asarray(answers[served]) for name, served in names.items()}

    return answer_in_batches(run, dict(rows), converted.max_batch_size)


def versions() -> dict[str, str]:
    """Return the versions of what answered."""
    return {"openvino": openvino.__version__}
