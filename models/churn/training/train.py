"""Stage: customers.csv.gz → churn.ubj, metrics.json and the categories that serving needs."""

import json

import numpy as np
import xgboost
import yaml
from customers import HERE, NUMBERS, Customers, load, part
from measure import measure

CATEGORIES = HERE.parent / "churn_preprocessing" / "1" / "categories.json"


def main() -> None:
    """Train until log loss on the validation customers no longer falls; measure on the test ones."""
    params = yaml.safe_load((HERE / "params.yaml").read_text())
    table = load()
    test, validation = params["split"]["test"], params["split"]["validation"]
    training = part(table, test + validation, 1)
    stopping = part(table, test, test + validation)
    model = fit(training, stopping, params["train"])
    model.save_model(HERE / "churn.ubj")
    names = {
        name: list(table[name].cat.categories) for name in training.rows.columns.difference(NUMBERS)
    }
    columns = {name: names.get(name, []) for name in training.rows.columns}
    CATEGORIES.write_text(json.dumps(columns, indent=1) + "\n")
    figures = measure(model, part(table, 0, test), training)
    (HERE / "metrics.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


def fit(training: Customers, stopping: Customers, train: dict[str, float]) -> xgboost.XGBClassifier:
    """A classifier that says where it stopped: its file holds the rounds after that, too."""
    settings = {
        name: value for name, value in train.items() if name not in ("rounds", "patience", "seed")
    }
    model = xgboost.XGBClassifier(
        n_estimators=int(train["rounds"]),
        early_stopping_rounds=int(train["patience"]),
        random_state=int(train["seed"]),
        enable_categorical=True,
        tree_method="hist",
        eval_metric="logloss",
        n_jobs=1,
        **settings,
    )
    return model.fit(
        training.rows, training.left, eval_set=[(stopping.rows, stopping.left)], verbose=False
    )


if __name__ == "__main__":
    np.random.seed(0)
    main()
