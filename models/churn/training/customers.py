"""The customers of customers.csv.gz as a table for XGBoost, and their split."""

import gzip
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent
NUMBERS = ["SeniorCitizen", "tenure", "MonthlyCharges", "TotalCharges"]


@dataclass(frozen=True)
class Customers:
    """``rows`` [customers, features] with texts as categories; ``left`` [customers], 1 of churn."""

    rows: pd.DataFrame
    left: pd.Series


def load() -> pd.DataFrame:
    """All columns of the file; TotalCharges of a first month is empty, and so missing."""
    with gzip.open(HERE / "customers.csv.gz") as file:
        table = pd.read_csv(io.BytesIO(file.read()), na_values=[" "])
    for name in table.columns.difference([*NUMBERS, "customerID", "Churn"]):
        table[name] = pd.Categorical(table[name], categories=sorted(table[name].unique()))
    return table


def part(table: pd.DataFrame, low: float, high: float) -> Customers:
    """Those whose number hashes to between ``low`` and ``high``, of 1: the same on each machine."""
    chosen = table[table["customerID"].map(_fraction).between(low, high, inclusive="left")]
    rows = chosen.drop(columns=["customerID", "Churn"])
    return Customers(rows, (chosen["Churn"] == "Yes").astype(int))


def _fraction(name: str) -> float:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32
