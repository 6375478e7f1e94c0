"""The roles of a template with all policies that they would have, once it is deployed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slipway.endpoint.access.iam.document import Statement, parse_policy
from slipway.endpoint.access.principal import Principal
from slipway.errors import SlipwayError
from slipway.infra import images
from slipway.infra.environment import IMAGES, Environment
from slipway.infra.instances import Hardware
from slipway.infra.intrinsics import Deployed

ROLE, POLICY, MANAGED = "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"
RESOURCE_POLICIES = {
    "AWS::S3::BucketPolicy": "s3",
    "AWS::SNS::TopicPolicy": "sns",
    "AWS::KMS::Key": "kms",
    "AWS::SecretsManager::Secret": "secretsmanager",
    "AWS::ECR::Repository": "ecr",
}
ACCOUNT = "000000000000"  # as in the ARNs of the local endpoint


@dataclass(frozen=True)
class Roles:
    """The principals of an environment by their logical ids; ``endpoint`` is its name in AWS."""

    environment: str
    region: str
    principals: Mapping[str, Principal]
    endpoint: str | None
    resource_policies: frozenset[str]
    where: str

    def find(self, name: str) -> Principal:
        """Return a principal by its logical id, with or without Role or Policy, or by its name.

        Raises:
            SlipwayError: there is none.
        """
        for wanted in (name, f"{name}Role", f"{name}Policy"):
            if wanted in self.principals:
                return self.principals[wanted]
        for principal in self.principals.values():
            if principal.name == name:
                return principal
        raise SlipwayError(
            f"{self.environment} has no role {name!r}",
            where=self.where,
            fix=f"one of {', '.join(self.principals)}",
        )


def read_roles(environment: Environment, region: str, account: str = ACCOUNT) -> Roles:
    """Return the roles of an environment, and its managed policies, which roles of one's own take.

    Raises:
        SlipwayError: a policy cannot be resolved without AWS, or has what IAM does not.
    """
    document = environment.template.document
    where = str(environment.template.path)
    parameters = _with_images(environment, region)
    deployed = Deployed(
        document, parameters, region, account, environment.stack, where, partition_of(region)
    )
    resources = {
        name: resource
        for name, resource in document["Resources"].items()
        if resource["Type"] in (ROLE, POLICY, MANAGED) and deployed.exists(resource)
    }
    attached = _attached(resources, deployed)
    managed = {
        name: tuple(_document(name, resource["Properties"], deployed, where))
        for name, resource in resources.items()
        if resource["Type"] == MANAGED
    }
    principals: dict[str, Principal] = {}
    for name, resource in resources.items():
        if resource["Type"] == ROLE:
            statements = list(_of_role(name, resource["Properties"], deployed, managed, where))
            statements += [each for policy in attached.get(name, ()) for each in policy]
            arn = str(deployed.resolve({"Fn::GetAtt": [name, "Arn"]}))
            principals[name] = Principal(arn.rpartition("/")[2], arn, statements)
    for name, statements_of_policy in managed.items():
        # a role of one's own that has this policy
        stem = name.removesuffix("Policy")
        arn = f"arn:{deployed.partition}:iam::{account}:role/{stem}"
        principals[name] = Principal(stem, arn, statements_of_policy)
    for name, statements_of_policy in managed.items():
        # a role of another stack, which gets the policy in addition to those that it has there
        for role in resources[name]["Properties"].get("Roles", []):
            role = deployed.resolve(role)
            arn = f"arn:{deployed.partition}:iam::{account}:role/{role}"
            others = principals[role].statements if role in principals else ()
            principals[role] = Principal(role, arn, [*others, *statements_of_policy])
    output = document.get("Outputs", {}).get("EndpointName", {}).get("Value")
    kinds = {resource["Type"] for resource in document["Resources"].values()}
    return Roles(
        environment.name,
        region,
        principals,
        None if output is None else str(deployed.resolve(output)),
        frozenset(RESOURCE_POLICIES[kind] for kind in kinds if kind in RESOURCE_POLICIES),
        str(environment.path),
    )


def _with_images(environment: Environment, region: str) -> Mapping[str, str]:
    """Return the parameters with the images that a deployment would take from AWS's table."""
    parameters = dict(environment.parameters)
    for name in IMAGES:
        if name in environment.template.parameters and name not in parameters:
            table = images.load_images(environment.path.parent)
            hardware: Hardware = "gpu" if parameters.get("Hardware") == "gpu" else "cpu"
            parameters[name] = table.uri(environment.triton_release, region, hardware)
    return parameters


def _of_role(
    name: str,
    properties: Mapping[str, Any],
    deployed: Deployed,
    managed: Mapping[str, tuple[Statement, ...]],
    where: str,
) -> Iterator[Statement]:
    if "PermissionsBoundary" in properties:
        raise SlipwayError(
            f"{name} has a permissions boundary, which is not evaluated",
            where=where,
            fix="try a role without one",
        )
    for policy in deployed.resolve(properties.get("Policies", [])):
        yield from parse_policy(
            f"{name}/{policy['PolicyName']}", _object(policy["PolicyDocument"]), where
        )
    for arn in properties.get("ManagedPolicyArns", []):
        wanted = deployed.resolve(arn)
        if wanted is None:
            continue
        own = [each for each in managed if deployed.resolve({"Ref": each}) == wanted]
        if not own:
            raise SlipwayError(
                f"{name} has {wanted}, which is not in the template",
                where=where,
                fix="write its statements into a policy of the template",
            )
        yield from managed[own[0]]


def _attached(
    resources: Mapping[str, Any], deployed: Deployed
) -> dict[str, list[tuple[Statement, ...]]]:
    """Return the policies that name the roles they belong to, by the roles' logical ids."""
    found: dict[str, list[tuple[Statement, ...]]] = {}
    for name, resource in resources.items():
        if resource["Type"] == MANAGED:
            continue  # belongs to roles of other stacks
        for role in attached_roles(resource, deployed):
            policy = tuple(_document(name, resource["Properties"], deployed, deployed.where))
            found.setdefault(role, []).append(policy)
    return found


def attached_roles(resource: Mapping[str, Any], deployed: Deployed) -> list[str]:
    """Return the logical ids of the roles that a policy of the template belongs to.

    Raises:
        SlipwayError: it names one otherwise than by !Ref.
    """
    roles = _chosen(resource["Properties"].get("Roles", []), deployed)
    found = []
    for role in roles:
        logical = role.get("Ref") if isinstance(role, Mapping) else None
        if logical is None:
            raise SlipwayError(
                f"a policy is for {role!r}",
                where=deployed.where,
                fix="name roles of the template by !Ref",
            )
        found.append(str(logical))
    return found


def _chosen(value: Any, deployed: Deployed) -> Any:
    while isinstance(value, Mapping) and "Fn::If" in value:
        condition, yes, no = value["Fn::If"]
        value = yes if deployed.condition(str(condition)) else no
    return value


def _document(
    name: str, properties: Mapping[str, Any], deployed: Deployed, where: str
) -> list[Statement]:
    return parse_policy(name, _object(deployed.resolve(properties["PolicyDocument"])), where)


def _object(document: Any) -> Any:
    return json.loads(document) if isinstance(document, str) else document


def partition_of(region: str) -> str:
    """Return the partition of a region."""
    for beginning, partition in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")):
        if region.startswith(beginning):
            return partition
    return "aws"
