"""How good the model is, on customers that neither training nor early stopping has seen."""

import xgboost
from customers import NUMBERS, Customers
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def measure(
    model: xgboost.XGBClassifier, test: Customers, training: Customers
) -> dict[str, float | int]:
    """AUC, log loss and accuracy, beside a logistic regression and the share of the larger class."""
    churn = model.predict_proba(test.rows)[:, 1]
    texts = list(test.rows.columns.difference(NUMBERS))
    linear = make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
            (OneHotEncoder(handle_unknown="ignore"), texts),
        ),
        LogisticRegression(max_iter=1000),
    ).fit(training.rows, training.left)
    plain = linear.predict_proba(test.rows)[:, 1]
    return {
        "customers": len(test.left),
        "churned": round(float(test.left.mean()), 4),
        "rounds": model.best_iteration + 1,
        "auc": round(float(roc_auc_score(test.left, churn)), 4),
        "log_loss": round(float(log_loss(test.left, churn)), 4),
        "accuracy": round(float(accuracy_score(test.left, churn > 0.5)), 4),
        "auc_of_logistic_regression": round(float(roc_auc_score(test.left, plain)), 4),
        "accuracy_of_always_no": round(float(1 - test.left.mean()), 4),
    }
