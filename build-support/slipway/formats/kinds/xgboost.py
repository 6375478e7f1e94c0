"""XGBoost: JSON and UBJSON, boosted trees of every objective, dart, linear models."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents
from slipway.formats.forests.choose import choose_for_forest
from slipway.formats.forests.serve_fil import CONTRIBUTIONS, convert_to_fil
from slipway.formats.forests.serve_onnx import convert_to_onnx
from slipway.formats.forests.serve_python import convert_to_python
from slipway.formats.forests.settings import ForestSettings, read_settings
from slipway.formats.forests.versions import versions
from slipway.formats.forests.xgboost_file import XGBoostFile, is_xgboost, load_xgboost
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

if TYPE_CHECKING:
    import xgboost

LINEAR = "a linear model (gblinear) has no trees for ONNX or FIL"
IN_PYTHON = "--backend python"
PACKAGE = "xgboost-cpu==3.4.1"  # of locks/xgboost.txt; `xgboost` brings NCCL, 300 MB


class XGBoost:
    """Models that ``save_model`` wrote: of boosters and of the classes like scikit-learn's."""

    name = "xgboost"
    title = "an XGBoost model"

    def recognise(self, contents: Contents) -> Recognised | None:
        """Return version, objective and size, read in the file itself."""
        if not is_xgboost(contents):
            return None
        model = load_xgboost(contents.path, contents.head)
        return None if model is None else _recognised(model)

    def choose(self, recognised: Recognised, triton: str) -> Choice:
        """Return ONNX Runtime, or Python for a linear model."""
        return choose_for_forest(recognised, triton)

    def requirements(self, recognised: Recognised, backend: str) -> str:
        """Return the lock with XGBoost, treelite and onnx."""
        return "xgboost.txt"

    def convert(self, source: Path, out: Path, options: Options) -> Converted:
        """Write a graph, a checkpoint or a Python model, cut to the best iteration."""
        settings = read_settings(options.settings)
        file = _load(source)
        rounds, notes = _rounds(file, settings)
        if options.backend == "python":
            converted = _to_python(file, source, out, settings, rounds)
        else:
            model = _read_with_treelite(file, source, rounds)
            converted = _from_treelite(file, model, out, options, settings)
            notes += _category_notes(file)
            converted = replace(converted, versions=versions("treelite", "onnx"))
        [rows] = converted.inputs
        return replace(
            converted,
            inputs=(replace(rows, features=file.features),),
            notes=(*notes, *converted.notes),
            versions={**converted.versions, **versions("xgboost-cpu", "numpy")},
        )

    def reference(
        self, source: Path, rows: Arrays, converted: Converted, options: Options
    ) -> dict[str, Array]:
        """Return what XGBoost answers, as XGBClassifier and XGBRegressor form it."""
        import xgboost

        from slipway.formats.python_models.xgboost_answers import answers_of

        settings = read_settings(options.settings)
        file = _load(source)
        booster = _booster(source, _rounds(file, settings)[0])
        values = np.asarray(rows[converted.inputs[0].name], np.float32)
        if settings.missing is not None:
            values = np.where(values == settings.missing, np.float32(np.nan), values)
        data = xgboost.DMatrix(values, feature_types=booster.feature_types)
        labels = {t.name: t.datatype for t in converted.outputs}.get("label", "INT64")
        answers = answers_of(
            booster, data, file.answers, "float32" if labels == "FP32" else "int64"
        )
        if labels == "FP32" and settings.threshold != 0.5 and "probability" in answers:
            over = answers["probability"][:, 1:] > settings.threshold
            answers["label"] = over.astype(np.float32)
        if any(output.name == CONTRIBUTIONS for output in converted.outputs):
            found = booster.predict(data, pred_contribs=True)
            answers[CONTRIBUTIONS] = found.reshape(len(values), -1)
        return {output.name: answers[output.name] for output in converted.outputs}

    def causes(
        self, source: Path, converted: Converted, rows: Arrays, differs: Array
    ) -> tuple[Cause, ...]:
        """Return known causes: predictions so large that 32 bits do not hold the tolerance."""
        what = "sums of 32 bits of targets in the hundred thousands differ in the last digits"
        return (Cause(what, "--tolerance 1e-2, or train on scaled or logarithmic targets"),)


def _recognised(model: XGBoostFile) -> Recognised:
    version = ".".join(map(str, model.version))
    facts: dict[str, str | int | float | bool] = {
        "version": version,
        "booster": model.booster,
        "objective": model.objective,
        "features": int(model.parameters["num_feature"]),
        "classes": model.classes,
        "targets": model.targets,
        "trees": len(model.trees),
        "categorical": model.is_categorical,
    }
    what = f"{len(model.trees):,} trees"
    if model.booster == "gblinear":
        facts["only_python"] = LINEAR
        what = "linear"
    about = f"an XGBoost model of {version}, {what}, {model.objective}"
    return Recognised(about, facts)


def _load(source: Path) -> XGBoostFile:
    model = load_xgboost(source, Contents(source).head)
    assert model is not None  # it was recognised
    return model


def _rounds(file: XGBoostFile, settings: ForestSettings) -> tuple[int, tuple[str, ...]]:
    """Return how many rounds are served, 0 for all, and what to say about it."""
    best = file.best_iteration
    if best is None or settings.all_trees or file.booster == "gblinear":
        return 0, ()
    if best + 1 >= file.rounds:
        return 0, ()
    note = (
        f"early stopping chose {best + 1} of {file.rounds} rounds, which XGBClassifier and"
        " XGBRegressor use too; Booster.predict uses all of them: --set trees=all"
    )
    return best + 1, (note,)


def _booster(source: Path, rounds: int) -> xgboost.Booster:
    import xgboost

    booster = xgboost.Booster(model_file=source)
    booster = booster[:rounds] if rounds else booster
    booster.feature_names = None  # rows are arrays
    return booster


def _read_with_treelite(file: XGBoostFile, source: Path, rounds: int) -> Any:
    import treelite

    if file.booster == "gblinear":
        raise SlipwayError(LINEAR, where=str(source), fix=IN_PYTHON)
    try:
        return treelite.frontend.from_xgboost_json(_document(source, rounds))
    except treelite.TreeliteError as error:
        what = f"treelite does not read this model: {str(error).strip().splitlines()[0]}"
        raise SlipwayError(what, where=str(source), fix=IN_PYTHON) from error


def _document(source: Path, rounds: int) -> str:
    """Return the model as JSON for treelite: with codes, without the names of categories."""
    document: dict[str, Any] = json.loads(_booster(source, rounds).save_raw("json"))
    booster = document["learner"]["gradient_booster"]
    cats = booster.get("gbtree", booster)["model"].get("cats")
    if cats is not None:
        cats.update({name: [] for name in cats})
    return json.dumps(document)


def _from_treelite(
    file: XGBoostFile, model: Any, out: Path, options: Options, settings: ForestSettings
) -> Converted:
    from slipway.formats.graphs.scores import task_of

    task = task_of(model, file.answers, file.objective == "reg:quantileerror")
    write = convert_to_fil if options.backend == "fil" else convert_to_onnx
    return write(model, task, out, options, settings)


def _category_notes(file: XGBoostFile) -> tuple[str, ...]:
    """Say which code stands for which category; or that the file does not tell."""
    notes = []
    for number, feature in enumerate(file.features):
        names = file.category_names(number)
        if names:
            codes = ", ".join(f"{code}={name}" for code, name in enumerate(names))
            notes.append(f"{feature.name} takes a category's code: {codes}")
        elif feature.values:
            notes.append(f"{feature.name} takes a category's code, as in the training")
    return tuple(notes)


def _to_python(
    file: XGBoostFile, source: Path, out: Path, settings: ForestSettings, rounds: int
) -> Converted:
    width = max(file.classes, file.targets)
    shapes = {
        "binary": (1, 2),
        "multilabel": (width, width),
        "multiclass": (1, width),
        "class": (width, 0),
    }
    labels, probabilities = shapes.get(file.answers, (0, 0))
    outputs = []
    if labels:
        outputs.append(Tensor("label", "INT64", (labels,)))
    if probabilities:
        outputs.append(Tensor("probability", "FP32", (probabilities,)))
    served = {
        "rounds": rounds,
        "answers": file.answers,
        "labels": "int64",
        "missing": np.nan if settings.missing is None else settings.missing,
    }
    return convert_to_python(
        "xgboost",
        source,
        out,
        served,
        (Tensor("input", "FP32", (int(file.parameters["num_feature"]),)),),
        tuple(outputs) or (Tensor("prediction", "FP32", (width,)),),
        (PACKAGE,),
    )


FORMAT = XGBoost()
