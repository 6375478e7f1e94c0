"""CatBoost's own format, CBM."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents
from slipway.formats.forests.catboost_file import (
    CATEGORY,
    PLAIN,
    CatBoostFile,
    is_catboost,
    load_catboost,
)
from slipway.formats.forests.choose import ONNX, PYTHON
from slipway.formats.forests.serve_catboost import (
    EXPONENT,
    GRAPH,
    export,
    label_type,
    only_python,
    outputs_of,
)
from slipway.formats.forests.serve_python import convert_to_python
from slipway.formats.forests.versions import versions
from slipway.formats.format import (
    Array,
    Arrays,
    Cause,
    Choice,
    Converted,
    Options,
    Recognised,
    Tensor,
)

PACKAGES = ("catboost==1.2.10",)  # of locks/catboost.txt


class CatBoost:
    """Models that ``save_model`` wrote."""

    name = "catboost"
    title = "a CatBoost model"

    def recognise(self, contents: Contents) -> Recognised | None:
        """Return version, loss function and columns, read in the file itself."""
        if not is_catboost(contents):
            return None
        file = load_catboost(contents.path, contents.head)
        version = ".".join(map(str, file.version))
        facts: dict[str, str | int | float | bool] = {
            "version": version,
            "objective": file.loss,
            "features": len(file.columns),
            "classes": len(file.classes),
            "trees": file.trees,
            "categorical": any(column.kind == CATEGORY for column in file.columns),
        }
        problem = only_python(file)
        if problem is not None:
            facts["only_python"] = problem
        about = f"a CatBoost model of {file.written_by}, {file.trees:,} trees, {file.loss}"
        return Recognised(about, facts)

    def choose(self, recognised: Recognised, triton: str) -> Choice:
        """Return ONNX Runtime; Python where CatBoost's ONNX cannot express the model."""
        problem = recognised.facts.get("only_python")
        if problem:
            return Choice("python", str(problem))
        trees = int(recognised.facts["trees"])
        return Choice("onnxruntime", f"{trees:,} trees: {ONNX}", {"python": PYTHON})

    def requirements(self, recognised: Recognised, backend: str) -> str:
        """Return the lock with CatBoost and onnx."""
        return "catboost.txt"

    def convert(self, source: Path, out: Path, options: Options) -> Converted:
        """Write CatBoost's own graph, repaired, or a Python model."""
        for name in options.settings:
            raise SlipwayError(f"CatBoost has no setting {name!r}", fix=f"leave --set {name} out")
        file = load_catboost(source, Contents(source).head)
        if options.backend == "python":
            return _to_python(file, source, out)
        problem = only_python(file)
        if problem is not None:
            raise SlipwayError(problem, where=str(source), fix="--backend python")
        repairs = export(_load(source, file), file, out, options.triton)
        return Converted(
            backend="onnxruntime",
            files=(GRAPH,),
            inputs=_one_input(file),
            outputs=outputs_of(file),
            repairs=repairs,
            versions=versions("catboost", "onnx", "numpy"),
        )

    def reference(
        self, source: Path, rows: Arrays, converted: Converted, options: Options
    ) -> dict[str, Array]:
        """Return what CatBoost answers, as CatBoostClassifier and CatBoostRegressor form it."""
        from slipway.formats.python_models.catboost_answers import answers_of, rows_of

        file = load_catboost(source, Contents(source).head)
        served = _served(file)
        model = _load(source, file)
        columns = [[c.feature.name, c.kind] for c in file.columns]
        return answers_of(
            model, rows_of(rows, columns), file.answers, served["kind"], served["labels"]
        )

    def causes(
        self, source: Path, converted: Converted, rows: Arrays, differs: Array
    ) -> tuple[Cause, ...]:
        """Return nothing: no model is known whose answers differ."""
        return ()


def _load(source: Path, file: CatBoostFile) -> Any:
    import catboost

    from slipway.formats.python_models.catboost_answers import load_model

    try:
        return load_model(str(source), file.answers)
    except catboost.CatBoostError as error:
        what = f"CatBoost does not load it: {str(error).strip().splitlines()[0]}"
        fix = "copy or download the file again; compare its size with the original"
        raise SlipwayError(what, where=str(source), fix=fix) from error


def _one_input(file: CatBoostFile) -> tuple[Tensor, ...]:
    features = tuple(column.feature for column in file.columns)
    return (Tensor("input", "FP32", (len(features),), features),)


def _served(file: CatBoostFile) -> dict[str, Any]:
    kinds = {"RMSEWithUncertainty": "RMSEWithUncertainty"} | dict.fromkeys(EXPONENT, "Exponent")
    return {
        "answers": file.answers,
        "kind": kinds.get(file.loss, "RawFormulaVal"),
        "labels": {"BYTES": "object", "FP32": "float32"}.get(label_type(file), "int64"),
        "columns": [[column.feature.name, column.kind] for column in file.columns],
    }


def _to_python(file: CatBoostFile, source: Path, out: Path) -> Converted:
    inputs = _one_input(file)
    notes: tuple[str, ...] = ()
    if file.has_texts:
        inputs = tuple(
            Tensor(c.feature.name, "FP32" if c.kind == PLAIN else "BYTES", (1,), (c.feature,))
            for c in file.columns
        )
        notes = ("the file holds no names of categories: name real rows with --rows",)
    converted = convert_to_python(
        "catboost", source, out, _served(file), inputs, outputs_of(file), PACKAGES
    )
    return replace(converted, notes=notes, versions=versions("catboost", "numpy"))


FORMAT = CatBoost()
