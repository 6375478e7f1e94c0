"""Register a release in SageMaker's model registry: one package for each artifact's bytes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from slipway.aws import (
    NO_CREDENTIALS,
    NOT_CONFIGURED,
    error_code,
    error_message,
    no_credentials,
    not_configured,
)
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.release.registry.package import (
    APPROVAL,
    approve_body,
    create_body,
    group_name,
    package_description,
)
from slipway.settings import Settings
from slipway.settings.release import StageName

S3 = "s3://"
# SageMaker answers a missing group, and one that exists, with the same code
INVALID = {"ValidationException", "ResourceNotFound", "ResourceNotFoundException"}
EXISTS = "already exists"


@dataclass(frozen=True)
class Registration:
    """The package of a release, and its version in the group. ``changed`` is false if it was
    registered in this state before."""

    arn: str
    group: str
    changed: bool


class Registry:
    """SageMaker's model registry, in the region and account of ``[training]``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._places = settings.training
        try:
            session = boto3.session.Session(
                profile_name=self._places.profile, region_name=self._places.region
            )
            self._client: Any = session.client("sagemaker")
        except NOT_CONFIGURED as error:
            raise not_configured(error, self._places.where) from error
        self.region: str = self._client.meta.region_name

    def register(self, record: Record, stage: StageName, image: str) -> Registration:
        """Register the release ``record`` of ``stage``, which ``image`` serves. Called again, it
        changes nothing.

        Raises:
            SlipwayError: the stage's store is not in S3, or SageMaker refuses.
        """
        pattern = self._places.model_package_group or ""
        group = group_name(pattern, record.name)
        store = self._settings.stage(stage).store.rstrip("/")
        if not store.startswith(S3):
            raise SlipwayError(
                f"SageMaker takes models from S3 only, and {stage}'s store is {store}",
                where=f"slipway.toml: [release.{stage}]",
                fix='store = "s3://…", or remove model_package_group',
            )
        with self._translate(f"registering {record.target} in {group}"):
            self._ensure_group(group, record.name)
            existing = self._find(group, package_description(record))
            if existing is None:
                body = create_body(record, stage, group, store, image)
                arn = self._client.create_model_package(**body)["ModelPackageArn"]
                return Registration(arn, group, True)
            arn = existing["ModelPackageArn"]
            # a later push of bytes that production has takes nothing back
            if stage == "staging" or existing.get("ModelApprovalStatus") == APPROVAL[stage]:
                return Registration(arn, group, False)
            self._client.update_model_package(**approve_body(record, arn, store, image))
            return Registration(arn, group, True)

    def _ensure_group(self, group: str, model: str) -> None:
        try:
            self._client.describe_model_package_group(ModelPackageGroupName=group)
        except ClientError as error:
            if error_code(error) not in INVALID:
                raise
            try:
                self._client.create_model_package_group(
                    ModelPackageGroupName=group,
                    ModelPackageGroupDescription=f"Releases of {model}, by Slipway",
                )
            except ClientError as refused:  # another job was faster
                if EXISTS not in error_message(refused):
                    raise

    def _find(self, group: str, description: str) -> dict[str, Any] | None:
        """Return the summary of the package with this description."""
        pages = self._client.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"
        )
        for page in pages:
            for summary in page["ModelPackageSummaryList"]:
                if summary.get("ModelPackageDescription") == description:
                    return dict(summary)
        return None

    @contextlib.contextmanager
    def _translate(self, what: str) -> Iterator[None]:
        try:
            yield
        except NO_CREDENTIALS as error:
            raise no_credentials(error, self._places.where) from error
        except ClientError as error:
            raise SlipwayError(
                f"{what}: {error_code(error)}: {error_message(error)}",
                where=self._places.where,
                fix="allow the role sagemaker:CreateModelPackageGroup, CreateModelPackage,"
                " UpdateModelPackage, ListModelPackages and DescribeModelPackageGroup, then publish"
                " or promote again",
            ) from error
        except BotoCoreError as error:
            raise SlipwayError(
                f"{what}: {error}", where=self._places.where, fix="publish or promote again"
            ) from error
