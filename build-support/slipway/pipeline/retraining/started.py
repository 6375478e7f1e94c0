"""Who or what started a training, and why: from GitLab's variables and the run's record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from slipway.training.run import TrainingRun

# GitLab's CI_PIPELINE_SOURCE: https://docs.gitlab.com/ci/jobs/job_rules/#ci_pipeline_source-predefined-variable
SOURCES = {
    "schedule": "a schedule",
    "push": "a push",
    "merge_request_event": "a merge request",
    "web": "hand",
    "api": "a request to GitLab's API",
    "trigger": "a trigger",
    "pipeline": "another project's pipeline",
}
LINKS = ("SLIPWAY_RUN_URL", "CI_JOB_URL", "CI_PIPELINE_URL")


@dataclass(frozen=True)
class Start:
    """``by`` is a user's name, ``how`` a few words after "by", ``why`` a reason, ``links`` are
    addresses of the run; ``None`` and empty where nothing is known."""

    by: str | None
    how: str | None
    why: str | None
    links: tuple[str, ...]


def read_start(environ: Mapping[str, str], run: TrainingRun) -> Start:
    """Return who started ``run``, by the variables of a job of GitLab, or of a task of Airflow."""
    how = SOURCES.get(environ.get("CI_PIPELINE_SOURCE", ""))
    if environ.get("TASK") == "drift":
        how = "a drift alarm" if how == "a trigger" else f"a check of drift, on {how or 'demand'}"
    how = environ.get("SLIPWAY_STARTED_BY") or how
    links = [environ[name] for name in LINKS if environ.get(name)]
    links += [job for job in run.jobs if job not in links]
    return Start(environ.get("GITLAB_USER_LOGIN"), how, run.reason, tuple(links))
