"""Ask SageMaker and CloudWatch, with errors that say what to do."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import quote

import boto3
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from slipway.aws import (
    NO_CREDENTIALS,
    NOT_CONFIGURED,
    RENEW_CREDENTIALS,
    error_code,
    error_message,
    no_credentials,
    not_configured,
)
from slipway.errors import SlipwayError
from slipway.settings import TrainingPlaceSettings

Kind = Literal["Training", "Processing"]
OPERATION = {"Training": "training", "Processing": "processing"}
LOG_LINES = 20  # that an error quotes
DENIED = {"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"}
EXPIRED = {"ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException"}


class JobsClient:
    """SageMaker's jobs in one region."""

    def __init__(self, places: TrainingPlaceSettings) -> None:
        try:
            session = boto3.session.Session(
                profile_name=places.profile, region_name=places.region or _region_of(places)
            )
            self._sagemaker: Any = session.client("sagemaker")
            self._logs: Any = session.client("logs")
        except NOT_CONFIGURED as error:
            raise not_configured(error, places.where) from error
        self.region: str = self._sagemaker.meta.region_name

    def create(self, kind: Kind, body: dict[str, Any]) -> str:
        """Create a job unless it exists; return its ARN.

        A job's name is its run's: one that exists was created by this call's first attempt, whose
        answer was lost, or by an earlier start of the same run.

        Raises:
            SlipwayError: SageMaker refuses.
        """
        name = body[f"{kind}JobName"]
        with self._translate(f"creating the job {name}"):
            try:
                answer = self._call("create", kind, **body)
            except ClientError as error:
                if error_code(error) != "ResourceInUse":
                    raise
                answer = self._call("describe", kind, **{f"{kind}JobName": name})
        arn: str = answer[f"{kind}JobArn"]
        return arn

    def describe(self, kind: Kind, name: str) -> dict[str, Any]:
        """Return a job's description."""
        with self._translate(f"asking for the job {name}"):
            description: dict[str, Any] = self._call("describe", kind, **{f"{kind}JobName": name})
            return description

    def exists(self, kind: Kind, name: str) -> bool:
        """Return whether there is such a job."""
        with self._translate(f"asking for the job {name}"):
            try:
                self._call("describe", kind, **{f"{kind}JobName": name})
            except ClientError as error:
                if error_code(error) not in ("ValidationException", "ResourceNotFound"):
                    raise
                return False
            return True

    def stop(self, kind: Kind, name: str) -> None:
        """Stop a job; nothing happens to one that has ended."""
        with self._translate(f"stopping the job {name}"):
            try:
                self._call("stop", kind, **{f"{kind}JobName": name})
            except ClientError as error:
                if error_code(error) != "ValidationException":
                    raise

    def log_tail(self, kind: Kind, name: str) -> list[str]:
        """Return the last lines that the job's container printed; none if they cannot be read."""
        with contextlib.suppress(ClientError, BotoCoreError):
            streams = self._logs.describe_log_streams(
                logGroupName=log_group(kind), logStreamNamePrefix=f"{name}/"
            )["logStreams"]
            lines: list[str] = []
            for stream in sorted(streams, key=lambda each: str(each["logStreamName"]))[-1:]:
                events = self._logs.get_log_events(
                    logGroupName=log_group(kind),
                    logStreamName=stream["logStreamName"],
                    limit=LOG_LINES,
                    startFromHead=False,
                )["events"]
                lines = [str(event["message"]).rstrip() for event in events]
            return lines[-LOG_LINES:]
        return []

    def console_link(self, kind: Kind, name: str) -> str:
        """Return the address of the job's page in AWS's console."""
        page = "jobs" if kind == "Training" else "processing-jobs"
        return f"{self._console()}/sagemaker/home?region={self.region}#/{page}/{name}"

    def log_link(self, kind: Kind, name: str) -> str:
        """Return the address of the job's log in AWS's console."""
        # the console decodes twice what follows the #, with $ for %
        group = quote(quote(log_group(kind), safe=""), safe="").replace("%", "$")
        stream = quote(f"?logStreamNameFilter={quote(f'{name}/', safe='')}", safe="")
        return (
            f"{self._console()}/cloudwatch/home?region={self.region}"
            f"#logsV2:log-groups/log-group/{group}{stream.replace('%', '$')}"
        )

    def _console(self) -> str:
        suffix = "amazonaws.cn" if self.region.startswith("cn-") else "aws.amazon.com"
        return f"https://{self.region}.console.{suffix}"

    def _call(self, verb: str, kind: Kind, **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self._sagemaker, f"{verb}_{OPERATION[kind]}_job")(
            **parameters
        )
        return answer

    @contextlib.contextmanager
    def _translate(self, what: str) -> Iterator[None]:
        """Raise a SlipwayError for what boto3 raises within."""
        where = f"SageMaker in {self.region}"
        try:
            yield
        except ClientError as error:
            code, message = error_code(error), error_message(error)
            raise SlipwayError(
                f"{what}: {code}: {message}", where=where, fix=_fix(code, message)
            ) from error
        except NO_CREDENTIALS as error:
            raise no_credentials(error, where) from error
        except ParamValidationError as error:
            raise SlipwayError(
                f"{what}: {error}", where=where, fix="correct training.toml, or [training]"
            ) from error
        except BotoCoreError as error:
            raise SlipwayError(
                f"{what}: SageMaker was not reached: {error}",
                where=where,
                fix="check the network; the job continues, and the same command follows it again",
            ) from error


def log_group(kind: Kind) -> str:
    """Return CloudWatch's log group of the jobs."""
    return f"/aws/sagemaker/{kind}Jobs"


def _region_of(places: TrainingPlaceSettings) -> str | None:
    """Return the region of the images' repository: a job pulls only from its own."""
    match = re.search(r"\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws", places.repository or "")
    return match[1] if match else None


def _fix(code: str, message: str) -> str:
    if code in DENIED:
        allowed = re.search(r"not authorized to perform: (\S+)(?: on resource: (\S+))?", message)
        if allowed:
            return f"allow {allowed[1]}" + (f" on {allowed[2]}" if allowed[2] else "")
        return "allow sagemaker:CreateTrainingJob, and iam:PassRole on the role of [training]"
    if code in EXPIRED:
        return RENEW_CREDENTIALS
    if code == "ResourceLimitExceeded":
        return "another [sagemaker] instance in training.toml, or ask AWS for a higher quota"
    if code == "ThrottlingException":
        return "try again in a minute"
    return "correct what the message names, in training.toml or in slipway.toml's [training]"
