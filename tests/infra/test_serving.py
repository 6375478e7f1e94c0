"""What follows for an endpoint from instance type, region and Triton release."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.errors import SlipwayError
from slipway.infra import images, serving
from tests.infra.aws_stand_in import rendered
from tests.infra.conftest import Repository
from tests.infra.policies import allows

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse")

DRIVER = "al2-ami-sagemaker-inference-gpu-3-1"


def filled(repository: Repository, lines: str, region: str = "us-east-1") -> dict[str, str]:
    """The parameters of staging, changed by some lines of TOML, as they are sent to AWS."""
    repository.change("staging", 'Hardware = "cpu"\n', lines)
    return dict(serving.complete(repository.environment("staging"), region).parameters)


@pytest.mark.parametrize(
    ("lines", "suffix", "volume", "driver"),
    [
        ('Hardware = "cpu"', "-cpu", None, None),
        ('Hardware = "cpu"\nInstanceType = "ml.c6i.2xlarge"', "-cpu", None, None),
        ('Hardware = "cpu"\nInstanceType = "ml.m5d.xlarge"', "-cpu", "0", None),
        ('Hardware = "cpu"\nVolumeSizeInGB = 100', "-cpu", "100", None),
        ('Hardware = "gpu"', "", "0", DRIVER),
        ('Hardware = "gpu"\nInstanceType = "ml.g5.2xlarge"', "", "0", DRIVER),
        ('Hardware = "gpu"\nInstanceType = "ml.p3.2xlarge"', "", None, DRIVER),
        ('Hardware = "gpu"\nInferenceAmiVersion = "al2-ami-sagemaker-inference-gpu-2"', "", "0",
         "al2-ami-sagemaker-inference-gpu-2"),
        ('InstanceType = "ml.x9d.large"\nVolumeSizeInGB = 0', "-cpu", "0", None),
    ],
)  # fmt: skip
def test_image_volume_and_driver_follow_from_the_instance_type(
    repository: Repository, lines: str, suffix: str, volume: str | None, driver: str | None
) -> None:
    parameters = filled(repository, f"{lines}\n", "eu-north-1")
    assert parameters["TritonImage"] == (
        "763104351884.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-tritonserver:"
        f"{repository.settings.triton_release}-py3{suffix}"
    )
    assert parameters.get("VolumeSizeInGB") == volume
    assert parameters.get("InferenceAmiVersion") == driver


def test_an_image_given_in_full_is_left_as_it_is(repository: Repository) -> None:
    own = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/triton@sha256:0123"
    lines = f'Hardware = "cpu"\nTritonImage = "{own}"\n'
    assert filled(repository, lines, "xx-nowhere-1")["TritonImage"] == own


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('Hardware = "cpu"\nInstanceType = "ml.g5.xlarge"', "ml.g5.xlarge is a GPU instance"),
        ('Hardware = "gpu"\nInstanceType = "ml.m5.xlarge"', "ml.m5.xlarge is a CPU instance"),
        ('Hardware = "cpu"\nInstanceType = "ml.m6g.large"', "not run on ml.m6g.large"),
        ('Hardware = "gpu"\nInstanceType = "ml.inf2.xlarge"', "not run on ml.inf2.xlarge"),
        ('Hardware = "gpu"\nVolumeSizeInGB = 60', "ml.g4dn.xlarge has a disk of its own"),
        ('Hardware = "cpu"\nVolumeSizeInGB = 0', "ml.m5.xlarge has no disk of its own"),
        ('Hardware = "cpu"\nInstanceType = "ml.x9d.large"', "whether ml.x9d.large has a disk"),
        (f'Hardware = "cpu"\nInferenceAmiVersion = "{DRIVER}"', "ml.m5.xlarge has no GPU"),
        ('Hardware = "cpu"\nSubnets = ["subnet-1"]', "belong together"),
        ('Hardware = "cpu"\nSecurityGroupIds = ["sg-1"]', "belong together"),
    ],
)
def test_what_sagemaker_would_refuse_is_said_before_aws_is_asked(
    repository: Repository, lines: str, words: str
) -> None:
    with pytest.raises(SlipwayError, match=words) as refused:
        filled(repository, f"{lines}\n")
    assert refused.value.where and refused.value.fix


def test_a_region_without_the_image_is_said_before_aws_is_asked(repository: Repository) -> None:
    with pytest.raises(SlipwayError, match="no image of Triton .* in us-gov-west-1"):
        filled(repository, 'Hardware = "cpu"\n', "us-gov-west-1")


def variant(stack: str) -> dict[str, Any]:
    found: dict[str, Any] = rendered(stack, "EndpointConfig")["ProductionVariants"][0]
    return found


def test_a_gpu_endpoint_is_deployed_with_its_image_driver_and_no_volume(
    moto: str, repository: Repository
) -> None:
    repository.change("staging", 'Hardware = "cpu"', 'Hardware = "gpu"')
    repository.deploy("staging")
    stack = f"{repository.project}-staging"
    assert variant(stack)["InferenceAmiVersion"] == images.driver_ami(
        repository.settings.triton_release
    )
    assert "VolumeSizeInGB" not in variant(stack)
    assert "KmsKeyId" not in rendered(stack, "EndpointConfig")
    image = rendered(stack, "Model")["PrimaryContainer"]["Image"]
    assert image.endswith(f"sagemaker-tritonserver:{repository.settings.triton_release}-py3")


def test_an_endpoint_without_a_local_disk_is_deployed_with_an_encrypted_volume(
    moto: str, repository: Repository
) -> None:
    repository.deploy("staging")
    stack = f"{repository.project}-staging"
    assert variant(stack)["VolumeSizeInGB"] == 60
    assert "InferenceAmiVersion" not in variant(stack)
    assert "KmsKeyId" in rendered(stack, "EndpointConfig")
    assert "VpcConfig" not in rendered(stack, "Model")


def test_models_are_attached_to_the_vpc_that_is_given(moto: str, repository: Repository) -> None:
    repository.change(
        "staging",
        'Hardware = "cpu"',
        'Hardware = "cpu"\nSubnets = ["subnet-1", "subnet-2"]\nSecurityGroupIds = ["sg-1"]',
    )
    repository.deploy("staging")
    stack = f"{repository.project}-staging"
    assert rendered(stack, "Model")["VpcConfig"] == {
        "Subnets": ["subnet-1", "subnet-2"],
        "SecurityGroupIds": ["sg-1"],
    }
    statements = rendered(stack, "ExecutionVpcPolicy")["PolicyDocument"]["Statement"]
    ours = "arn:aws:ec2:us-east-1:123456789012"
    for kind in ("network-interface", "security-group", "subnet"):
        assert allows(statements, "ec2:CreateNetworkInterface", f"{ours}:{kind}/x")
    assert allows(statements, "ec2:DescribeVpcs", "*")
    assert not allows(statements, "ec2:RunInstances", f"{ours}:subnet/x")


@pytest.mark.parametrize(
    ("image", "repository_of_it"),
    [
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/triton:1", "triton"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/triton@sha256:00", "triton"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/triton:1", "team/triton"),
    ],
)
def test_the_role_pulls_the_image_from_the_registry_that_it_names(
    moto: str, repository: Repository, image: str, repository_of_it: str
) -> None:
    repository.change("staging", 'Hardware = "cpu"', f'Hardware = "cpu"\nTritonImage = "{image}"')
    repository.deploy("staging")
    role = rendered(f"{repository.project}-staging", "ExecutionRole")
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]
    registry = "arn:aws:ecr:eu-west-1:123456789012:repository"
    assert allows(statements, "ecr:BatchGetImage", f"{registry}/{repository_of_it}")
    assert not allows(statements, "ecr:BatchGetImage", f"{registry}/other")
    other = registry.replace("123456789012", "785573368785")
    assert not allows(statements, "ecr:BatchGetImage", f"{other}/{repository_of_it}")


def allow_omitted_tensors(repository: Repository) -> None:
    path = repository.root / "slipway.toml"
    path.write_text(f"{path.read_text()}\n[check]\nexplicit_tensors = false\n")


def test_the_container_completes_configs_as_the_setting_says(repository: Repository) -> None:
    assert "AutoComplete" not in filled(repository, 'Hardware = "cpu"\n')
    allow_omitted_tensors(repository)
    assert filled(repository, 'Hardware = "cpu"\n')["AutoComplete"] == "true"


def test_a_parameter_that_contradicts_the_setting_is_refused(repository: Repository) -> None:
    with pytest.raises(SlipwayError, match="explicit_tensors = true"):
        filled(repository, 'Hardware = "cpu"\nAutoComplete = "true"\n')


def test_a_template_without_the_parameter_is_named(repository: Repository) -> None:
    allow_omitted_tensors(repository)
    path = repository.root / "ci" / "infra" / "environment.yaml"
    lines = path.read_text().split("\n  AutoComplete:\n")
    rest = lines[1].split("\n  Hardware:", 1)[1]
    text = f"{lines[0]}\n  Hardware:{rest}".replace(
        "  Completes: !Equals [!Ref AutoComplete", "  Completes: !Equals [!Ref Hardware"
    )
    path.write_text(text)
    with pytest.raises(SlipwayError, match="no parameter AutoComplete"):
        filled(repository, 'Hardware = "cpu"\n')
