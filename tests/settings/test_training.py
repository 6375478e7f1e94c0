"""``[training]`` of ``slipway.toml``: where in AWS models are trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway import settings
from slipway.errors import SlipwayError

FULL = """
[training]
bucket = "slipway-training-111122223333"
role = "arn:aws:iam::111122223333:role/slipway-training"
repository = "111122223333.dkr.ecr.us-east-1.amazonaws.com/slipway-training"
region = "us-east-1"
subnets = ["subnet-0a1b2c3d"]
security_groups = ["sg-0a1b2c3d"]
tags = { team = "vision" }
environment = { SLIPWAY_PRODUCTION_STORE = "s3://releases/production" }
"""


def load(folder: Path, text: str) -> settings.TrainingPlaceSettings:
    (folder / "slipway.toml").write_text(text)
    return settings.load(folder).training


def test_every_setting_is_read(tmp_path: Path) -> None:
    training = load(tmp_path, FULL)
    assert training.require("bucket") == "slipway-training-111122223333"
    assert training.subnets == ("subnet-0a1b2c3d",)
    assert training.tags == {"team": "vision"}


def test_a_variable_of_the_job_overrides_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_TRAINING_BUCKET", "other-bucket")
    monkeypatch.setenv("SLIPWAY_TRAINING_SUBNETS", "subnet-1, subnet-2")
    training = load(tmp_path, FULL)
    assert training.bucket == "other-bucket"
    assert training.subnets == ("subnet-1", "subnet-2")


def test_what_a_training_cannot_do_without_is_named_when_it_is_asked_for(tmp_path: Path) -> None:
    training = load(tmp_path, "")
    with pytest.raises(SlipwayError, match="bucket is not set") as caught:
        training.require("bucket")
    assert caught.value.fix is not None and "SLIPWAY_TRAINING_BUCKET" in caught.value.fix


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('bukket = "x"', "unknown training.bukket"),
        ('bucket = "s3://x/y"', "bucket is 's3://x/y'"),
        ('role = "slipway-training"', "role is 'slipway-training'"),
        ('repository = "slipway-training"', "repository is 'slipway-training'"),
        ('region = "Frankfurt"', "region is 'Frankfurt'"),
        ('subnets = "10.0.0.0/24"', "subnets is"),
        ('subnets = ["subnet-0a1b2c3d"]', "subnets and security_groups are not set together"),
        ("tags = { team = 1 }", "tags is"),
        ('environment = { GITLAB_TOKEN = "x" }', "environment has GITLAB_TOKEN"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, line: str, what: str) -> None:
    with pytest.raises(SlipwayError, match=what):
        load(tmp_path, f"[training]\n{line}\n")
