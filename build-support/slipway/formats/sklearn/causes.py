"""Known causes of a difference between a scikit-learn model and its graph, seen in its steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from slipway.formats.format import Array, Arrays, Cause
from slipway.formats.sklearn.column import Column
from slipway.formats.sklearn.steps import SCALERS, TREES, of_kind
from slipway.formats.sklearn.words import TOKENS, vectorizers

PYTHON = "--backend python answers with scikit-learn itself"


def causes(model: Any, columns: list[Column], rows: Arrays, differs: Array) -> tuple[Cause, ...]:
    """Return what in ``model`` is known to answer otherwise in ONNX."""
    found: list[Cause] = []
    for look in (_tokens, _stop_words, _spaces, _letters, _scaler, _large, _missing):
        found.extend(look(model, columns, rows, differs))
    return tuple(found)


def _tokens(model: Any, *_: Any) -> list[Cause]:
    return [
        Cause(
            f"the token_pattern {part.token_pattern!r} may find other words in RE2 than in Python",
            "--set tokenexp=PATTERN gives the pattern in RE2's syntax, where \\w and \\b know only"
            f" ASCII; or {PYTHON}",
        )
        for part in vectorizers(model)
        if part.analyzer == "word" and part.token_pattern not in TOKENS
    ]


def _stop_words(model: Any, *_: Any) -> list[Cause]:
    return [
        Cause(
            "stop_words with n-grams: scikit-learn joins the words around a stop word, the graph"
            " does not",
            f"train with stop_words=None or ngram_range=(1, 1); or {PYTHON}",
        )
        for part in vectorizers(model)
        if part.stop_words and tuple(part.ngram_range) != (1, 1)
    ]


def _spaces(model: Any, *_: Any) -> list[Cause]:
    return [
        Cause(
            f"analyzer={part.analyzer!r}: scikit-learn makes one space of several, the graph"
            " does not",
            f"do so before training and before asking; or {PYTHON}",
        )
        for part in vectorizers(model)
        if str(part.analyzer).startswith("char")
    ]


def _letters(model: Any, columns: list[Column], rows: Arrays, differs: Array) -> list[Cause]:
    if not any(part.lowercase for part in vectorizers(model)):
        return []
    texts = [
        value for array in rows.values() if array.dtype == object for value in array[differs, 0]
    ]
    decoded = [text.decode() if isinstance(text, bytes) else str(text) for text in texts]
    if all(text.isascii() for text in decoded):
        return []
    return [
        Cause(
            "lowercase=True: the server's locale is C, which lowers A to Z and no other letter",
            f"lower the texts before training and before asking; or {PYTHON}",
        )
    ]


def _scaler(model: Any, *_: Any) -> list[Cause]:
    scalers, trees = of_kind(model, *SCALERS), of_kind(model, *TREES)
    if not scalers or not trees:
        return []
    names = f"{type(scalers[0]).__name__} before {type(trees[0]).__name__}"
    return [
        Cause(
            f"{names}: computed in single precision, some values fall on the other side of a split",
            f"train the trees without a scaler, which changes none of their splits; or {PYTHON}",
        )
    ]


def _large(model: Any, columns: list[Column], rows: Arrays, differs: Array) -> list[Cause]:
    large = [
        name
        for name, array in rows.items()
        if array.dtype.kind == "f" and np.nanmax(np.abs(array), initial=0.0) > 2**24
    ]
    if not large:
        return []
    return [
        Cause(
            f"values over 16,777,216 in {', '.join(large)}: single precision rounds them",
            f"scale them in the training's data; or {PYTHON}",
        )
    ]


def _missing(model: Any, columns: list[Column], rows: Arrays, differs: Array) -> list[Cause]:
    lacking = [
        name
        for name, array in rows.items()
        if array.dtype.kind == "f" and np.isnan(array[differs]).any()
    ]
    if not lacking or of_kind(model, "SimpleImputer", "HistGradientBoosting", "XGB", "LGBM"):
        return []
    return [
        Cause(
            f"missing values in {', '.join(lacking)}: the graph has no way for them",
            f"train with a SimpleImputer before; or {PYTHON}",
        )
    ]
