"""What an environment is called by: names and ARNs for the pipeline and for people."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from slipway.errors import SlipwayError
from slipway.infra import state as states
from slipway.infra.environment import Environment
from slipway.infra.state import State

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

# output → variable of the pipeline; {} is the stage
VARIABLES = {
    "Store": "SLIPWAY_{}_STORE",
    "EndpointName": "SLIPWAY_{}_ENDPOINT",
    "CiRoleArn": "AWS_ROLE_ARN",
    "PruneRoleArn": "SLIPWAY_{}_PRUNE_ROLE",
    "TopicArn": "SLIPWAY_SNS_TOPIC",
}


def read(client: CloudFormationClient, environment: Environment) -> State:
    """The stack with its outputs.

    Raises:
        SlipwayError: it is not deployed; AWS is not reached, or refuses.
    """
    found = states.read(client, environment.stack)
    if found.is_new or found.failed_at_birth:
        raise SlipwayError(
            "is not deployed" if found.is_new else f"its creation failed ({found.status})",
            where=environment.stack,
            fix=f"slipway infra deploy {environment.name}",
        )
    return found


def as_variables(environment: Environment, outputs: dict[str, str]) -> list[str]:
    """Lines of a shell, as ``eval "$(slipway infra outputs staging --env)"`` takes them, and as
    they are set in GitLab (Settings → CI/CD → Variables)."""
    stage = environment.parameters.get("Stage", environment.name).upper().replace("-", "_")
    found = {
        variable.format(stage): outputs[output]
        for output, variable in VARIABLES.items()
        if output in outputs
    }
    if "TopicArn" in outputs:
        found["AWS_REGION"] = outputs["TopicArn"].split(":")[3]  # arn:partition:service:region:…
    return [f"export {name}={shlex.quote(value)}" for name, value in found.items()]
