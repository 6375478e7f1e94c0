"""A working sample of one kind, from templates; its weights are made by its own training script."""

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
    """Write the sample ``kind``, one of ``KINDS``, to ``models/<name>``.

    Raises:
        SlipwayError: as ``writing.write``, or no batches are asked for; then nothing is left.
    """
    if max_batch_size < 1:
        raise SlipwayError("the samples take batches", fix="--max-batch-size 1, or more")

    def fill(folder: Path) -> list[Path]:
        render.render(kind, name, version, {"max_batch_size": max_batch_size}, folder)
        # as its reader will run it; no bytecode beside what is served
        process.run(
            [sys.executable, EXPORT],
            what=f"making the weights of {name}",
            cwd=folder,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        )
        return [folder / f"{name}_inferencer" / "1" / "model.onnx"]

    return writing.write(name, kind, version, settings, fill)
