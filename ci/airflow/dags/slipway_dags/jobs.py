"""SageMaker's jobs as tasks: the provider's operators, each with one job for each run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerProcessingOperator,
    SageMakerTrainingOperator,
)
from airflow.providers.amazon.aws.triggers.sagemaker import SageMakerTrigger
from botocore.exceptions import ClientError

from slipway_dags.runs import hyperparameters

__all__ = [
    "ForGood",
    "job_description",
    "job_status",
    "processing_job",
    "time_limit",
    "training_job",
]

try:
    from airflow.sdk.exceptions import AirflowException
    from airflow.sdk.exceptions import AirflowFailException as ForGood
except ImportError:  # Airflow 3.0 and 3.1
    from airflow.exceptions import AirflowException
    from airflow.exceptions import AirflowFailException as ForGood

RUNNING = ("InProgress", "Stopping")
ENDED_BADLY = ("Failed", "Stopped")
NAME_LIMIT = 63  # of a job's name in SageMaker


class OneJob:
    """Take up this run's job where it was started already, instead of starting another.

    A worker that was killed, or a fault of AWS, makes Airflow run the task again; the job that it
    had started is the same training, and costs money. The provider's operators would start a second
    one with the time in its name. A job that ended badly fails the task at once: the same training
    would fail again. Whoever clears such a task by hand wants a new job, which gets a number.
    """

    kind: ClassVar[str]
    # the operator's
    config: dict[str, Any]
    hook: Any
    log: Any
    defer: Any
    execution_timeout: Any
    check_interval: int
    max_attempts: int
    aws_conn_id: str | None
    region_name: str | None

    def execute(self, context: Any) -> Any:
        """Start the job or find it, and wait in the triggerer."""
        self.prepare(context)
        key = f"{self.kind}JobName"
        first, number = self.config[key], 1
        while (status := job_status(self.hook, self.kind, self.config[key])) is not None:
            name = self.config[key]
            if status in RUNNING:
                self.log.info("Job %s of this run is at work already.", name)
                self.wait(name)
            if status == "Completed":
                self.log.info("Job %s of this run has ended already.", name)
                return self.execute_complete(context, {"status": "success", "job_name": name})
            number += 1
            self.config[key] = f"{first[: NAME_LIMIT - 4]}-{number}"
        try:
            return super().execute(context)  # type: ignore[misc]
        except AirflowException as error:
            status = job_status(self.hook, self.kind, self.config[key])
            if status in ENDED_BADLY:
                raise ForGood(f"job {self.config[key]}: {error}") from error
            raise

    def execute_complete(self, context: Any, event: dict[str, Any] | None = None) -> Any:
        """Return the job's description; fail for good where the job did, and not where AWS did."""
        ended = event or {}
        if ended.get("status") in ("failed", "stopped"):
            raise ForGood(f"job {ended.get('job_name')}: {ended.get('message')}")
        return super().execute_complete(context, event)  # type: ignore[misc]

    def wait(self, name: str) -> None:
        """Leave the worker; the triggerer asks for the job until it has ended."""
        self.defer(
            timeout=self.execution_timeout,
            trigger=SageMakerTrigger(
                job_name=name,
                job_type=self.kind,
                waiter_delay=self.check_interval,
                waiter_max_attempts=self.max_attempts,
                aws_conn_id=self.aws_conn_id,
                region_name=self.region_name,
            ),
            method_name="execute_complete",
        )

    def prepare(self, context: Any) -> None:
        """Complete the request with what only the run knows."""


class TrainingJob(OneJob, SageMakerTrainingOperator):
    """A training job, with the run's parameters as hyperparameters."""

    kind = "Training"

    def prepare(self, context: Any) -> None:
        """Add the parameters that the run was started with."""
        self.config.setdefault("HyperParameters", {}).update(hyperparameters(context["params"]))


class ProcessingJob(OneJob, SageMakerProcessingOperator):
    """A processing job, with the run's parameters as arguments, ``set.train.rounds=20``."""

    kind = "Processing"

    def prepare(self, context: Any) -> None:
        """Add the parameters that the run was started with."""
        arguments = self.config["AppSpecification"]["ContainerArguments"]
        values = hyperparameters(context["params"])
        arguments += [f"{name}={value}" for name, value in values.items()]


def training_job(body: dict[str, Any], interval: int, **arguments: Any) -> TrainingJob:
    """Return the task of a training job with this request."""
    return TrainingJob(
        config=body,
        print_log=False,  # the log is in CloudWatch, and a failure names its place
        check_if_job_exists=False,  # OneJob has looked
        **_waiting(body, interval),
        **arguments,
    )


def processing_job(body: dict[str, Any], interval: int, **arguments: Any) -> ProcessingJob:
    """Return the task of a processing job with this request."""
    return ProcessingJob(
        config=body,
        print_log=False,
        action_if_job_exists="fail",  # OneJob has looked
        **_waiting(body, interval),
        **arguments,
    )


def time_limit(body: dict[str, Any]) -> timedelta:
    """Return how long a job may take, and two hours for its machine to be found."""
    stopping = body.get("StoppingCondition") or {"MaxRuntimeInSeconds": 86400}  # SageMaker's own
    return timedelta(seconds=max(int(value) for value in stopping.values()) + 7200)


def _waiting(body: dict[str, Any], interval: int) -> dict[str, Any]:
    limit = time_limit(body)
    return {
        "deferrable": True,
        "wait_for_completion": True,
        "check_interval": interval,
        # the provider's default is half an hour
        "max_attempts": int(limit.total_seconds()) // interval,
        "execution_timeout": limit,
        "aws_conn_id": None,  # the role of Airflow's environment
    }


def job_status(hook: Any, kind: str, name: str) -> str | None:
    """Return the state of a job as SageMaker names it; ``None`` where there is no such job."""
    description = job_description(hook, kind, name)
    return None if description is None else description[f"{kind}JobStatus"]


def job_description(hook: Any, kind: str, name: str) -> dict[str, Any] | None:
    """Return what SageMaker says of a job; ``None`` where there is no such job."""
    try:
        found: dict[str, Any] = (
            hook.describe_training_job(name)
            if kind == "Training"
            else hook.describe_processing_job(name)
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in ("ValidationException", "ResourceNotFound"):
            return None
        raise
    return found
