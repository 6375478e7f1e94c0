"""Forests that only their own library can score: a model of Triton's Python backend."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from slipway.formats.format import Converted, Tensor

TEMPLATES = Path(__file__).parents[1] / "python_models"


def convert_to_python(
    library: str,
    source: Path,
    out: Path,
    served: Mapping[str, object],
    inputs: tuple[Tensor, ...],
    outputs: tuple[Tensor, ...],
    packages: tuple[str, ...],
) -> Converted:
    """Write ``model.py``, what it imports, the original file, and ``served.json`` about it."""
    name = f"original{source.suffix}"
    shutil.copyfile(source, out / name)
    shutil.copyfile(TEMPLATES / f"{library}_model.py", out / "model.py")
    answers = f"{library}_answers.py"
    shutil.copyfile(TEMPLATES / answers, out / answers)
    (out / "served.json").write_text(json.dumps({"file": name, **served}, indent=1) + "\n")
    return Converted(
        backend="python",
        files=("model.py", answers, name, "served.json"),
        inputs=inputs,
        outputs=outputs,
        packages=packages,
    )
