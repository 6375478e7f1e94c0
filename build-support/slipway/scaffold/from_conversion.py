"""Create a model folder from a conversion; everything in it is derived from what was converted."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.formats.conversion import Conversion
from slipway.profile.build import build_profile
from slipway.profile.profile import FILE_NAME
from slipway.scaffold import original, reference_cases, render, writing
from slipway.scaffold.columns import Wish
from slipway.scaffold.steps import Steps, plan_converted
from slipway.settings import Settings
from slipway.signature.trial.graph import read_graph

KIND = "weights"
CASE = "cases/reference"
ONNX, PYTHON = "onnxruntime", "python"
CODE = ".py"  # what is reviewed in git; all other files are weights


@dataclass(frozen=True)
class Plan:
    """What is written for a conversion.

    ``gpu``: the inferencer's instances need one. ``rows`` is the user's file of reference rows.
    """

    conversion: Conversion
    steps: Steps
    gpu: bool
    rows: Path | None = None


def plan(
    conversion: Conversion,
    *,
    max_batch_size: int | None = None,
    columns: Wish = None,
    gpu: bool = False,
    rows: Path | None = None,
) -> Plan:
    """Return names, dims and columns for a conversion.

    ``max_batch_size`` is at most what the conversion allows, and by default that.

    Raises:
        SlipwayError: columns were asked for, and the file names none.
    """
    converted = conversion.converted
    batch = converted.max_batch_size
    if max_batch_size is not None:
        batch = min(batch, max_batch_size)
    steps = plan_converted(converted, batch, columns, _stated(conversion))
    return Plan(conversion, steps, gpu or converted.gpu, rows)


def write(name: str, planned: Plan, settings: Settings, *, version: str = "0.1.0") -> Path:
    """Write ``models/<name>`` and return its path.

    Raises:
        SlipwayError: as ``write_folder``; no files are left behind.
    """

    def fill(folder: Path) -> list[Path]:
        conversion, steps = planned.conversion, planned.steps
        answers = reference_cases.write_cases(folder / "tests", conversion, steps)
        render.render(KIND, name, version, _values(planned, answers), folder)
        target = folder / f"{name}_inferencer" / "1"
        target.mkdir(parents=True, exist_ok=True)
        for file in conversion.converted.files:
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(conversion.folder / file, target / file)
        _write_profile(folder, planned)
        kept = original.write_original(folder, name, conversion, planned.rows)
        weights = [file for file in conversion.converted.files if not file.endswith(CODE)]
        return [*kept, *(target / file for file in weights)]

    return writing.write_folder(name, KIND, version, settings, fill)


def _write_profile(folder: Path, planned: Plan) -> None:
    """Write the reference profile of the user's rows. Drawn ones are like no request.

    The answers are the framework's, from which those of what is served do not differ more than the
    tolerance.
    """
    conversion = planned.conversion
    if planned.rows is None or conversion.difference is None:
        return
    inputs, outputs = reference_cases.reference_tensors(conversion, planned.steps)
    try:
        made = build_profile(
            inputs,
            outputs,
            source=planned.rows.name,
            batches=planned.steps.max_batch_size > 0,
        )
    except ImportError:  # pictures need the extra "monitoring"
        return
    (folder / FILE_NAME).write_bytes(made.dump())


def _stated(conversion: Conversion) -> dict[str, bool]:
    if conversion.converted.backend != ONNX:
        return {}
    graph = read_graph(conversion.folder / conversion.converted.files[0])
    return {tensor.name: tensor.stated for tensor in (*graph.inputs, *graph.outputs)}


def _values(planned: Plan, answers: dict[str, Any]) -> dict[str, Any]:
    conversion, steps = planned.conversion, planned.steps
    converted = conversion.converted
    kind = "KIND_GPU" if planned.gpu else "KIND_CPU" if converted.backend == PYTHON else ""
    return {
        "backend": converted.backend,
        "parameters": converted.parameters,
        "kind": kind,
        "packages": converted.packages,
        "max_batch_size": steps.max_batch_size,
        "inputs": steps.inputs,
        "outputs": steps.outputs,
        "clients": steps.clients,
        "joined": any(tensor.joined for tensor in steps.inputs),
        "columns": any(tensor.joined for tensor in steps.inputs)
        or any(client.fill for client in steps.clients),
        "optional": (),
        "example": bool(answers),
        "golden": bool(answers),
        "place": CASE,
        "answer": [(name, str(array.dtype), array.shape) for name, array in answers.items()],
        "conversion": conversion,
    }
