"""Conversions as the library makes them, of graphs that need no framework."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from slipway.formats.conversion import Conversion
from slipway.formats.format import Arrays, Choice, Converted, Feature, Options, Recognised, Tensor
from tests.scaffold.graphs import node, save, tensor

STRING = 8  # onnx.TensorProto.STRING
FEATURES = (
    Feature("age", 0, 80, missing=True),
    Feature("fare paid", 0, 500, missing=True),
    Feature("class", 1, 3, integer=True),
)


def conversion(
    folder: Path, converted: Converted, rows: Arrays, answers: Arrays, difference: float = 0.0
) -> Conversion:
    """Return a conversion of the files of ``converted``, which lie in ``folder``."""
    source, lock = folder / "trained.bin", folder / "kind.txt"
    source.write_bytes(b"what a training wrote")
    lock.write_text("numpy==1.26.4 --hash=sha256:0\n")
    files = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in converted.files
    }
    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    return Conversion(
        source=source,
        format="sample",
        recognised=Recognised("a sample of 3 columns"),
        choice=Choice(converted.backend, "it is small", {"python": "exact, and slower"}),
        options=Options(converted.backend, "24.10"),
        lock=lock,
        folder=folder,
        converted=converted,
        rows=rows,
        drawn=True,
        answers=answers,
        difference=difference,
        record={
            "format": "sample",
            "about": "a sample of 3 columns",
            "backend": converted.backend,
            "source": {"name": source.name, "sha256": sha256, "size": source.stat().st_size},
            "options": {},
            "versions": dict(converted.versions),
            "lock": hashlib.sha256(lock.read_bytes()).hexdigest(),
            "files": files,
            "rows": {"count": len(next(iter(rows.values()))), "drawn": True},
            "difference": difference,
            "tolerance": converted.tolerance,
            "repairs": list(converted.repairs),
            "notes": list(converted.notes),
        },
    )


def wide(folder: Path, features: tuple[Feature, ...] = FEATURES) -> Conversion:
    """Return a model of one wide input: the mean of its columns."""
    folder.mkdir(parents=True, exist_ok=True)
    save(
        folder / "model.onnx",
        [node("ReduceMean", ["X"], ["mean"], keepdims=0, axes=[1])],
        [tensor("X", ["N", 3])],
        [tensor("mean", ["N"])],
    )
    rows = np.arange(60, dtype=np.float32).reshape(20, 3)
    rows[3, 0] = np.nan
    converted = Converted(
        "onnxruntime",
        ("model.onnx",),
        (Tensor("table", "FP32", (3,), features),),
        (Tensor("average", "FP32", ()),),
        served={"table": "X", "average": "mean"},
        repairs=("the output 'mean' is called 'average'",),
        versions={"sample": "1.0"},
    )
    return conversion(
        folder, converted, {"table": rows}, {"average": rows.mean(axis=1, dtype=np.float32)}
    )


def columns(folder: Path) -> Conversion:
    """Return a model of one input for each column, of numbers and of text."""
    folder.mkdir(parents=True, exist_ok=True)
    save(
        folder / "model.onnx",
        [node("Add", ["fare", "age"], ["sum"]), node("Identity", ["sex"], ["kind"])],
        [tensor("fare", ["N", 1]), tensor("age", ["N", 1]), tensor("sex", ["N", 1], STRING)],
        [tensor("sum", ["N", 1]), tensor("kind", ["N", 1], STRING)],
    )
    fare = np.array([[7.25], [71.5], [np.nan]], np.float32)
    age = np.array([[22], [38], [26]], np.float32)
    sex = np.array([["male"], ["female"], [""]], object)
    converted = Converted(
        "onnxruntime",
        ("model.onnx",),
        (
            Tensor("fare", "FP32", (1,), (Feature("fare", missing=True),)),
            Tensor("age", "FP32", (1,), (Feature("age"),)),
            Tensor("sex", "BYTES", (1,), (Feature("sex", missing=True, values=("male",)),)),
        ),
        (Tensor("sum", "FP32", (1,)), Tensor("kind", "BYTES", (1,))),
    )
    rows = {"fare": fare, "age": age, "sex": sex}
    return conversion(folder, converted, rows, {"sum": fare + age, "kind": sex})
