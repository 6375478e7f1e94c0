"""What all jobs of one training have in common."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from slipway.errors import SlipwayError
from slipway.model.training_settings import FILE_NAME, TrainingSettings
from slipway.settings import TrainingPlaceSettings
from slipway.training.bucket import run_prefix

LONGEST_NAME = 63  # of a job
CODE_CHANNEL = "code"
CHANNEL = r"[A-Za-z0-9.\-_]{1,64}"
# Of a processing job's ContainerArguments (API_AppSpecification): its step, then NAME=VALUE. A
# training job would take one more value, and longer ones (HyperParameters, API_CreateTrainingJob),
# but the jobs after it get the same.
MOST_VALUES, LONGEST_ARGUMENT = 99, 256


@dataclass(frozen=True)
class JobSettings:
    """A run of ``model``, and what its jobs are made of.

    ``code`` is the snapshot's address in S3, ``image`` the full reference in ECR. ``values`` are
    what the container is told: ``commit``, ``dirty``, ``reason``, ``place`` and so on, as text.
    ``parameters`` are values of params.yaml by dotted name. Texts may be templates of Airflow:
    ``job`` then is the name that the jobs' names begin with.
    """

    run_id: str
    model: str
    code: str
    image: str
    places: TrainingPlaceSettings
    training: TrainingSettings = TrainingSettings()
    values: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    job: str | None = None

    @property
    def prefix(self) -> str:
        """Return the address below which all of the run is."""
        return run_prefix(self.places.require("bucket"), self.model, self.run_id)

    def job_name(self, step: str | None = None) -> str:
        """Return the name of the run's training job, or of the processing job of ``step``."""
        if self.job is not None:
            return f"{self.job}-{step}" if step else self.job
        return job_name(self.run_id, step, self.places.job_prefix)

    def hyperparameters(self) -> dict[str, str]:
        """Return what the container is told, in the order of the names.

        Raises:
            SlipwayError: SageMaker takes fewer or shorter values.
        """
        values = {
            "model": self.model,
            "run": self.run_id,
            **self.values,
            **{f"set.{name}": value for name, value in self.parameters.items()},
        }
        for name, value in values.items():
            if len(f"{name}={value}") > LONGEST_ARGUMENT:
                option = f"--set {name[4:]}" if name.startswith("set.") else f"--{name}"
                raise SlipwayError(
                    f"{option} has {len(value)} characters; a job takes"
                    f" {LONGEST_ARGUMENT - len(name) - 1}",
                    fix=(
                        "write it into params.yaml, and commit it"
                        if name.startswith("set.")
                        else "say it in fewer words"
                    ),
                )
        if len(values) > MOST_VALUES:
            raise SlipwayError(
                f"{len(self.parameters)} parameters are set; a job takes {MOST_VALUES} values",
                fix="write them into params.yaml, and commit it",
            )
        return dict(sorted(values.items()))


def job_name(run_id: str, step: str | None = None, prefix: str | None = None) -> str:
    """Return a name that SageMaker takes: letters, digits and single hyphens, at most 63.

    A long model's name is shortened, and gets a part of its digest; time and token stay.
    """
    suffix = f"-{step}" if step else ""
    name = re.sub(r"[^a-zA-Z0-9]+", "-", f"{prefix or ''}-{run_id}").strip("-")
    if len(name) + len(suffix) > LONGEST_NAME:
        model, time, token = name.rsplit("-", 2)
        digest = hashlib.sha256(run_id.encode()).hexdigest()[:6]
        end = f"-{digest}-{time}-{token}"
        name = model[: LONGEST_NAME - len(suffix) - len(end)].rstrip("-") + end
    return name + suffix


def channel_names(channels: Mapping[str, str]) -> dict[str, str]:
    """Return the addresses of ``[sagemaker.channels]`` by channel: a channel is named by the last
    part of its folder, ``training/raw`` is ``raw``.

    Raises:
        SlipwayError: two have one name, or a name that SageMaker does not take.
    """
    named: dict[str, str] = {}
    for folder, address in channels.items():
        name = PurePosixPath(folder).name
        if name in named or name == CODE_CHANNEL or not re.fullmatch(CHANNEL, name):
            why = f"{name!r} is the channel of another folder"
            if not re.fullmatch(CHANNEL, name):
                why = f"{name!r} cannot be a channel's name"
            raise SlipwayError(
                f"{folder}: {why}",
                where=f"{FILE_NAME}: [sagemaker.channels]",
                fix="rename the folder: letters, digits, dots, hyphens and underscores, and not"
                f" {CODE_CHANNEL!r}",
            )
        named[name] = address
    return named
