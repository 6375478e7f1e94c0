"""Environments made, changed and failing, in moto's CloudFormation over HTTP."""

from __future__ import annotations

import subprocess

import boto3
import pytest

from slipway.errors import SlipwayError
from slipway.infra import deploy, outputs, plan, state
from slipway.infra.events import StackEvent
from slipway.infra.plan import DeploymentPlan
from tests.infra.aws_stand_in import rendered
from tests.infra.conftest import Repository

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse")


def planned(repository: Repository, name: str) -> DeploymentPlan:
    client = repository.client(name)
    with plan.plan_changes(client, repository.environment(name), poll=0) as made:
        return made


def test_a_plan_of_a_new_environment_adds_everything_and_leaves_nothing_behind(
    moto: str, repository: Repository
) -> None:
    made = planned(repository, "staging")
    assert made.creates
    assert {change.action for change in made.changes} == {"add"}
    kinds = {change.resource: change.kind for change in made.changes}
    assert kinds["ReleaseBucket"] == "AWS::S3::Bucket"
    assert kinds["Endpoint"] == "AWS::SageMaker::Endpoint"
    assert state.describe_stack(repository.client("staging"), made.environment.stack).status is None


def test_a_deployed_environment_has_the_outputs_that_the_pipeline_needs(
    moto: str, repository: Repository
) -> None:
    events: list[StackEvent] = []
    left = repository.deploy("staging", events)
    name = f"{repository.project}-staging"
    assert left.status == "CREATE_COMPLETE" and left.protected
    assert [event.status for event in events] == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    assert left.outputs["EndpointName"] == name
    assert left.outputs["Store"] == f"s3://{name}-123456789012-us-east-1/"
    assert left.outputs["CiRoleArn"] == f"arn:aws:iam::123456789012:role/{name}-ci"
    assert left.outputs["Image"] == (
        "763104351884.dkr.ecr.us-east-1.amazonaws.com/sagemaker-tritonserver:"
        f"{repository.settings.triton_release}-py3-cpu"
    )
    environment = repository.environment("staging")
    lines = outputs.as_variables(environment, left.outputs)
    assert f"export SLIPWAY_STAGING_STORE=s3://{name}-123456789012-us-east-1/" in lines
    assert f"export SLIPWAY_STAGING_ENDPOINT={name}" in lines
    assert "export AWS_REGION=us-east-1" in lines
    assert f"export AWS_ROLE_ARN=arn:aws:iam::123456789012:role/{name}-ci" in lines


def test_what_is_deployed_needs_no_change(moto: str, repository: Repository) -> None:
    repository.deploy("staging")
    assert planned(repository, "staging").changes == ()


def test_an_update_shows_and_makes_the_change(moto: str, repository: Repository) -> None:
    repository.deploy("staging")
    template = repository.root / "ci" / "infra" / "environment.yaml"
    text = template.read_text()
    template.write_text(text.replace("NoncurrentDays: !Ref NoncurrentDays", "NoncurrentDays: 7"))
    made = planned(repository, "staging")
    assert [(change.action, change.resource) for change in made.changes] == [
        ("modify", "ReleaseBucket")
    ]
    assert not made.creates
    left = repository.deploy("staging")
    assert left.status == "UPDATE_COMPLETE"
    assert planned(repository, "staging").changes == ()


def test_both_environments_stand_side_by_side_in_one_account(
    moto: str, repository: Repository
) -> None:
    made = {name: repository.deploy(name).outputs for name in ("staging", "production")}
    assert not set(made["staging"].values()) & set(made["production"].values()) - {
        made["staging"]["Image"]
    }
    buckets = {each["Name"] for each in boto3.client("s3").list_buckets()["Buckets"]}
    for name, said in made.items():
        bucket = said["Store"].removeprefix("s3://").rstrip("/")
        assert bucket in buckets
        model = rendered(f"{repository.project}-{name}", "Model")["PrimaryContainer"]
        assert model["ModelDataUrl"] == f"s3://{bucket}/{name}/models/"


def test_the_bucket_is_made_as_the_template_says(moto: str, repository: Repository) -> None:
    bucket = repository.deploy("staging").outputs["Store"].removeprefix("s3://").rstrip("/")
    s3 = boto3.client("s3")
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    # the rest moto's CloudFormation passes over: what the real one would be told
    made = rendered(f"{repository.project}-staging", "ReleaseBucket")
    assert made["VersioningConfiguration"] == {"Status": "Enabled"}
    block = made["PublicAccessBlockConfiguration"]
    assert len(block) == 4 and all(block.values())
    rules = {rule["Id"]: rule for rule in made["LifecycleConfiguration"]["Rules"]}
    assert rules["abort-cut-off-uploads"]["AbortIncompleteMultipartUpload"] == {
        "DaysAfterInitiation": 1
    }
    policy = rendered(f"{repository.project}-staging", "ReleaseBucketPolicy")
    assert policy["Bucket"] == bucket
    assert {each["Sid"] for each in policy["PolicyDocument"]["Statement"] if each} == {
        "TlsOnly",
        "Tls12OrNewer",
        "NoArtifactIsOverwritten",
        "OnlyPruneRemovesArtifacts",
    }


def test_the_endpoint_serves_in_sagemaker(moto: str, repository: Repository) -> None:
    repository.deploy("staging")
    sagemaker = boto3.client("sagemaker")
    mine = [
        each["EndpointName"]
        for each in sagemaker.list_endpoints()["Endpoints"]
        if each["EndpointName"].startswith(f"{repository.project}-staging-")  # moto's own name
    ]
    assert len(mine) == 1
    config = sagemaker.describe_endpoint(EndpointName=mine[0])["EndpointConfigName"]
    variant = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]
    container = sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]
    assert container["Mode"] == "MultiModel"
    assert container["Environment"]["SAGEMAKER_TRITON_PING_MODE"] == "live"


def test_a_failed_creation_says_the_first_reason_and_is_begun_anew(
    moto: str, repository: Repository
) -> None:
    repository.change(
        "staging", 'Hardware = "cpu"', 'Hardware = "cpu"\nInstanceType = "ml.t2.none"'
    )
    with pytest.raises(SlipwayError, match="ml.t2.none") as refused:
        repository.deploy("staging")
    assert "only the stack's name remains" in str(refused.value)
    with pytest.raises(SlipwayError, match="first creation failed"):
        planned(repository, "staging")
    repository.change("staging", 'InstanceType = "ml.t2.none"', "")
    client = repository.client("staging")
    deploy.delete_failed_stack(
        client, repository.environment("staging").stack, lambda event: None, poll=0
    )
    assert repository.deploy("staging").status == "CREATE_COMPLETE"


def test_a_failed_update_says_so_and_leaves_everything(moto: str, repository: Repository) -> None:
    before = repository.deploy("staging").outputs
    repository.change(
        "staging", 'Hardware = "cpu"', 'Hardware = "cpu"\nInstanceType = "ml.t2.none"'
    )
    template = repository.root / "ci" / "infra" / "environment.yaml"  # moto sees changed text only
    text = template.read_text()
    template.write_text(text.replace("InitialVariantWeight: 1", "InitialVariantWeight: 2"))
    with pytest.raises(SlipwayError, match="the stack is unchanged"):
        repository.deploy("staging")
    left = state.describe_stack(
        repository.client("staging"), repository.environment("staging").stack
    )
    assert left.outputs == before


def test_outputs_of_what_is_not_deployed_are_refused(moto: str, repository: Repository) -> None:
    with pytest.raises(SlipwayError, match="not deployed") as refused:
        outputs.describe_deployed_stack(
            repository.client("staging"), repository.environment("staging")
        )
    assert refused.value.fix == "run slipway infra deploy staging"


def test_production_is_not_deployed_from_what_git_does_not_have(repository: Repository) -> None:
    def git(*words: str) -> None:
        identity = ["-c", "user.name=dev", "-c", "user.email=dev@example.com"]
        subprocess.run(["git", *identity, *words], cwd=repository.root, check=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "environments")
    production = repository.environment("production")
    deploy.reject_uncommitted(repository.settings, production)
    (repository.root / "notes.txt").write_text("is none of the infrastructure's business")
    deploy.reject_uncommitted(repository.settings, production)
    repository.change("production", "MaxInstances = 6", "MaxInstances = 60")
    with pytest.raises(SlipwayError, match="not committed: ci/infra/production.toml"):
        deploy.reject_uncommitted(repository.settings, repository.environment("production"))
    deploy.reject_uncommitted(repository.settings, repository.environment("staging"))
