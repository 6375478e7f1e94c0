"""The bodies of CreateTrainingJob and CreateProcessingJob, as ``boto3`` takes them.

Sources: the API reference of both, "Managed Spot Training", and for local storage
API_ResourceConfig. The DAG of Airflow hands the same bodies to its operators.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from slipway.settings import TrainingPlaceSettings
from slipway.training.sagemaker.job_settings import CODE_CHANNEL, JobSettings, channel_names

INPUT = "/opt/ml/processing/input"
OUTPUT = "/opt/ml/processing/output"
CHECKPOINTS = "/opt/ml/checkpoints"
RETRIES = 2  # after an InternalServerError of SageMaker's
WAIT = 2  # spot: how much longer than it runs a job may take, with waiting for capacity
LONGEST_PROCESSING = 777600  # seconds
STEPS: Mapping[str, tuple[str, ...]] = {
    "evaluate": ("model",),
    "compare": ("model", "evaluation"),
    "propose": ("model", "evaluation", "comparison"),
}
RESULTS = {"evaluate": "evaluation", "compare": "comparison", "propose": "proposal"}
# these have disks of their own, which AWS encrypts; a key for a volume is refused
LOCAL_DISKS = re.compile(
    r"ml\.(g4dn|g5|g6e?|gr6|p3dn|p4de?|p5e?n?|p6\S*|trn1n?|[cmr]\d\w*d[nb]?)\..*"
)


def training_job(settings: JobSettings) -> dict[str, Any]:
    """Return the body of the job that trains."""
    places, chosen = settings.places, settings.training.sagemaker
    seconds = max(1, round(chosen.max_hours * 3600))
    stopping = {"MaxRuntimeInSeconds": seconds}
    if chosen.spot:
        stopping["MaxWaitTimeInSeconds"] = WAIT * seconds
    resources: dict[str, Any] = {
        "InstanceType": chosen.instance,
        "InstanceCount": 1,
        "VolumeSizeInGB": chosen.volume_gb,
    }
    if places.kms_key and not LOCAL_DISKS.fullmatch(chosen.instance):
        resources["VolumeKmsKeyId"] = places.kms_key
    output = {"S3OutputPath": f"{settings.prefix}/output"}
    if places.kms_key:
        output["KmsKeyId"] = places.kms_key
    channels = {CODE_CHANNEL: settings.code} | channel_names(chosen.channels)
    algorithm: dict[str, Any] = {"TrainingImage": settings.image, "TrainingInputMode": "File"}
    if settings.training.metrics:
        algorithm["MetricDefinitions"] = [
            {"Name": name, "Regex": regex} for name, regex in settings.training.metrics.items()
        ]
    body: dict[str, Any] = {
        "TrainingJobName": settings.job_name(),
        "AlgorithmSpecification": algorithm,
        "RoleArn": places.require("role"),
        "HyperParameters": settings.hyperparameters(),
        "InputDataConfig": [_channel(name, address) for name, address in channels.items()],
        "OutputDataConfig": output,
        "ResourceConfig": resources,
        "StoppingCondition": stopping,
        "EnableManagedSpotTraining": chosen.spot,
        "CheckpointConfig": {"S3Uri": f"{settings.prefix}/checkpoints", "LocalPath": CHECKPOINTS},
        # DVC reads its remote in S3
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        # without it AWS samples the machine twice a second, and keeps that in S3
        "ProfilerConfig": {"DisableProfiler": True},
        "RetryStrategy": {"MaximumRetryAttempts": RETRIES},
        "Tags": _tags(settings),
    }
    if network := _network(places):
        body["VpcConfig"] = network
    if places.environment:
        body["Environment"] = dict(places.environment)
    return body


def processing_job(
    step: str, settings: JobSettings, environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the body of the job of ``step``: evaluate, compare, or propose.

    It gets the code, and what the steps before it left: ``/opt/ml/processing/input/NAME``. It
    writes into ``/opt/ml/processing/output``.
    """
    places, chosen = settings.places, settings.training.sagemaker
    addresses = {
        CODE_CHANNEL: settings.code,
        "model": f"{settings.prefix}/output/{settings.job_name()}/output/model.tar.gz",
        "evaluation": f"{settings.prefix}/evaluation",
        "comparison": f"{settings.prefix}/comparison",
    }
    cluster: dict[str, Any] = {
        "InstanceType": chosen.instance,
        "InstanceCount": 1,
        "VolumeSizeInGB": chosen.volume_gb,
    }
    if places.kms_key and not LOCAL_DISKS.fullmatch(chosen.instance):
        cluster["VolumeKmsKeyId"] = places.kms_key
    outputs: dict[str, Any] = {
        "Outputs": [
            {
                "OutputName": RESULTS[step],
                "S3Output": {
                    "S3Uri": f"{settings.prefix}/{RESULTS[step]}",
                    "LocalPath": OUTPUT,
                    "S3UploadMode": "EndOfJob",
                },
            }
        ]
    }
    if places.kms_key:
        outputs["KmsKeyId"] = places.kms_key
    isolation: dict[str, Any] = {
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
    }
    if network := _network(places):
        isolation["VpcConfig"] = network
    body: dict[str, Any] = {
        "ProcessingJobName": settings.job_name(step),
        "AppSpecification": {
            "ImageUri": settings.image,
            "ContainerArguments": [
                step,
                *(f"{name}={value}" for name, value in settings.hyperparameters().items()),
            ],
        },
        "ProcessingInputs": [
            _input(name, addresses[name]) for name in (CODE_CHANNEL, *STEPS[step])
        ],
        "ProcessingOutputConfig": outputs,
        "ProcessingResources": {"ClusterConfig": cluster},
        "StoppingCondition": {
            "MaxRuntimeInSeconds": min(LONGEST_PROCESSING, max(1, round(chosen.max_hours * 3600)))
        },
        "NetworkConfig": isolation,
        "RoleArn": places.require("role"),
        "Tags": _tags(settings),
    }
    variables = {**places.environment, **(environment or {})}
    if variables:
        body["Environment"] = variables
    return body


def _channel(name: str, address: str) -> dict[str, Any]:
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": address,
        "S3DataDistributionType": "FullyReplicated",
    }
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "InputMode": "File"}


def _input(name: str, address: str) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": address,
            "LocalPath": f"{INPUT}/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }


def _network(places: TrainingPlaceSettings) -> dict[str, list[str]] | None:
    if not places.subnets:
        return None
    return {"Subnets": list(places.subnets), "SecurityGroupIds": list(places.security_groups)}


def _tags(settings: JobSettings) -> list[dict[str, str]]:
    tags = {
        **settings.places.tags,
        "slipway:model": settings.model,
        "slipway:run": settings.run_id,
    }
    return [{"Key": key, "Value": value} for key, value in tags.items()]
