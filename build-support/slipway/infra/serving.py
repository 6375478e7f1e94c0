"""What follows for an endpoint from its instance type, its region and the Triton release."""

from __future__ import annotations

from typing import Any

from slipway.errors import SlipwayError
from slipway.infra import images, instances
from slipway.infra.environment import IMAGES, Environment
from slipway.infra.instances import Hardware

AUTO_COMPLETE = "AutoComplete"
# parameters of which one alone means nothing, and what leaving out all of them means
TOGETHER = {
    ("Subnets", "SecurityGroupIds"): "no VPC",
    ("VpcId", "SubnetA", "SubnetB"): "a new VPC",
    ("SlackWorkspace", "SlackChannel"): "no Slack",
    ("Requirements", "RequirementsVersion"): "no packages",
}


def complete(environment: Environment, region: str) -> Environment:
    """Return an environment with the parameters of its endpoint that were left open: the image, the
    GPU driver, whether the server completes configs, and no volume where the instances have a disk
    of their own.

    Raises:
        SlipwayError: the parameters contradict each other or the instance type, or AWS has no image
            for release, region and hardware.
    """
    declared = environment.template.parameters
    given = {key: value for key, value in environment.parameters.items() if value}
    where = str(environment.path)
    for names, without in TOGETHER.items():
        missing = [name for name in names if name in declared and name not in given]
        if missing and any(name in given for name in names):
            raise SlipwayError(
                f"{' and '.join(names)} belong together, and {' and '.join(missing)} is missing",
                where=where,
                fix=f"give all of them, or none for {without}",
            )
    if "InstanceType" not in declared:
        return environment
    instance_type = given.get("InstanceType") or _default_instance_type(environment)
    hardware = _hardware(instance_type, given.get("Hardware"), where)
    filled: dict[str, str] = {}
    for parameter in IMAGES:
        if parameter in declared and parameter not in given:
            table = images.load_images(environment.path.parent)
            filled[parameter] = table.uri(environment.triton_release, region, hardware)
    if hardware == "gpu":
        ami = given.get("InferenceAmiVersion") or images.driver_ami(environment.triton_release)
        filled["InferenceAmiVersion"] = ami
    elif "InferenceAmiVersion" in given:
        raise SlipwayError(
            f"InferenceAmiVersion chooses a GPU driver, and {instance_type} has no GPU",
            where=where,
            fix='remove InferenceAmiVersion, or set Hardware = "gpu" and a GPU instance type',
        )
    filled |= _volume(instance_type, given.get("VolumeSizeInGB"), where)
    filled |= _auto_complete(environment, given.get(AUTO_COMPLETE))
    return environment.with_parameters(filled)


def _auto_complete(environment: Environment, given: str | None) -> dict[str, str]:
    """Return the parameter by which the server agrees with the check of the configs."""
    expected = "false" if environment.explicit_tensors else "true"
    if AUTO_COMPLETE not in environment.template.parameters:
        if environment.explicit_tensors:
            return {}
        raise SlipwayError(
            "slipway.toml has explicit_tensors = false, and the template no parameter"
            f" {AUTO_COMPLETE}",
            where=str(environment.template.path),
            fix="add it as in Slipway's template, where it removes"
            " SAGEMAKER_TRITON_ADDITIONAL_ARGS",
        )
    if given not in (None, expected):
        setting = str(environment.explicit_tensors).lower()
        raise SlipwayError(
            f'{AUTO_COMPLETE} is "{given}", but slipway.toml has explicit_tensors = {setting}',
            where=str(environment.path),
            fix=f"remove {AUTO_COMPLETE}, or change explicit_tensors",
        )
    return {} if environment.explicit_tensors else {AUTO_COMPLETE: expected}


def _default_instance_type(environment: Environment) -> str:
    default = environment.template.parameters["InstanceType"].default
    if default:
        return default
    document: Any = environment.template.document
    declared = environment.template.parameters["Hardware"].default
    hardware = environment.parameters.get("Hardware", declared)
    return str(document["Mappings"]["SmallestInstance"][hardware]["InstanceType"])


def _hardware(instance_type: str, declared: str | None, where: str) -> Hardware:
    hardware = instances.hardware(instance_type)
    if hardware is None:
        raise SlipwayError(
            f"Triton's images are for x86-64 and NVIDIA GPUs, and do not run on {instance_type}",
            where=where,
            fix="choose another InstanceType, such as ml.m5.xlarge or ml.g4dn.xlarge",
        )
    if declared and declared != hardware:
        raise SlipwayError(
            f'Hardware is "{declared}", but {instance_type} is a {hardware.upper()} instance',
            where=where,
            fix=f'set Hardware = "{hardware}", or another InstanceType',
        )
    return hardware


def _volume(instance_type: str, size: str | None, where: str) -> dict[str, str]:
    local = instances.has_local_disk(instance_type)
    if local is None and size is None:
        raise SlipwayError(
            f"it is not known here whether {instance_type} has a disk of its own",
            where=where,
            fix="add VolumeSizeInGB: 0 if it has one (EC2's InstanceStorageSupported), else a size",
        )
    if local and size not in (None, "0"):
        raise SlipwayError(
            f"{instance_type} has a disk of its own, for which SageMaker takes no size",
            where=where,
            fix="remove VolumeSizeInGB",
        )
    if local is False and size == "0":
        raise SlipwayError(
            f"{instance_type} has no disk of its own, and needs a volume",
            where=where,
            fix="set VolumeSizeInGB to a size in GB, or remove it",
        )
    return {"VolumeSizeInGB": "0"} if local else {}
