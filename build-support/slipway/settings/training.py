"""``[training]`` of ``slipway.toml``: where in AWS models are trained."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.settings.tables import unknown

VARIABLE = "SLIPWAY_TRAINING_"
# in ECR, or in a registry on this machine
REPOSITORY = (
    r"(\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?|(localhost|127\.0\.0\.1)(:\d+)?)"
    r"/[a-z0-9._/-]+"
)
# the patterns are those of SageMaker's and ECR's API
PATTERNS: Mapping[str, tuple[str, str]] = {
    "bucket": (r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "slipway-training-111122223333"),
    "role": (
        r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+",
        "arn:aws:iam::111122223333:role/slipway-training",
    ),
    "repository": (
        REPOSITORY,
        "111122223333.dkr.ecr.us-east-1.amazonaws.com/slipway-training",
    ),
    "region": (r"[a-z]{2,4}(-[a-z]+)+-\d", "us-east-1"),
    "profile": (r"\S+", "training"),
    "kms_key": (
        r"[a-zA-Z0-9:/_-]{1,2048}",
        "arn:aws:kms:us-east-1:111122223333:key/0123abcd-…",
    ),
    "model_package_group": (r"[a-zA-Z0-9-]*\{model\}[a-zA-Z0-9-]*", "slipway-{model}"),
    "airflow": (
        r"(mwaa|lambda):[A-Za-z0-9_-]+|https?://[^\s/]+(/\S*)?",
        "mwaa:slipway-production-training",
    ),
    "topic": (
        r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+",
        "arn:aws:sns:us-east-1:111122223333:slipway-training",
    ),
    "slack": (r"[\w.#/-]{1,200}", "slack"),
    "job_prefix": (r"[a-zA-Z0-9]+(-[a-zA-Z0-9]+){0,4}", "slipway"),
}
LISTS: Mapping[str, tuple[str, str]] = {
    "subnets": (r"subnet-[0-9a-f]+", "subnet-0a1b2c3d"),
    "security_groups": (r"sg-[0-9a-f]+", "sg-0a1b2c3d"),
}
TABLES = ("tags", "environment")
KEYS = {*PATTERNS, *LISTS, *TABLES}
SECRET = re.compile(r"(?i)secret|token|password|private_key|access_key")


@dataclass(frozen=True)
class TrainingPlaceSettings:
    """What SageMaker's jobs of a training are started with.

    ``bucket`` holds the code, state and results of trainings, below ``training/``. ``role`` is the
    jobs' execution role. ``repository`` is the repository in ECR with the images of trainings.
    ``kms_key`` encrypts volumes and outputs. ``airflow`` is how DAGs are started: an environment of
    MWAA, a Lambda function, or an api-server's address. Runs are told to the SNS ``topic``, and to
    ``slack``, a connection of Airflow's. ``job_prefix`` begins the names of jobs: the stack's roles
    may start no others. With ``subnets`` and ``security_groups`` the jobs are
    in that network. Every job gets the ``tags``, and its container the variables ``environment``.
    ``model_package_group`` is the group of SageMaker's model registry in which releases of a model
    are registered, with its name for ``{model}``. ``where`` is the file and table, for errors.

    Each text may be set by an environment variable: ``SLIPWAY_TRAINING_BUCKET``, and so on; the
    lists by names with commas between them.
    """

    bucket: str | None = None
    role: str | None = None
    repository: str | None = None
    region: str | None = None
    profile: str | None = None
    kms_key: str | None = None
    model_package_group: str | None = None
    airflow: str | None = None
    topic: str | None = None
    slack: str | None = None
    job_prefix: str | None = None
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    where: str = "slipway.toml: [training]"

    def require(self, key: str) -> str:
        """Return a setting that a training in AWS cannot do without.

        Raises:
            SlipwayError: it is not set.
        """
        value: str | None = getattr(self, key)
        if value is None:
            raise SlipwayError(
                f"{key} is not set",
                where=self.where,
                fix=f'{key} = "{PATTERNS[key][1]}", or {VARIABLE}{key.upper()};'
                " the outputs of the stack of slipway infra deploy training name it",
            )
        return value


def parse(path: Path, values: Any) -> TrainingPlaceSettings:
    """Return the settings of ``[training]``, with what the environment overrides.

    Raises:
        SlipwayError: a key is unknown, or a value is not what the key takes.
    """
    where = f"{path}: [training]"
    if not isinstance(values, Mapping):
        raise unknown(path, "training", ["[training] with keys of its own"])
    for key in values:
        if key not in KEYS:
            raise unknown(path, f"training.{key}", KEYS)
    chosen: dict[str, Any] = {}
    for key, (pattern, example) in PATTERNS.items():
        value, origin = _chosen(values, key, where)
        if value is not None and not _matches(pattern, value):
            raise SlipwayError(
                f"{key} is {value!r}", where=origin, fix=f'such as {key} = "{example}"'
            )
        chosen[key] = value
    for key, (pattern, example) in LISTS.items():
        value, origin = _chosen(values, key, where)
        items = [item.strip() for item in value.split(",")] if isinstance(value, str) else value
        items = [] if items is None else items
        if not isinstance(items, list) or not all(_matches(pattern, item) for item in items):
            raise SlipwayError(
                f"{key} is {value!r}", where=origin, fix=f'such as {key} = ["{example}"]'
            )
        chosen[key] = tuple(items)
    for key in TABLES:
        table = values.get(key, {})
        if not isinstance(table, Mapping) or not all(isinstance(v, str) for v in table.values()):
            raise SlipwayError(
                f"{key} is {table!r}",
                where=where,
                fix=f'a table of texts: {key} = {{ name = "value" }}',
            )
        chosen[key] = dict(table)
    for name in chosen["environment"]:
        if SECRET.search(name):
            raise SlipwayError(
                f"environment has {name}, which a job's description would show to everyone",
                where=where,
                fix="let the job's role read it from Secrets Manager, and give the secret's name",
            )
    if bool(chosen["subnets"]) != bool(chosen["security_groups"]):
        raise SlipwayError(
            "subnets and security_groups are not set together", where=where, fix="set the other one"
        )
    return TrainingPlaceSettings(**chosen, where=where)


def _chosen(values: Mapping[str, Any], key: str, where: str) -> tuple[Any, str]:
    """Return the value and where it is from: the environment, or the file."""
    variable = f"{VARIABLE}{key.upper()}"
    if os.environ.get(variable):
        return os.environ[variable], variable
    return values.get(key), where


def _matches(pattern: str, value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None
