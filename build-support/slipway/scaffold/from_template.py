"""Create a working sample from templates; its own training script produces the weights."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from slipway import process
from slipway.errors import SlipwayError
from slipway.scaffold import render, writing
from slipway.settings import Settings

KINDS = ("image", "tabular", "text")
DEFAULT_BATCH = 16
EXPORT = "training/export.py"


def write(
    name: str,
    kind: str,
    settings: Settings,
    *,
    version: str = "0.1.0",
    max_batch_size: int = DEFAULT_BATCH,
) -> Path:
    """Write the sample ``kind``, one of ``KINDS``, to ``models/<name>`` and return its path.

    Raises:
        SlipwayError: as ``write_folder``, or ``max_batch_size`` is below 1; no files are left
            behind.
    """
    if max_batch_size < 1:
        raise SlipwayError("the samples need batches", fix="use --max-batch-size 1 or more")

    def fill(folder: Path) -> list[Path]:
        render.render(kind, name, version, {"max_batch_size": max_batch_size}, folder)
        # run as the user will run it; bytecode would end up in the artifact
        process.run(
            [sys.executable, EXPORT],
            what=f"creating the weights of {name}",
            cwd=folder,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        )
        return [folder / f"{name}_inferencer" / "1" / "model.onnx"]

    return writing.write_folder(name, kind, version, settings, fill)
