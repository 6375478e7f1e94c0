"""``training.toml``: what it may say, and where its mistakes are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import SlipwayError
from slipway.model.training_settings import (
    SageMakerSettings,
    TrainingSettings,
    load_training_settings,
    parse_training_settings,
)

WHOLE = """
[weights]
"training/churn.ubj" = "original/churn.ubj"   # converted afterwards

[schedule]
max_age = "90d"

[sagemaker]
instance = "ml.m5.large"
volume_gb = 50
max_hours = 1.5
spot = true

[sagemaker.channels]
"training/raw" = "s3://bucket/prefix"

[metric."validation loss"]
regex = 'loss=([0-9.]+)'

[image]
version = "1.2.3"
"""


def write(folder: Path, text: str) -> Path:
    (folder / "training.toml").write_text(text, encoding="utf-8")
    return folder


def test_every_table_is_read(tmp_path: Path) -> None:
    assert load_training_settings(write(tmp_path, WHOLE)) == TrainingSettings(
        weights={"training/churn.ubj": "original/churn.ubj"},
        max_age_hours=90 * 24,
        sagemaker=SageMakerSettings(
            "ml.m5.large", 50, 1.5, True, {"training/raw": "s3://bucket/prefix"}
        ),
        metrics={"validation loss": "loss=([0-9.]+)"},
        image_version="1.2.3",
    )


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    assert load_training_settings(tmp_path) == TrainingSettings()
    assert load_training_settings(write(tmp_path, "")) == TrainingSettings()


@given(st.integers(1, 10_000), st.sampled_from([("h", 1), ("d", 24), ("w", 168)]))
def test_an_age_is_hours_days_or_weeks(count: int, unit: tuple[str, int]) -> None:
    chosen = parse_training_settings({"schedule": {"max_age": f"{count}{unit[0]}"}})
    assert chosen.max_age_hours == count * unit[1]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[weight]\n", 1, r"unknown \[weight\]"),
        ("weights = 1\n", 1, "weights is not a table"),
        ("\n[schedule]\nage = '1d'\n", 3, r"\[schedule\] age is unknown"),
        ("[schedule]\nmax_age = '0d'\n", 2, "not an age"),
        ("[schedule]\n\nmax_age = 90\n", 3, "not an age"),
        ("[weights]\n'../a' = 'm/1/a'\n", 2, "not a path inside the model's folder"),
        ("[weights]\n'training/a' = '/m/1/a'\n", 2, "not a path inside the model's folder"),
        ("[weights]\n'm/1/a' = 'training/a'\n", 2, "the left one is a file of training/"),
        ("[weights]\n'training/a' = 'm/1/a'\n'training/b' = 'm/1/a'\n", 3, "two candidates"),
        ("[sagemaker]\ninstance = 'm5'\n", 2, "instance is 'm5'"),
        ("[sagemaker]\nvolume_gb = 0\n", 2, "volume_gb is 0"),
        ("[sagemaker]\nvolume_gb = true\n", 2, "volume_gb is True"),
        ("[sagemaker]\nmax_hours = 700\n", 2, "max_hours is 700"),
        ("[sagemaker]\nmax_hours = nan\n", 2, "max_hours is nan"),
        ("[sagemaker]\nspot = 'yes'\n", 2, "spot is 'yes'"),
        ("[sagemaker.channels]\n'training/raw' = 'bucket'\n", 2, "an address in S3"),
        ("[metric.loss]\nregex = 'loss'\n", 2, "regex has 0 groups"),
        ("[metric.loss]\nregex = '('\n", 2, "regex is '\\('"),
        ("[metric.loss]\nregexp = '(a)'\n", 1, "has one key, regex"),
        ("[image]\nversion = '1.0'\n", 2, "not a version of an image"),
        ("[image\n", 1, "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    with pytest.raises(SlipwayError, match=message) as caught:
        load_training_settings(write(tmp_path, text))
    path = str(tmp_path / "training.toml")
    assert f"{caught.value.where}:".startswith(f"{path}:{line}:")
    assert caught.value.fix
