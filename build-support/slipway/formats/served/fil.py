"""Answer rows with treelite's GTIL, the reference of what a forest in a checkpoint means.

The options are those of fil_backend's docs/model_config.md. An output that GTIL does not have
(``treeshap_output``) is left out, and so not compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import treelite
from treelite import gtil

from slipway.formats.format import Array, Converted

SHAP = "treeshap_output"


def answer(folder: Path, rows: Mapping[str, Array], converted: Converted) -> dict[str, Array]:
    """Return the answers of the first file, by the names of ``converted.outputs``."""
    model = treelite.Model.deserialize(str(folder / converted.files[0]))
    (data,) = rows.values()
    count = len(data)
    scores: Array = np.asarray(gtil.predict(model, data.astype(np.float32)), np.float32)
    scores = scores.reshape(count, -1)
    output = next(o for o in converted.outputs if converted.served.get(o.name, o.name) != SHAP)
    wants = {name for name, value in converted.parameters.items() if value == "true"}
    if wants & {"output_class", "is_classifier"} and "predict_proba" not in wants:
        threshold = float(converted.parameters.get("threshold", "0.5"))
        single = scores.shape[1] == 1
        scores = (scores > threshold) if single else scores.argmax(axis=1)[:, np.newaxis]
    elif "predict_proba" in wants and scores.shape[1] == 1 and output.dims == (2,):
        scores = np.concatenate([1 - scores, scores], axis=1)
    return {output.name: scores.astype(np.float32).reshape(count, *output.dims)}


def versions() -> dict[str, str]:
    """Return the versions of what answered."""
    return {"treelite": treelite.__version__}
