"""LightGBM's text files: boosted trees, dart and forests of every objective."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents
from slipway.formats.forests.choose import choose_for_forest
from slipway.formats.forests.lightgbm_text import LightGBMText, is_lightgbm, load_lightgbm
from slipway.formats.forests.serve_fil import CONTRIBUTIONS, convert_to_fil
from slipway.formats.forests.serve_onnx import convert_to_onnx
from slipway.formats.forests.serve_python import convert_to_python
from slipway.formats.forests.settings import read_settings
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

IN_PYTHON = "--backend python"
PACKAGES = ("lightgbm==4.7.0",)  # of locks/lightgbm.txt


class LightGBM:
    """Models that ``save_model`` wrote, of boosters and of the classes like scikit-learn's."""

    name = "lightgbm"
    title = "a LightGBM model"

    def recognise(self, contents: Contents) -> Recognised | None:
        """Return objective and size, read in the text."""
        if not is_lightgbm(contents):
            return None
        model = load_lightgbm(contents.path, contents.head)
        facts: dict[str, str | int | float | bool] = {
            "version": model.version,
            "objective": model.objective or "custom",
            "features": len(model.features),
            "classes": model.classes,
            "trees": model.trees,
            "categorical": model.is_categorical,
        }
        if model.only_python:
            facts["only_python"] = model.only_python
        objective = model.objective.partition(" ")[0] or "an objective of its training's code"
        about = f"a LightGBM model of version {model.version}, {model.trees:,} trees, {objective}"
        return Recognised(about, facts)

    def choose(self, recognised: Recognised, triton: str) -> Choice:
        """Return ONNX Runtime, or Python for linear leaves."""
        return choose_for_forest(recognised, triton)

    def requirements(self, recognised: Recognised, backend: str) -> str:
        """Return the lock with LightGBM, treelite and onnx."""
        return "lightgbm.txt"

    def convert(self, source: Path, out: Path, options: Options) -> Converted:
        """Write a graph, a checkpoint or a Python model."""
        settings = read_settings(options.settings)
        text = load_lightgbm(source, Contents(source).head)
        if options.backend == "python":
            converted = _to_python(text, source, out)
        else:
            from slipway.formats.graphs.scores import task_of

            model = _read_with_treelite(text, source)
            write = convert_to_fil if options.backend == "fil" else convert_to_onnx
            converted = write(model, task_of(model, text.answers), out, options, settings)
            converted = replace(converted, versions=versions("treelite", "onnx"))
        [rows] = converted.inputs
        return replace(
            converted,
            inputs=(replace(rows, features=text.features),),
            notes=(*_category_notes(text), *converted.notes),
            versions={**converted.versions, **versions("lightgbm", "numpy")},
        )

    def reference(
        self, source: Path, rows: Arrays, converted: Converted, options: Options
    ) -> dict[str, Array]:
        """Return what LightGBM answers, as LGBMClassifier and LGBMRegressor form it."""
        import lightgbm

        from slipway.formats.python_models.lightgbm_answers import answers_of

        settings = read_settings(options.settings)
        booster = lightgbm.Booster(model_file=str(source))
        values = np.asarray(rows[converted.inputs[0].name], np.float32)
        if settings.missing is not None:
            values = np.where(values == settings.missing, np.float32(np.nan), values)
        text = load_lightgbm(source, Contents(source).head)
        answers = answers_of(booster, values, text.answers)
        if settings.label_only and text.answers == "binary":
            over = answers["probability"][:, 1:] > settings.threshold
            answers["label"] = over.astype(np.float32)
        if any(output.name == CONTRIBUTIONS for output in converted.outputs):
            found = np.asarray(booster.predict(values.astype(np.float64), pred_contrib=True))
            answers[CONTRIBUTIONS] = found.reshape(len(values), -1).astype(np.float32)
        return {output.name: answers[output.name] for output in converted.outputs}

    def causes(
        self, source: Path, converted: Converted, rows: Arrays, differs: Array
    ) -> tuple[Cause, ...]:
        """Return nothing: no model is known whose answers differ."""
        return ()


def _read_with_treelite(text: LightGBMText, source: Path) -> Any:
    import treelite

    if text.only_python:
        raise SlipwayError(text.only_python, where=str(source), fix=IN_PYTHON)
    try:
        return treelite.frontend.load_lightgbm_model(str(source))
    except treelite.TreeliteError as error:
        what = f"treelite does not read this model: {str(error).strip().splitlines()[0]}"
        raise SlipwayError(what, where=str(source), fix=IN_PYTHON) from error


def _category_notes(text: LightGBMText) -> tuple[str, ...]:
    """Say which code stands for which category; or that the file does not tell."""
    columns = [feature for feature in text.features if feature.values]
    names = text.category_names
    if len(names) != len(columns):
        return tuple(f"{f.name} takes a category's code, as in the training" for f in columns)
    return tuple(
        f"{feature.name} takes a category's code: "
        + ", ".join(f"{code}={name}" for code, name in enumerate(values))
        for feature, values in zip(columns, names, strict=True)
    )


def _to_python(text: LightGBMText, source: Path, out: Path) -> Converted:
    shapes = {"binary": (1, 2), "multiclass": (1, text.classes)}
    outputs: tuple[Tensor, ...] = (Tensor("prediction", "FP32", (text.classes,)),)
    if text.answers in shapes:
        labels, probabilities = shapes[text.answers]
        outputs = (
            Tensor("label", "INT64", (labels,)),
            Tensor("probability", "FP32", (probabilities,)),
        )
    inputs = (Tensor("input", "FP32", (len(text.features),)),)
    served = {"answers": text.answers}
    return convert_to_python("lightgbm", source, out, served, inputs, outputs, PACKAGES)


FORMAT = LightGBM()
