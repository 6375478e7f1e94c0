"""What moto's CloudFormation cannot create of the training's stack: Airflow and secrets.

Airflow is checked against botocore's model of CreateEnvironment, whose members CloudFormation has
as properties, and is nothing more than its attributes. Secrets are moto's own.
"""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.validate import ParamValidator
from moto.cloudformation.parsing import get_model_map
from moto.secretsmanager.models import secretsmanager_backends


class Airflow:
    """An environment of MWAA."""

    def __init__(self, name: str, properties: dict[str, Any], account: str, region: str) -> None:
        self.physical_resource_id = name
        self.properties = properties
        self.arn = f"arn:aws:airflow:{region}:{account}:environment/{name}"

    @classmethod
    def create_from_cloudformation_json(
        cls, name: str, document: dict[str, Any], account: str, region: str, **_: Any
    ) -> Airflow:
        """Create it, if MWAA would take the request."""
        properties = document["Properties"]
        model = boto3.client("mwaa", region_name=region).meta.service_model
        shape = model.operation_model("CreateEnvironment").input_shape
        report = ParamValidator().validate(properties, shape)
        unknown = set(properties) - set(shape.members)
        if report.has_errors() or unknown:
            raise ValueError(f"{report.generate_report()} {unknown or ''}")
        return cls(properties["Name"], properties, account, region)

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Say which attributes CloudFormation documents."""
        return attr in ("Arn", "WebserverUrl")

    def get_cfn_attribute(self, attribute: str) -> str:
        """Return one of them."""
        return self.arn if attribute == "Arn" else f"{self.physical_resource_id}.airflow.example"

    def is_created(self) -> bool:
        """Say that it is there at once; MWAA takes half an hour."""
        return True


class Secret:
    """A secret of moto's, without a value."""

    def __init__(self, arn: str) -> None:
        self.physical_resource_id = arn

    @classmethod
    def create_from_cloudformation_json(
        cls, name: str, document: dict[str, Any], account: str, region: str, **_: Any
    ) -> Secret:
        """Create it in moto's Secrets Manager."""
        properties = document["Properties"]
        secret, _version = secretsmanager_backends[account][region]._add_secret(
            properties["Name"],
            description=properties["Description"],
            kms_key_id=properties.get("KmsKeyId"),
        )
        return cls(secret.arn)

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Say that nothing asks for one."""
        return False

    def is_created(self) -> bool:
        """Say that it is there at once."""
        return True


def complete(patch: pytest.MonkeyPatch) -> None:
    """Add them, for as long as a test takes."""
    known: dict[str, Any] = get_model_map()
    patch.setitem(known, "AWS::MWAA::Environment", Airflow)
    patch.setitem(known, "AWS::SecretsManager::Secret", Secret)
