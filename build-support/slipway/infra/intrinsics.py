"""Resolve a template's intrinsic functions, as far as its parameters and names decide them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slipway.errors import SlipwayError

REFERENCE = re.compile(r"\$\{(!?)([^}]*)\}")
NO_VALUE = "AWS::NoValue"
# what !Ref and !GetAtt …Arn of a resource are, by its type: the property that names it
ARNS = {
    "AWS::S3::Bucket": ("BucketName", "arn:{partition}:s3:::{name}"),
    "AWS::IAM::Role": ("RoleName", "arn:{partition}:iam::{account}:role/{name}"),
    "AWS::IAM::ManagedPolicy": (
        "ManagedPolicyName",
        "arn:{partition}:iam::{account}:policy/{name}",
    ),
    "AWS::KMS::Key": ("", "arn:{partition}:kms:{region}:{account}:key/{name}"),
    "AWS::SNS::Topic": ("TopicName", "arn:{partition}:sns:{region}:{account}:{name}"),
    "AWS::Logs::LogGroup": (
        "LogGroupName",
        "arn:{partition}:logs:{region}:{account}:log-group:{name}:*",
    ),
    "AWS::Lambda::Function": (
        "FunctionName",
        "arn:{partition}:lambda:{region}:{account}:function:{name}",
    ),
    "AWS::ECR::Repository": (
        "RepositoryName",
        "arn:{partition}:ecr:{region}:{account}:repository/{name}",
    ),
}
# those whose !Ref is the ARN itself
REF_IS_ARN = {"AWS::IAM::ManagedPolicy", "AWS::SNS::Topic"}


class _NoValue:
    """What ``AWS::NoValue`` leaves out."""


@dataclass(frozen=True)
class Deployed:
    """A template as it would be deployed: its ``parameters``, and the stack's place."""

    document: Mapping[str, Any]
    parameters: Mapping[str, str]
    region: str
    account: str
    stack: str
    where: str
    partition: str = "aws"

    def resolve(self, value: Any) -> Any:
        """Return ``value`` without intrinsic functions.

        Raises:
            SlipwayError: it has one that cannot be resolved without AWS.
        """
        resolved = self._resolve(value, {})
        return None if isinstance(resolved, _NoValue) else resolved

    def exists(self, resource: Mapping[str, Any]) -> bool:
        """Return whether a resource's Condition holds."""
        name = resource.get("Condition")
        return name is None or self.condition(str(name))

    def condition(self, name: str) -> bool:
        """Return whether a condition of the template holds."""
        conditions = self.document.get("Conditions", {})
        if name not in conditions:
            raise self._unresolved(f"the condition {name}")
        return bool(self._resolve(conditions[name], {}))

    def _resolve(self, value: Any, local: Mapping[str, str]) -> Any:
        if isinstance(value, list):
            elements = [self._resolve(each, local) for each in value]
            return [each for each in elements if not isinstance(each, _NoValue)]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in ("Ref", "Condition") and isinstance(argument, str):
                return self._ref(argument) if name == "Ref" else self.condition(argument)
            if str(name).startswith("Fn::"):
                return self._function(str(name), argument, local)
        items = {key: self._resolve(each, local) for key, each in value.items()}
        return {key: each for key, each in items.items() if not isinstance(each, _NoValue)}

    def _function(self, name: str, argument: Any, local: Mapping[str, str]) -> Any:
        if name == "Fn::If":
            condition, yes, no = argument
            return self._resolve(yes if self.condition(str(condition)) else no, local)
        if name == "Fn::Sub":
            text, values = argument if isinstance(argument, list) else (argument, {})
            named = {key: str(self._resolve(each, local)) for key, each in values.items()}
            return REFERENCE.sub(lambda found: self._substituted(found, {**local, **named}), text)
        if name == "Fn::GetAtt":
            resource, attribute = argument
            return self._attribute(str(resource), str(attribute))
        argument = self._resolve(argument, local)
        match name:
            case "Fn::Equals":
                return _text(argument[0]) == _text(argument[1])
            case "Fn::Not":
                return not argument[0]
            case "Fn::And":
                return all(argument)
            case "Fn::Or":
                return any(argument)
            case "Fn::Join":
                return str(argument[0]).join(map(str, argument[1]))
            case "Fn::Select":
                return argument[1][int(argument[0])]
            case "Fn::Split":
                return str(argument[1]).split(str(argument[0]))
            case "Fn::FindInMap":
                table, first, second = argument
                return self.document["Mappings"][table][first][second]
        raise self._unresolved(name)

    def _substituted(self, found: re.Match[str], local: Mapping[str, str]) -> str:
        if found[1]:  # ${!Literal} is ${Literal}
            return f"${{{found[2]}}}"
        name = found[2].strip()
        if name in local:
            return local[name]
        resource, dot, attribute = name.partition(".")
        value = self._attribute(resource, attribute) if dot else self._ref(name)
        return _text(value)

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::AccountId": self.account,
            "AWS::Partition": self.partition,
            "AWS::Region": self.region,
            "AWS::StackName": self.stack,
            "AWS::URLSuffix": "amazonaws.com.cn" if "cn" in self.partition else "amazonaws.com",
            NO_VALUE: _NoValue(),
        }
        if name in pseudo:
            return pseudo[name]
        declared = self.document.get("Parameters", {}).get(name)
        if declared is not None:
            text = self.parameters.get(name, declared.get("Default"))
            if text is None:
                raise SlipwayError(
                    f"the parameter {name} has no value",
                    where=self.where,
                    fix=f"add {name} below [parameters]",
                )
            is_list = str(declared["Type"]).startswith(("CommaDelimitedList", "List<"))
            return [each.strip() for each in str(text).split(",")] if is_list else str(text)
        resource = self.document["Resources"].get(name)
        if resource is None:
            raise self._unresolved(f"!Ref {name}")
        if resource["Type"] in REF_IS_ARN:
            return self._attribute(name, "Arn")
        return self._name(name, resource)

    def _attribute(self, name: str, attribute: str) -> str:
        resource = self.document["Resources"].get(name, {})
        known = ARNS.get(str(resource.get("Type")))
        if known is None or attribute not in ("Arn", "TopicArn"):
            raise self._unresolved(f"!GetAtt {name}.{attribute}")
        return known[1].format(
            partition=self.partition,
            region=self.region,
            account=self.account,
            name=self._name(name, resource),
        )

    def _name(self, name: str, resource: Mapping[str, Any]) -> str:
        """Return a resource's own name; AWS makes one up for a resource without."""
        key = ARNS.get(str(resource["Type"]), ("", ""))[0]
        given = resource.get("Properties", {}).get(key) if key else None
        return str(self.resolve(given)) if given is not None else f"{self.stack}-{name}"

    def _unresolved(self, what: str) -> SlipwayError:
        return SlipwayError(
            f"{what} cannot be resolved without AWS",
            where=self.where,
            fix="write what it stands for, or use functions of parameters and names",
        )


def _text(value: Any) -> str:
    """Return a value as CloudFormation writes it in a text."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
