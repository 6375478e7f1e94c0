"""What a plain conversion to ONNX gets wrong, put right in a copy of the model."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from slipway.formats.sklearn.elements import as_elementwise, as_fill
from slipway.formats.sklearn.steps import SCALERS, TREES, of_kind, replaced
from slipway.formats.sklearn.words import TOKENS

MISSING_TEXT = 'a missing text is "", where the training had None or NaN'
DOUBLE = (
    "scaling before trees is computed in double precision, as scikit-learn does: in single"
    " precision some rows fall on the other side of a split"
)
STOP_WORDS = (
    "stop words are left to the vocabulary, which lacks them: the graph compared whole texts"
)


@dataclass(frozen=True)
class Repaired:
    """A model that converts to what the original computes, and what was changed in it."""

    model: Any
    repairs: tuple[str, ...]


def repair(model: Any) -> Repaired:
    """Return a copy of ``model`` that converts rightly."""
    model = copy.deepcopy(model)
    made: list[str] = []
    trees = bool(of_kind(model, *TREES))

    def change(part: Any) -> Any:
        name = type(part).__name__
        if name == "SimpleImputer" and _texts(part.statistics_):
            part.missing_values = ""
            made.append(MISSING_TEXT)
        elif name in ("OneHotEncoder", "OrdinalEncoder"):
            made.extend(_fill_categories(part))
        elif name in ("TfidfVectorizer", "CountVectorizer"):
            if tuple(part.ngram_range) != (1, 1):
                _split_terms(part)
            elif part.stop_words:
                part.stop_words = None
                made.append(STOP_WORDS)
        elif name == "SimpleImputer" and part.add_indicator:
            return as_fill(part) or part
        elif name == "ColumnTransformer":
            _alone_to_single(part)
        elif name == "FunctionTransformer" and (computed := as_elementwise(part)):
            return _to_single(computed)
        elif name == "Pipeline":
            _fill_in_double(part)
        elif name == "VotingClassifier":
            part.flatten_transform = False  # of transform, which is not served
        elif name in SCALERS and trees and _one_precision(part):
            made.append(DOUBLE)
            return _in_double(part)
        return part

    changed = replaced(model, change)
    return Repaired(changed, tuple(dict.fromkeys(made)))


def _split_terms(vectorizer: Any) -> None:
    """Give the vocabulary's terms as the words that they are of, which skl2onnx else guesses.

    It takes "not good" for one word where the vocabulary has no "not" alone.
    """
    if vectorizer.analyzer == "word" and vectorizer.token_pattern in TOKENS:
        vectorizer.vocabulary_ = {
            tuple(term.split(" ")): place for term, place in vectorizer.vocabulary_.items()
        }


def _texts(values: Any) -> bool:
    return any(isinstance(value, str) for value in np.ravel(values))


def _fill_categories(encoder: Any) -> list[str]:
    """Put "" for the missing value among the categories of texts."""
    made = []
    for position, categories in enumerate(encoder.categories_):
        items = categories.tolist()
        lacks = [item is None or item != item for item in items]
        if any(lacks) and _texts(categories) and "" not in items:
            filled = ["" if lack else item for item, lack in zip(items, lacks, strict=True)]
            encoder.categories_[position] = np.array(filled, dtype=object)
            made.append(MISSING_TEXT)
    return made


def _one_precision(scaler: Any) -> bool:
    """Return whether skl2onnx has a way to compute it in double precision."""
    return type(scaler).__name__ in (
        "StandardScaler",
        "MinMaxScaler",
        "MaxAbsScaler",
        "RobustScaler",
    )


def _fill_in_double(pipeline: Any) -> None:
    """Fill missing numbers in double precision, where a scaler in double precision follows.

    A mean that was rounded is no longer 0 after the scaler; LightGBM splits at 0.
    """
    for position, (name, part) in enumerate(pipeline.steps[:-1]):
        after = pipeline.steps[position + 1][1]
        if type(part).__name__ == "SimpleImputer" and hasattr(after, "steps"):
            pipeline.steps[position] = (name, as_fill(part) or part)
        elif type(part).__name__ == "Fill" and not hasattr(after, "steps"):
            pipeline.steps[position] = (name, _to_single(part))


def _alone_to_single(transformer: Any) -> None:
    """Let what is filled, and nothing else, leave in single precision, as other columns do."""
    transformer.transformers_ = [
        (name, _to_single(part) if type(part).__name__ == "Fill" else part, columns)
        for name, part, columns in transformer.transformers_
    ]


def _to_single(step: Any) -> Any:
    from skl2onnx.sklapi import CastTransformer
    from sklearn.pipeline import Pipeline

    return Pipeline([("compute", step), ("to_single", CastTransformer(dtype=np.float32))])


def _in_double(scaler: Any) -> Any:
    from skl2onnx.sklapi import CastTransformer
    from sklearn.pipeline import Pipeline

    return Pipeline(
        [
            ("to_double", CastTransformer(dtype=np.float64)),
            ("scale", scaler),
            ("to_single", CastTransformer(dtype=np.float32)),
        ]
    )
