"""An environment's outputs: names and ARNs for the pipeline and for people."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from slipway.errors import SlipwayError
from slipway.infra import state as states
from slipway.infra.environment import Environment
from slipway.infra.state import StackState

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

# output → pipeline variable; {} is the stage
VARIABLES = {
    "Store": "SLIPWAY_{}_STORE",
    "EndpointName": "SLIPWAY_{}_ENDPOINT",
    "CiRoleArn": "AWS_ROLE_ARN",
    "PruneRoleArn": "SLIPWAY_{}_PRUNE_ROLE",
    "TopicArn": "SLIPWAY_SNS_TOPIC",
    "TrainingBucket": "SLIPWAY_TRAINING_BUCKET",
    "TrainingRoleArn": "SLIPWAY_TRAINING_ROLE",
    "TrainingImage": "SLIPWAY_TRAINING_REPOSITORY",
    "TrainingKeyArn": "SLIPWAY_TRAINING_KMS_KEY",
    "TrainingTopicArn": "SLIPWAY_TRAINING_TOPIC",
    "JobPrefix": "SLIPWAY_TRAINING_JOB_PREFIX",
    "PushTokenSecret": "SLIPWAY_PUSH_TOKEN_SECRET",
    "Airflow": "SLIPWAY_TRAINING_AIRFLOW",
}
TOPICS = ("TopicArn", "TrainingTopicArn")


def describe_deployed_stack(client: CloudFormationClient, environment: Environment) -> StackState:
    """Return the state of a deployed stack, which has its outputs.

    Raises:
        SlipwayError: the stack is not deployed, or AWS cannot be reached or refuses.
    """
    state = states.describe_stack(client, environment.stack)
    if state.is_new or state.creation_failed:
        raise SlipwayError(
            "not deployed" if state.is_new else f"its creation failed ({state.status})",
            where=environment.stack,
            fix=f"run slipway infra deploy {environment.name}",
        )
    return state


def as_variables(environment: Environment, outputs: dict[str, str]) -> list[str]:
    """Return lines for a shell, as in ``eval "$(slipway infra outputs staging --env)"``, and for
    GitLab (Settings → CI/CD → Variables)."""
    stage = environment.parameters.get("Stage", environment.name).upper().replace("-", "_")
    variables = {
        variable.format(stage): outputs[output]
        for output, variable in VARIABLES.items()
        if output in outputs
    }
    for topic in TOPICS:
        if topic in outputs:  # arn:partition:service:region:…
            variables["AWS_REGION"] = outputs[topic].split(":")[3]
    return [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
