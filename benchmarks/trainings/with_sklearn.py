"""Train with scikit-learn: a table of strings and numbers, forests, text."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path

import joblib
import numpy as np
import skops.io
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

TEXTS = [
    "I can't recommend it, it broke after 2 days",
    "wasn't worth 10$ at all",
    "great sound and a lovely screen",
    "the best one I've had in years",
    "terrible, noisy & slow",
    "works as it should; I'm happy",
]


def main(out: Path) -> None:
    """Write nine models to ``out``."""
    x, y = load_breast_cancer(return_X_y=True)
    logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(x, y)
    skops.io.dump(logistic, out / "sklearn_logistic.skops")
    few = {"n_estimators": 30, "max_depth": 5, "random_state": 0}
    forest = RandomForestClassifier(**few).fit(x, y)
    joblib.dump(forest, out / "sklearn_forest.joblib", compress=3)
    gradient = GradientBoostingClassifier(n_estimators=30, random_state=0).fit(x, y)
    (out / "sklearn_gradient.pkl").write_bytes(pickle.dumps(gradient))
    histogram = HistGradientBoostingClassifier(max_iter=30, random_state=0).fit(x, y)
    skops.io.dump(histogram, out / "sklearn_histogram.skops")
    patients, progress = load_diabetes(return_X_y=True)
    regression = RandomForestRegressor(**few).fit(patients, progress)
    skops.io.dump(regression, out / "sklearn_regression.skops")
    # float64 thresholds on scaled columns: a plain conversion differs in some rows
    scaled = make_pipeline(StandardScaler(), RandomForestClassifier(**few)).fit(x, y)
    skops.io.dump(scaled, out / "sklearn_scaled_forest.skops")
    network = make_pipeline(
        StandardScaler(), MLPClassifier((16,), max_iter=400, random_state=0)
    ).fit(x, y)
    skops.io.dump(network, out / "sklearn_network.skops")
    vectors = make_pipeline(StandardScaler(), SVC(random_state=0)).fit(x[:200], y[:200])
    skops.io.dump(vectors, out / "sklearn_vectors.skops")
    labels = np.array([0, 0, 1, 1, 0, 1] * 10)
    text = make_pipeline(TfidfVectorizer(token_pattern="[a-zA-Z]+"), LogisticRegression()).fit(
        TEXTS * 10, labels
    )
    skops.io.dump(text, out / "sklearn_text.skops")
    (out / "sklearn_text.rows.json").write_text(json.dumps([{"text": t} for t in TEXTS]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
