"""A model with an input and an output of every type that numpy has, and requests for it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from slipway.triton.datatypes import NUMPY_TYPES, Array
from tests import fixture_models

NAME = "every_type"
STEPS = (f"{NAME}_echo", f"{NAME}_caller")
TYPES = tuple(NUMPY_TYPES)
LAYOUTS = ("rows", "fortran", "stepped", "read-only", "broadcast")
FORMS = (*LAYOUTS, "bytes", "str", "dlpack", "threads")
CALLS = ("call", "async")
# a request's fixed names for a form of the echo, and a way to call
SELECTORS = ("FORM", "CALL")


def copy(into: Path, packages: Path | None = None, *, instances: int = 1) -> Path:
    """Return the model, ready to be loaded; its Python models import from ``packages``."""
    folder = into / NAME
    shutil.copytree(fixture_models.MODELS / NAME, folder)
    for model in STEPS:
        fixture_models.environment(folder / model / "python_env", packages)
        (folder / model / "config.pbtxt").write_text(_config(model, instances), encoding="utf-8")
    pipeline = folder / f"{NAME}_pipeline"
    (pipeline / "1").mkdir(parents=True)
    (pipeline / "config.pbtxt").write_text(_pipeline(), encoding="utf-8")
    return folder


def request(
    rows: int = 3, *, form: str = "rows", call: str = "call", seed: int = 0
) -> dict[str, Array]:
    """Return inputs of every type, with the extremes of each.

    All rows are alike where ``form`` requires it, and texts are what it can represent.
    """
    random = np.random.default_rng(seed)
    inputs: dict[str, Array] = {
        "FORM": np.array([form], dtype=object),
        "CALL": np.array([call], dtype=object),
    }
    for name, scalar in NUMPY_TYPES.items():
        inputs[name] = _texts(rows, form) if name == "BYTES" else _numbers(scalar, rows, random)
        if form == "broadcast":
            inputs[name] = np.repeat(inputs[name][:1], rows, axis=0)
    return inputs


def differences(inputs: dict[str, Array], outputs: dict[str, Array]) -> list[str]:
    """Return the types that did not come back as they were sent, through one step or both."""
    wrong = []
    for name in TYPES:
        for output in (f"{name}_BACK", f"{name}_AGAIN_BACK"):
            sent, returned = inputs[name], outputs[output]
            if (
                returned.dtype != sent.dtype
                or returned.shape != sent.shape
                or returned.tolist() != [[_as_bytes(v) for v in row] for row in sent.tolist()]
            ):
                wrong.append(f"{output}: {sent!r} became {returned!r}")
    return wrong


def _numbers(scalar: Any, rows: int, random: np.random.Generator) -> Array:
    if scalar is np.bool_:
        return random.integers(0, 2, (rows, 4)).astype(bool)
    if issubclass(scalar, np.integer):
        limits = np.iinfo(scalar)
        values = random.integers(limits.min, limits.max, (rows, 4), scalar, endpoint=True)
        values[:, :2] = limits.min, limits.max
        return values
    values = random.standard_normal((rows, 4)).astype(scalar)
    values[:, :2] = np.finfo(scalar).max, -np.inf
    return values


def _texts(rows: int, form: str) -> Array:
    row: list[str | bytes] = [b"", b"a", b"b" * 8, b"\xff" * 1001]
    if form == "str":
        row = ["", "h\u00e9", "\u65e5\u672c", "x" * 1001]
    elif form != "bytes":  # numpy's own type of bytes ends at the last that is not NUL
        row[1] = b"a\0b\0"
    return np.array([row] * rows, dtype=object).reshape(rows, 4)


def _as_bytes(value: object) -> object:
    return value.encode() if isinstance(value, str) else value


def _type(name: str) -> str:
    return "TYPE_STRING" if name == "BYTES" else f"TYPE_{name}"


def _config(model: str, instances: int) -> str:
    suffix = "_AGAIN" if model.endswith("_caller") else ""
    lines = [f'name: "{model}"', 'backend: "python"', "max_batch_size: 0"]
    lines += ['input { name: "FORM" data_type: TYPE_STRING dims: 1 }']
    for name in TYPES:
        tensor = f"data_type: {_type(name)} dims: [ -1, -1 ]"
        lines.append(f'input {{ name: "{name}{suffix}" {tensor} }}')
        lines.append(f'output {{ name: "{name}{suffix}_BACK" {tensor} }}')
    lines.append(f"instance_group {{ kind: KIND_CPU count: {instances} }}")
    path = "$$TRITON_MODEL_DIRECTORY/python_env"
    lines.append(f'parameters {{ key: "EXECUTION_ENV_PATH" value {{ string_value: "{path}" }} }}')
    return "\n".join(lines) + "\n"


def _pipeline() -> str:
    lines = [f'name: "{NAME}_pipeline"', 'platform: "ensemble"', "max_batch_size: 0"]
    lines += [f'input {{ name: "{name}" data_type: TYPE_STRING dims: 1 }}' for name in SELECTORS]
    steps: dict[str, list[str]] = {step: [] for step in STEPS}
    for step, selector in zip(STEPS, SELECTORS, strict=True):
        steps[step].append(f'input_map {{ key: "FORM" value: "{selector}" }}')
    echo, caller = STEPS
    for name in TYPES:
        tensor = f"data_type: {_type(name)} dims: [ -1, -1 ]"
        lines.append(f'input {{ name: "{name}" {tensor} }}')
        again = f"{name}_AGAIN"
        lines += [f'output {{ name: "{output}_BACK" {tensor} }}' for output in (name, again)]
        steps[echo].append(f'input_map {{ key: "{name}" value: "{name}" }}')
        steps[echo].append(f'output_map {{ key: "{name}_BACK" value: "{name}_BACK" }}')
        steps[caller].append(f'input_map {{ key: "{again}" value: "{name}_BACK" }}')
        steps[caller].append(f'output_map {{ key: "{again}_BACK" value: "{again}_BACK" }}')
    lines.append("ensemble_scheduling {")
    for step, maps in steps.items():
        lines += ["step {", f'model_name: "{step}"', "model_version: -1", *maps, "}"]
    return "\n".join([*lines, "}"]) + "\n"
