"""Write the containers of an endpoint of ``slipway.toml`` into the template that has them."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from slipway.catalog import keys
from slipway.catalog.catalog import Catalog
from slipway.endpoint.containers.definition import ContainerDefinition, define_containers
from slipway.errors import SlipwayError
from slipway.infra import images, instances
from slipway.infra.environment import Environment
from slipway.settings import EndpointSettings, Settings
from slipway.store.open_reader import open_endpoint

S3 = "s3://"
SERVED = "SAGEMAKER_TRITON_DEFAULT_MODEL_NAME"  # which of an artifact's models Triton serves


def with_containers(environment: Environment, settings: Settings, region: str) -> Environment:
    """Return the environment with the containers of its endpoint: the releases that are served,
    and the newest ones. An environment of no such endpoint is returned as it is.

    Raises:
        SlipwayError: the template has no containers, the endpoint none, its store is not in S3, or
            AWS has no image of Triton for one of them.
    """
    has_containers = "Containers" in _properties(environment.template.document)
    if environment.endpoint is None and not has_containers:
        return environment
    where = str(environment.path)
    if environment.endpoint is None or not has_containers:
        raise SlipwayError(
            f"endpoint and {environment.template.path.name} do not fit together",
            where=where,
            fix='endpoint = "NAME" names the containers of multi_container.yaml, and no other',
        )
    entry = settings.endpoint(environment.endpoint)
    if not entry.containers:
        raise SlipwayError(
            f"[endpoint.{entry.name}] of slipway.toml has no containers",
            where=where,
            fix="add containers, a list of models",
        )
    if entry.stage != environment.parameters.get("Stage", entry.stage):
        raise SlipwayError(
            f"[endpoint.{entry.name}] serves {entry.stage}, and Stage is another",
            where=where,
            fix="name the endpoint of this stage, or correct Stage",
        )
    store = settings.store_of(entry).store
    if not store.startswith(S3):
        raise SlipwayError(
            f"SageMaker reads S3 only, and the store of {entry.name} is {store}",
            where=where,
            fix=f"[release.{entry.stage}] store, or store of [endpoint.{entry.name}], is s3://…",
        )
    catalog = Catalog(open_endpoint(settings, entry))
    definitions = define_containers(entry, catalog)
    containers = [
        _container(environment, settings, entry, catalog, each, region) for each in definitions
    ]
    return _written(environment, entry, containers)


def _container(
    environment: Environment,
    settings: Settings,
    entry: EndpointSettings,
    catalog: Catalog,
    definition: ContainerDefinition,
    region: str,
) -> dict[str, Any]:
    """Return a ContainerDefinition of CloudFormation."""
    declared = settings.containers.get(definition.name)
    if declared is not None:
        image, variables = declared.images[entry.stage], dict(declared.environment)
    else:
        instance_type = environment.parameters.get("InstanceType", "ml.m5.xlarge")
        table = images.load_images(environment.path.parent)
        hardware = instances.hardware(instance_type) or "cpu"
        image = table.uri(environment.triton_release, region, hardware)
        variables = {SERVED: catalog.record(definition.name, definition.target).manifest.serves}
    store = settings.store_of(entry).store.rstrip("/")
    container: dict[str, Any] = {
        "ContainerHostname": definition.hostname,
        "Image": image,
        "ModelDataUrl": f"{store}/{keys.artifact(entry.stage, definition.target)}",
    }
    return container | ({"Environment": variables} if variables else {})


def _written(
    environment: Environment, entry: EndpointSettings, containers: Sequence[Mapping[str, Any]]
) -> Environment:
    document: Any = copy.deepcopy(environment.template.document)
    properties = _properties(document)
    if len(containers) > 1:
        properties["Containers"] = list(containers)
    else:  # a plain endpoint; "include more than one container in the Containers parameter"
        del properties["Containers"], properties["InferenceExecutionConfig"]
        properties["PrimaryContainer"] = dict(containers[0])
    role = document["Resources"]["ExecutionRole"]["Properties"]
    statements = {each["Sid"]: each for each in role["Policies"][0]["PolicyDocument"]["Statement"]}
    statements["OwnModels"]["Resource"] = [
        {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{each['ModelDataUrl'].removeprefix(S3)}"}
        for each in containers
    ]
    repositories = dict.fromkeys(_repository(str(each["Image"])) for each in containers)
    statements["Images"]["Resource"] = [{"Fn::Sub": arn} for arn in repositories]
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    template = replace(environment.template, document=document, body=body)
    parameters = {**environment.parameters, "Mode": entry.mode.capitalize()}
    return replace(environment, template=template, parameters=parameters)


def _repository(image: str) -> str:
    """Return the ARN of the repository of ``ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG``."""
    host, _, path = image.partition("/")
    account, _, _, region, *_ = host.split(".")
    name = path.partition("@")[0].partition(":")[0]
    return f"arn:${{AWS::Partition}}:ecr:{region}:{account}:repository/{name}"


def _properties(document: Any) -> dict[str, Any]:
    model = document["Resources"].get("Model", {})
    properties: dict[str, Any] = model.get("Properties", {})
    return properties
