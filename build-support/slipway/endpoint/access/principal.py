"""A role that a caller acts as: its policies, and how AWS refuses it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from slipway.endpoint.access.asked import Asked
from slipway.endpoint.access.iam.decision import decide, keys_read
from slipway.endpoint.access.iam.document import Statement
from slipway.endpoint.access.iam.pattern import Context
from slipway.endpoint.failure import Failure
from slipway.errors import SlipwayError

TARGET_MODEL = "sagemaker:TargetModel"
TARGET_CONTAINER = "sagemaker:TargetContainerHostname"
# what a request here has values of, or is known to lack; any other key is an error at the start
KNOWN = {
    key.lower(): key
    for key in (
        TARGET_MODEL,
        TARGET_CONTAINER,
        "aws:CurrentTime",
        "aws:EpochTime",
        "aws:MultiFactorAuthPresent",
        "aws:PrincipalAccount",
        "aws:PrincipalArn",
        "aws:PrincipalIsAWSService",
        "aws:PrincipalType",
        "aws:RequestedRegion",
        "aws:ResourceAccount",
        "aws:SecureTransport",
        "aws:SourceIp",
        "aws:UserAgent",
        "aws:ViaAWSService",
        "aws:username",
    )
}
OPERATIONS = (
    "sagemaker:InvokeEndpoint",
    "sagemaker:InvokeEndpointAsync",
    "sagemaker:InvokeEndpointWithResponseStream",
    "sagemaker:DescribeEndpoint",
    "sagemaker:ListEndpoints",
)


@dataclass(frozen=True)
class Place:
    """Where the endpoints are said to be: ``names`` are those in AWS, by those here."""

    region: str
    account: str
    names: Mapping[str, str]
    partition: str = "aws"

    def arn(self, endpoint: str | None) -> str:
        """Return the ARN that a policy names; ``*`` of an operation without a resource."""
        if endpoint is None:
            return "*"
        name = self.names.get(endpoint, endpoint).lower()
        return f"arn:{self.partition}:sagemaker:{self.region}:{self.account}:endpoint/{name}"


@dataclass(frozen=True)
class Principal:
    """A role's ``name`` and ARN, and the statements of its policies."""

    name: str
    arn: str
    statements: Sequence[Statement]

    def session(self, profile: str) -> str:
        """Return the ARN of who has taken the role, as errors name it."""
        account, partition = self.arn.split(":")[4], self.arn.split(":")[1]
        return f"arn:{partition}:sts::{account}:assumed-role/{self.name}/{profile}"


def check_keys(principal: Principal, where: str) -> None:
    """Check that what decides about an endpoint can be decided here.

    Raises:
        SlipwayError: a condition reads a key that no request here has.
    """
    for operation in OPERATIONS:
        unknown = sorted(keys_read(principal.statements, operation) - set(KNOWN))
        if unknown:
            raise SlipwayError(
                f"{principal.name}: a condition on {operation} reads {unknown[0]}, which cannot be"
                " tried here",
                where=where,
                fix=f"known are: {', '.join(KNOWN.values())}; slipway infra may takes any --key",
            )


def authorize(
    principal: Principal,
    profile: str,
    asked: Asked,
    place: Place,
    headers: Mapping[str, str],
    address: str,
) -> None:
    """Check that the role's policies allow what is asked.

    Raises:
        Failure: 403, in AWS's words.
    """
    resource = place.arn(asked.endpoint)
    if asked.operation is None:
        raise Failure(
            403,
            "AccessDeniedException",
            f"User: {principal.session(profile)} is not authorized: IAM has no action for"
            " the page and its data. Ask with a token: slipway token create",
        )
    context = request_context(principal, asked, place, headers, address)
    decision = decide(principal.statements, asked.operation, resource, context)
    if not decision.allowed:
        why = decision.reason.replace("the action", f"the {asked.operation} action")
        raise Failure(
            403,
            "AccessDeniedException",
            f"User: {principal.session(profile)} is not authorized to perform: {asked.operation} on"
            f" resource: {resource} {why}",
        )


def request_context(
    principal: Principal, asked: Asked, place: Place, headers: Mapping[str, str], address: str
) -> Context:
    """Return the values of the condition keys of a request."""
    now = time.time()
    values = {
        TARGET_MODEL: asked.target,
        TARGET_CONTAINER: asked.container,
        "aws:CurrentTime": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now)),
        "aws:PrincipalAccount": place.account,
        "aws:PrincipalArn": principal.arn,
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalType": "AssumedRole",
        "aws:RequestedRegion": place.region,
        "aws:ResourceAccount": place.account if asked.endpoint else None,
        # SageMaker's own address speaks TLS only, whatever this one does
        "aws:SecureTransport": "true",
        "aws:SourceIp": address,
        "aws:UserAgent": headers.get("User-Agent"),
        "aws:ViaAWSService": "false",
    }
    return {key.lower(): (value,) for key, value in values.items() if value is not None}
