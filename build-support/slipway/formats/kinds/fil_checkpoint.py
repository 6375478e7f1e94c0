"""Checkpoints of treelite, which FIL serves as they are."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents
from slipway.formats.forests.checkpoint_file import require_known
from slipway.formats.forests.choose import FIL, ONNX, problem_of_fil
from slipway.formats.forests.serve_fil import CHECKPOINT, CONTRIBUTIONS, convert_to_fil
from slipway.formats.forests.serve_onnx import convert_to_onnx
from slipway.formats.forests.settings import read_settings
from slipway.formats.forests.versions import versions
from slipway.formats.format import Array, Arrays, Cause, Choice, Converted, Options, Recognised
from slipway.triton.checkpoint_head import read_checkpoint_head


class FilCheckpoint:
    """Files of ``treelite.Model.serialize``."""

    name = "fil_checkpoint"
    title = "a checkpoint of treelite for FIL"

    def recognise(self, contents: Contents) -> Recognised | None:
        """Return version and size, read in the file's first numbers."""
        head = read_checkpoint_head(contents.head)
        if head is None:
            return None
        require_known(head, contents.path)
        version = ".".join(map(str, head.version))
        facts: dict[str, str | int | float | bool] = {
            "version": version,
            "trees": head.trees,
            "features": head.features,
            "targets": head.targets,
        }
        return Recognised(f"a checkpoint of treelite {version}, {head.trees:,} trees", facts)

    def choose(self, recognised: Recognised, triton: str) -> Choice:
        """Return FIL, whose format it is; ONNX Runtime where FIL cannot serve it."""
        several = int(recognised.facts.get("targets", 1)) > 1
        problem = "FIL has no models of several targets" if several else problem_of_fil(triton)
        if problem is not None:
            return Choice("onnxruntime", problem)
        return Choice("fil", f"FIL's own format, {FIL}", {"onnxruntime": ONNX})

    def requirements(self, recognised: Recognised, backend: str) -> str:
        """Return the lock with treelite and onnx."""
        return "fil_checkpoint.txt"

    def convert(self, source: Path, out: Path, options: Options) -> Converted:
        """Copy the file for FIL, or write a graph."""
        from slipway.formats.forests.model_features import features_of
        from slipway.formats.graphs.scores import task_of

        settings = read_settings(options.settings)
        model = _load(source)
        write = convert_to_fil if options.backend == "fil" else convert_to_onnx
        converted = write(model, task_of(model), out, options, settings)
        if options.backend == "fil":
            shutil.copyfile(source, out / CHECKPOINT)  # as it is, whichever version wrote it
        [rows] = converted.inputs
        note = "a checkpoint keeps no names: features are called f0, f1 …"
        return replace(
            converted,
            inputs=(replace(rows, features=features_of(model)),),
            notes=(*converted.notes, note),
            versions=versions("treelite", "onnx", "numpy"),
        )

    def reference(
        self, source: Path, rows: Arrays, converted: Converted, options: Options
    ) -> dict[str, Array]:
        """Return what treelite's own interpreter (GTIL) answers."""
        import treelite

        settings = read_settings(options.settings)
        values = np.asarray(rows[converted.inputs[0].name], np.float32)
        if settings.missing is not None:
            values = np.where(values == settings.missing, np.float32(np.nan), values)
        found = np.asarray(treelite.gtil.predict(_load(source), values))
        scores = found.reshape(len(values), -1).astype(np.float32)
        return {
            output.name: _answer(output.name, output.datatype, output.dims, scores, settings)
            for output in converted.outputs
            if output.name != CONTRIBUTIONS  # treelite explains nothing: not compared
        }

    def causes(
        self, source: Path, converted: Converted, rows: Arrays, differs: Array
    ) -> tuple[Cause, ...]:
        """Return nothing: no model is known whose answers differ."""
        return ()


def _answer(name: str, datatype: str, dims: tuple[int, ...], scores: Array, settings: Any) -> Array:
    if name != "label":
        pairs = dims == (2,) and scores.shape[1] == 1
        return np.concatenate([1 - scores, scores], 1) if pairs else scores
    label: Array = scores > settings.threshold
    if scores.shape[1] > 1 and dims in ((), (1,)):
        label = scores.argmax(1).reshape(-1, 1)
    return label.astype(np.float32 if datatype == "FP32" else np.int64)


def _load(source: Path) -> Any:
    import treelite

    try:
        return treelite.Model.deserialize(str(source))
    except treelite.TreeliteError as error:
        what = f"treelite does not load it: {str(error).strip().splitlines()[0]}"
        fix = "copy the file again; compare its size with the original"
        raise SlipwayError(what, where=str(source), fix=fix) from error


FORMAT = FilCheckpoint()
