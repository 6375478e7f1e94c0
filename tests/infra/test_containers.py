"""The stack of an endpoint of several containers, as slipway.toml and the release store have it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from slipway import settings
from slipway.errors import SlipwayError
from slipway.infra import serving
from slipway.infra.containers import with_containers
from slipway.infra.environment import Environment, load_environment
from slipway.settings import Settings
from tests.endpoint.containers import sample
from tests.infra.aws_stand_in import computed
from tests.infra.conftest import INFRA, serve
from tests.infra.policies import allows

BUCKET = "slipway-staging-123456789012-us-east-1"
STORE = f'\n[release]\nstore = "s3://{BUCKET}"\n'
DRIVER = "al2-ami-sagemaker-inference-gpu-3-1"
EXAMPLE = "multi_container.example.toml"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The sample, with releases in a bucket of moto: two of ``wines``, one of the others."""
    root = tmp_path_factory.mktemp("containers")
    configured = sample.copy_repository(root)
    shutil.copytree(INFRA, root / "ci" / "infra")
    for version in ("1.0.0", "1.1.0"):
        sample.release(configured, sample.build_wines(configured, version))
    sample.release(configured, sample.build_rows(configured))
    sample.release(configured, sample.build_adder(configured))
    with serve(root):
        # moto lacks conditions that publishing asks for (tests/store/faulty.py); reading does not
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        store = root / configured.store
        for path in (path for path in store.rglob("*") if path.is_file()):
            client.upload_file(str(path), BUCKET, path.relative_to(store).as_posix())
        with (root / "slipway.toml").open("a") as file:
            file.write(STORE)
        yield settings.load(root)


def deployed(repository: Settings, endpoint: str, lines: str = "") -> Environment:
    """The example's environment, of another endpoint, as it would be sent to AWS."""
    folder = repository.root / "ci" / "infra"
    text = (folder / EXAMPLE).read_text().replace('endpoint = "wines"', f'endpoint = "{endpoint}"')
    (folder / "other.toml").write_text(text + lines)
    environment = load_environment(repository, "other")
    return serving.complete(with_containers(environment, repository, "us-east-1"), "us-east-1")


def validate(model: dict[str, Any]) -> None:
    """Refuse what SageMaker's own service model does."""
    shape = get_session().get_service_model("sagemaker").operation_model("CreateModel").input_shape
    assert shape is not None
    known = {key: value for key, value in model.items() if key in shape.members}
    role = "arn:aws:iam::123456789012:role/slipway"  # an attribute of another resource
    values = {**known, "ModelName": "m", "ExecutionRoleArn": role}
    errors = ParamValidator().validate(values, shape)
    assert not errors.has_errors(), errors.generate_report()


def test_a_direct_endpoint_has_the_served_release_and_the_newest(repository: Settings) -> None:
    environment = deployed(repository, "wines")
    model, role = computed(environment, "Model", "ExecutionRole")
    validate(model)
    assert model["InferenceExecutionConfig"] == {"Mode": "Direct"}
    first, second = model["Containers"]
    assert first["ContainerHostname"].startswith("wines-1-0-0-rc-h")
    assert second["ContainerHostname"].startswith("wines-1-1-0-rc-h")
    assert first["Image"] == "111122223333.dkr.ecr.us-east-1.amazonaws.com/wines:1.0"
    key = first["ModelDataUrl"].removeprefix(f"s3://{BUCKET}/")
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert allows(statements, "s3:GetObject", f"arn:aws:s3:::{BUCKET}/{key}")
    assert not allows(statements, "s3:GetObject", f"arn:aws:s3:::{BUCKET}/staging/models/x.tar.gz")
    registry = "arn:aws:ecr:us-east-1:111122223333:repository"
    assert allows(statements, "ecr:BatchGetImage", f"{registry}/wines")
    assert not allows(statements, "ecr:BatchGetImage", f"{registry}/other")


def test_invokers_are_limited_to_the_containers_of_the_pattern(repository: Settings) -> None:
    (policy,) = computed(deployed(repository, "wines"), "InvokerPolicy")
    statements = policy["PolicyDocument"]["Statement"]
    endpoint = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/slipway-staging-wines"

    def may(**context: str) -> bool:
        asked = {f"sagemaker:{key}": value for key, value in context.items()}
        return allows(statements, "sagemaker:InvokeEndpoint", endpoint, asked)

    assert may(TargetContainerHostname="wines-1-0-0")
    assert not may(TargetContainerHostname="adder-1-0-0")
    assert not may()


def test_a_pipeline_gives_triton_its_image_and_the_name_of_its_model(repository: Settings) -> None:
    environment = deployed(repository, "rows")
    model, policy = computed(environment, "Model", "InvokerPolicy")
    validate(model)
    assert model["InferenceExecutionConfig"] == {"Mode": "Serial"}
    rows, adder = model["Containers"]
    assert rows["Environment"] == {"SEPARATOR": ";"}
    assert adder["Environment"] == {"SAGEMAKER_TRITON_DEFAULT_MODEL_NAME": "adder"}
    assert adder["Image"] == (
        "763104351884.dkr.ecr.us-east-1.amazonaws.com/sagemaker-tritonserver:25.04-py3-cpu"
    )
    statements = policy["PolicyDocument"]["Statement"]
    endpoint = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/slipway-staging-wines"
    assert allows(statements, "sagemaker:InvokeEndpoint", endpoint)


def test_a_pipeline_on_a_gpu_has_its_image_and_driver_and_no_volume(repository: Settings) -> None:
    lines = 'InstanceType = "ml.g5.xlarge"\nKeyArn = "arn:aws:kms:x"\n'
    model, config = computed(deployed(repository, "rows", lines), "Model", "EndpointConfig")
    assert model["Containers"][1]["Image"].endswith("-py3")
    assert config["ProductionVariants"][0]["InferenceAmiVersion"] == DRIVER
    assert "VolumeSizeInGB" not in config["ProductionVariants"][0]
    assert "KmsKeyId" not in config


def test_a_single_container_is_the_primary_one(repository: Settings) -> None:
    change(repository, 'containers = ["wine_rows", "adder"]', 'containers = ["wine_rows"]')
    try:
        (model,) = computed(deployed(settings.load(repository.root), "rows"), "Model")
    finally:
        change(repository, 'containers = ["wine_rows"]', 'containers = ["wine_rows", "adder"]')
    validate(model)
    assert model["PrimaryContainer"]["ContainerHostname"].startswith("wine-rows-1-0-0")
    assert "Containers" not in model and "InferenceExecutionConfig" not in model


@pytest.mark.parametrize("endpoint", ["wines", "rows"])
def test_cfn_lint_finds_nothing_in_what_is_sent(repository: Settings, endpoint: str) -> None:
    body = deployed(repository, endpoint).template.body
    found = lint(body, config=ManualArgs(regions=["us-east-1", "eu-central-1"]))
    assert not [f"{each.rule.id} {each.message}" for each in found]
    # and would find a mistake in what was written in
    broken = json.loads(body)
    broken["Resources"]["Model"]["Properties"]["Containers"][0]["Imag"] = "x"
    assert any("Imag" in each.message for each in lint(json.dumps(broken)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (f'store = "s3://{BUCKET}"', 'store = "releases"', "SageMaker reads S3 only"),
        ('containers = ["wines"]', "", "has no containers"),
        ('containers = ["wines"]', 'containers = ["wine_rows"]', "only container"),
        ('containers = ["wines"]', 'containers = ["speech"]', "no release of 'speech'"),
    ],
)
def test_what_cannot_be_deployed_is_said_before_aws_is_asked(
    repository: Settings, old: str, new: str, message: str
) -> None:
    change(repository, old, new)
    try:
        with pytest.raises(SlipwayError, match=message) as refused:
            deployed(settings.load(repository.root), "wines")
    finally:
        file = repository.root / "slipway.toml"
        original = (sample.FIXTURE / "slipway.toml").read_text() + STORE
        file.write_text(original)
    assert refused.value.fix


def test_an_endpoint_for_another_template_is_refused(repository: Settings) -> None:
    account = load_environment(repository, "account")
    with pytest.raises(SlipwayError, match="do not fit together"):
        with_containers(replace(account, endpoint="wines"), repository, "us-east-1")
    assert with_containers(account, repository, "us-east-1") is account


def change(repository: Settings, old: str, new: str) -> None:
    file: Path = repository.root / "slipway.toml"
    assert file.read_text().count(old) == 1
    file.write_text(file.read_text().replace(old, new))
