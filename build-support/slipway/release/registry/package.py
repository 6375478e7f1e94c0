"""What SageMaker's model registry is told of a release: the bodies of its requests.

Source: SageMaker's API reference, CreateModelPackage and UpdateModelPackage.
"""

from __future__ import annotations

import re
from typing import Any

from slipway.catalog.commit import DIRTY
from slipway.catalog.record import Record
from slipway.settings.release import StageName

# of a group: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}
LONGEST_GROUP = 63
LONGEST_VALUE = 256
NOT_ALLOWED = re.compile(r"[^\w .:/=+\-@]")
APPROVAL = {"staging": "PendingManualApproval", "production": "Approved"}
# what a multi-model endpoint of Triton takes and answers
TYPES = ["application/octet-stream", "application/json"]


def group_name(pattern: str, model: str) -> str:
    """Return the group of ``model``: ``pattern`` with its name, of letters, digits and hyphens."""
    name = re.sub(r"[^a-zA-Z0-9]+", "-", pattern.replace("{model}", model)).strip("-")
    return name[:LONGEST_GROUP].rstrip("-")


def package_description(record: Record) -> str:
    """Return the description by which the package of an artifact is found again."""
    return f"{record.name} {record.version}, sha256 {record.sha256}"


def create_body(
    record: Record, stage: StageName, group: str, store: str, image: str
) -> dict[str, Any]:
    """Return the request that creates the package of a release. ``store`` is the URL of the stage's
    store in S3, ``image`` the one that serves the model."""
    body: dict[str, Any] = {
        "ModelPackageGroupName": group,
        "ModelPackageDescription": package_description(record),
        "InferenceSpecification": _inference(record, stage, store, image),
        "ModelApprovalStatus": APPROVAL[stage],
        "CustomerMetadataProperties": metadata_properties(record, stage),
        # a request that is repeated creates nothing
        "ClientToken": f"{stage}-{record.sha256[:24]}",
    }
    if record.commit:
        body["MetadataProperties"] = {"CommitId": record.commit.removesuffix(DIRTY)}
    if record.metrics:
        key = f"{stage}/catalog/{record.name}/releases/{record.target}.json"
        body["ModelMetrics"] = {
            "ModelQuality": {
                "Statistics": {"ContentType": "application/json", "S3Uri": f"{store}/{key}"}
            }
        }
    return body


def approve_body(record: Record, arn: str, store: str, image: str) -> dict[str, Any]:
    """Return the request that makes an existing package the one of production."""
    return {
        "ModelPackageArn": arn,
        "ModelApprovalStatus": APPROVAL["production"],
        "ApprovalDescription": f"promoted as {record.target}",
        "CustomerMetadataProperties": metadata_properties(record, "production"),
        # production's bytes: those of staging may be pruned
        "InferenceSpecification": _inference(record, "production", store, image),
    }


def metadata_properties(record: Record, stage: StageName) -> dict[str, str]:
    """Return what is known of the release, in the characters that SageMaker allows."""
    training = record.training
    values = {
        "model": record.name,
        "version": record.version,
        "stage": stage,
        "target-model": record.target,
        "sha256": record.sha256,
        "commit": record.commit,
        "pipeline": record.origin.pipeline,
        "published-by": record.origin.by,
        "training-run": None if training is None else training.id,
        "training-place": None if training is None else training.place,
        "training-run-sha256": None if training is None else training.sha256,
    }
    return {
        f"slipway:{key}": NOT_ALLOWED.sub("_", value)[:LONGEST_VALUE]
        for key, value in values.items()
        if value
    }


def _inference(record: Record, stage: StageName, store: str, image: str) -> dict[str, Any]:
    return {
        "Containers": [{"Image": image, "ModelDataUrl": f"{store}/{stage}/models/{record.target}"}],
        "SupportedContentTypes": TYPES,
        "SupportedResponseMIMETypes": TYPES,
    }
