"""Compare explanations with exact contributions, and with shap's estimates at equal error.

Runs in the environment of ``requirements.txt`` next to it: ``against_shap.py [--quick]`` prints
one JSON object. The models are trained here, on data that scikit-learn has.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import shap
import xgboost
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.inspection import permutation_importance
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from slipway.explain.explain import Options, explain
from slipway.model.interface import Interface, Tensor

Array = np.ndarray[Any, Any]
Function = Callable[[Array], Array]
QUICK = "--quick" in sys.argv
BATCH, BACKGROUNDS = 16, 20
EXPLAINED = 2 if QUICK else 5
BUDGETS = (25, 100) if QUICK else (50, 100, 200, 400, 800)
# evaluations of a row: KernelSHAP's asks each of them with every background row
KERNEL = (64, 256) if QUICK else (64, 128, 256, 512, 1024)
PERMUTATION = (1, 4) if QUICK else (1, 2, 4, 8)


def main() -> None:
    """Print the comparisons."""
    warnings.filterwarnings("ignore")
    cancer, malignant = load_breast_cancer(return_X_y=True)
    trees = xgboost.XGBClassifier(n_estimators=80, max_depth=4, random_state=0, n_jobs=1)
    trees.fit(cancer[:400], malignant[:400])
    usual, rows = cancer[:BACKGROUNDS], cancer[400 : 400 + EXPLAINED]
    print(
        json.dumps(
            {
                "versions": {"shap": shap.__version__, "xgboost": xgboost.__version__},
                "linear": linear(),
                "trees": list(against(trees_margin(trees), exact_trees(trees, usual), usual, rows)),
                "network": list(network(cancer, malignant)),
                "global": global_ranking(trees, cancer, malignant, usual),
            }
        )
    )


def trees_margin(trees: Any) -> Function:
    """Return the margin of the forest, which TreeExplainer explains exactly."""
    booster = trees.get_booster()
    return lambda table: np.asarray(
        booster.predict(xgboost.DMatrix(table), output_margin=True), np.float64
    )


def exact_trees(trees: Any, usual: Array) -> Function:
    """Return exact Shapley values against background rows."""
    explainer = shap.TreeExplainer(trees, data=usual, feature_perturbation="interventional")
    return lambda table: np.asarray(explainer.shap_values(table), np.float64)


def network(cancer: Array, malignant: Array) -> Iterator[dict[str, Any]]:
    """Compare on a neural network of ten columns, by shap's enumeration of all coalitions."""
    kept = cancer[:, :10]
    model = make_pipeline(StandardScaler(), MLPClassifier((16,), max_iter=600, random_state=0))
    model.fit(kept[:400], malignant[:400])
    usual, rows = kept[:BACKGROUNDS], kept[400 : 400 + EXPLAINED]

    def function(table: Array) -> Array:
        return np.asarray(model.predict_proba(table)[:, 1], np.float64)

    exact = shap.explainers.Exact(function, shap.maskers.Independent(usual, BACKGROUNDS))
    return against(function, lambda table: np.asarray(exact(table).values), usual, rows)


def against(
    function: Function, exact: Function, usual: Array, rows: Array
) -> Iterator[dict[str, Any]]:
    """Yield method, rows asked of each row, largest error in its mean, and the estimated one."""
    wanted = exact(rows)
    scale = float(np.abs(wanted).max(axis=1).mean())
    for budget in BUDGETS:
        found = [ours(function, usual, row, budget) for row in rows]
        yield measured(
            f"slipway, {budget} requests",
            np.array([[part.contribution for part in each.parts] for each in found]),
            wanted,
            float(np.mean([each.rows for each in found])),
            scale,
            stated=float(np.mean([each.largest_error for each in found])),
        )
    counted = Counted(function)
    for samples in KERNEL:
        counted.rows = 0
        kernel = shap.KernelExplainer(counted, usual)
        estimates = np.stack(
            [kernel.shap_values(row, nsamples=samples, silent=True) for row in rows]
        )
        asked = counted.rows / len(rows)
        yield measured(f"KernelExplainer, {samples} samples", estimates, wanted, asked, scale)
    for times in PERMUTATION:
        counted.rows = 0
        masker = shap.maskers.Independent(usual, BACKGROUNDS)
        permutation = shap.explainers.Permutation(counted, masker, seed=0)
        evaluations = times * (2 * len(rows[0]) + 1)
        estimates = permutation(rows, max_evals=evaluations, silent=True).values
        asked = counted.rows / len(rows)
        yield measured(f"PermutationExplainer, {times}", estimates, wanted, asked, scale)


class Counted:
    """A function that counts the rows it was asked for."""

    def __init__(self, function: Function) -> None:
        self.function, self.rows = function, 0

    def __call__(self, table: Array) -> Array:
        self.rows += len(table)
        return self.function(np.asarray(table, np.float64))


def measured(
    method: str, found: Array, wanted: Array, rows: float, scale: float, stated: float | None = None
) -> dict[str, Any]:
    """Return a line; errors are in parts of the largest contribution."""
    worst = np.abs(found - wanted).max(axis=1) / scale
    line: dict[str, Any] = {"method": method, "rows": rows, "error": float(worst.mean())}
    return line if stated is None else {**line, "stated": stated / scale}


def ours(function: Function, usual: Array, row: Array, requests: int) -> Any:
    """Return Slipway's explanation of a row, as of a served model of one tensor."""
    interface = Interface(BATCH, {"X": Tensor("FP64", (len(row),))}, {"Y": Tensor("FP64", (1,))})
    return explain(
        lambda inputs: {"Y": function(inputs["X"])[:, None]},
        interface,
        {"X": row[None]},
        background={"X": usual},
        options=Options(kind="row", requests=requests),
    )


def linear() -> dict[str, Any]:
    """Compare with coefficient × (value − mean)."""
    table, target = load_diabetes(return_X_y=True)
    model = Ridge(alpha=0.1).fit(table[:300], target[:300])
    usual, rows = table[:BACKGROUNDS], table[300 : 300 + EXPLAINED]
    worst, asked = 0.0, 0
    for row in rows:
        found = ours(lambda values: np.asarray(model.predict(values)), usual, row, 30)
        contributions = np.array([part.contribution for part in found.parts])
        worst = max(worst, float(np.abs(contributions - model.coef_ * (row - usual.mean(0))).max()))
        asked = max(asked, found.rows)
    return {"rows": asked, "error": worst, "largest": float(np.abs(contributions).max())}


def global_ranking(trees: Any, cancer: Array, malignant: Array, usual: Array) -> dict[str, Any]:
    """Compare the mean sizes with scikit-learn's importance by permutation, and with exact ones."""
    rows = cancer[400 : 400 + (10 if QUICK else 40)]
    function = trees_margin(trees)
    began = time.perf_counter()
    found = [ours(function, usual, row, 40) for row in rows]
    seconds = time.perf_counter() - began
    sizes = np.mean([[abs(part.contribution) for part in each.parts] for each in found], axis=0)
    exact = np.abs(exact_trees(trees, usual)(rows)).mean(axis=0)
    importance = permutation_importance(
        trees, cancer[400:], malignant[400:], n_repeats=10, random_state=0, scoring="neg_log_loss"
    ).importances_mean
    return {
        "rows": len(rows),
        "seconds": seconds,
        "rank correlation with exact": rank_correlation(sizes, exact),
        "rank correlation with permutation_importance": rank_correlation(sizes, importance),
        "of the 5 first, shared with exact": shared(sizes, exact),
        "of the 5 first, shared with permutation_importance": shared(sizes, importance),
    }


def rank_correlation(one: Array, other: Array) -> float:
    """Return Spearman's."""
    ranks = [np.argsort(np.argsort(values)) for values in (one, other)]
    return float(np.corrcoef(*ranks)[0, 1])


def shared(one: Array, other: Array, most: int = 5) -> int:
    """Return how many of the largest are the same."""
    return len(set(np.argsort(-one)[:most]) & set(np.argsort(-other)[:most]))


if __name__ == "__main__":
    main()
