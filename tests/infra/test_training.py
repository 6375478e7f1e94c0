"""The stack of trainings, in moto: as far as moto goes, and what the real one would be told."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import botocore
import pytest
from moto.events.models import EventPattern

from slipway.errors import SlipwayError
from slipway.infra import environment, outputs, plan, serving, template
from tests.infra.aws_stand_in import ACCOUNT, REGION, existing, rendered
from tests.infra.conftest import INFRA, Repository, copy, serve
from tests.infra.training_stand_in import Airflow

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse")
NETWORK = {"Vpc", "PrivateSubnetA", "PrivateSubnetB", "S3Endpoint", "SecurityGroup"}


@dataclass
class Deployed:
    """The stack after production's, whose CI it gives permissions."""

    repository: Repository
    stack: str
    outputs: dict[str, str]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("deployed")
    repository = copy(folder)
    with serve(folder):
        repository.deploy("production")
        kinds = planned(repository)
        assert kinds["Environment"] == "AWS::MWAA::Environment"
        made = repository.deploy("training").outputs
        yield Deployed(repository, f"{repository.project}-production-training", made)


@pytest.fixture
def with_ci(moto: str, repository: Repository) -> Repository:
    """A repository whose environment has the role of CI alone."""
    name = f"{repository.project}-production-ci"
    boto3.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    return repository


def planned(repository: Repository) -> dict[str, str]:
    client = repository.client("training")
    with plan.plan_changes(client, repository.environment("training"), poll=0) as made:
        return {change.resource: change.kind for change in made.changes}


def test_what_is_deployed_needs_no_change_and_says_its_names(deployed: Deployed) -> None:
    assert planned(deployed.repository) == {}
    stack, made = deployed.stack, deployed.outputs
    lines = outputs.as_variables(deployed.repository.environment("training"), made)
    bucket = f"{stack}-123456789012-us-east-1"
    assert f"export SLIPWAY_TRAINING_BUCKET={bucket}" in lines
    assert f"export SLIPWAY_TRAINING_ROLE=arn:aws:iam::123456789012:role/{stack}" in lines
    registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
    assert f"export SLIPWAY_TRAINING_REPOSITORY={registry}/{stack}" in lines
    assert f"export SLIPWAY_TRAINING_AIRFLOW=lambda:{stack}-airflow" in lines
    assert f"export SLIPWAY_PUSH_TOKEN_SECRET={stack}/push-token" in lines
    assert "export AWS_REGION=us-east-1" in lines
    assert made["DvcRemote"] == f"s3://{bucket}/dvc"


def test_the_settings_take_what_the_outputs_print(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = deployed.outputs
    for line in outputs.as_variables(deployed.repository.environment("training"), made):
        name, _, value = line.removeprefix("export ").partition("=")
        monkeypatch.setenv(name, value)
    read = deployed.repository.settings.training
    assert read.require("bucket") == made["TrainingBucket"]
    assert read.require("role") == made["TrainingRoleArn"]
    assert read.require("repository") == made["TrainingImage"]
    assert read.kms_key == made["TrainingKeyArn"]


def test_images_are_immutable_scanned_and_forgotten(deployed: Deployed) -> None:
    stack, made = deployed.stack, deployed.outputs
    ecr = boto3.client("ecr")
    (found,) = ecr.describe_repositories(repositoryNames=[stack])["repositories"]
    assert found["repositoryUri"] == made["TrainingImage"]
    assert found["imageTagMutability"] == "IMMUTABLE"
    # moto's CloudFormation passes over the rest
    properties = rendered(stack, "Images")
    assert properties["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert properties["EncryptionConfiguration"]["EncryptionType"] == "KMS"
    told = properties["LifecyclePolicy"]["LifecyclePolicyText"]
    ecr.put_lifecycle_policy(repositoryName=stack, lifecyclePolicyText=told)  # moto checks it
    assert [rule["selection"]["countNumber"] for rule in json.loads(told)["rules"]] == [7, 100]


def test_secrets_are_made_without_values(deployed: Deployed) -> None:
    stack = deployed.stack
    secrets = boto3.client("secretsmanager")
    for name in ("push-token", "connections/slack"):
        told = secrets.describe_secret(SecretId=f"{stack}/{name}")
        assert told["KmsKeyId"] and not told.get("VersionIdsToStages")
        with pytest.raises(secrets.exceptions.ResourceNotFoundException):
            secrets.get_secret_value(SecretId=f"{stack}/{name}")
        secrets.put_secret_value(SecretId=f"{stack}/{name}", SecretString="entered by a person")
    text = (INFRA / "training.yaml").read_text()
    assert "SecretString" not in text


def test_airflow_is_in_private_subnets_without_a_way_in(deployed: Deployed) -> None:
    stack = deployed.stack
    told = rendered(stack, "Environment")
    ec2 = boto3.client("ec2")
    subnets = ec2.describe_subnets(SubnetIds=told["NetworkConfiguration"]["SubnetIds"])["Subnets"]
    assert len({each["AvailabilityZone"] for each in subnets}) == 2
    assert not any(each["MapPublicIpOnLaunch"] for each in subnets)
    (group,) = ec2.describe_security_groups(
        GroupIds=told["NetworkConfiguration"]["SecurityGroupIds"]
    )["SecurityGroups"]
    members = [pair["GroupId"] for rule in group["IpPermissions"]
               for pair in rule["UserIdGroupPairs"]]  # fmt: skip
    assert members == [group["GroupId"]]
    assert not any(rule["IpRanges"] for rule in group["IpPermissions"])
    for association in ("PrivateRoutesA", "PrivateRoutesB"):
        table = rendered(stack, association)["RouteTableId"]
        (found,) = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
        outside = [
            route for route in found["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0"
        ]
        assert [set(route) & {"NatGatewayId", "GatewayId"} for route in outside] == [
            {"NatGatewayId"}
        ]
    assert told["WebserverAccessMode"] == "PRIVATE_ONLY"
    assert told["AirflowVersion"] == "3.0.6"
    assert all(log["Enabled"] for log in told["LoggingConfiguration"].values())


def test_every_log_group_has_a_retention_and_the_name_that_mwaa_looks_for(
    deployed: Deployed,
) -> None:
    stack = deployed.stack
    groups = boto3.client("logs").describe_log_groups()["logGroups"]
    mine = {each["logGroupName"]: each.get("retentionInDays") for each in groups
            if stack in each["logGroupName"]}  # fmt: skip
    kinds = ("DAGProcessing", "Scheduler", "Task", "WebServer", "Worker")
    assert set(mine) == {f"airflow-{stack}-{kind}" for kind in kinds} | {
        f"/aws/lambda/{stack}-airflow"
    }
    assert set(mine.values()) == {90}


def test_the_role_of_ci_gets_the_policy(deployed: Deployed) -> None:
    stack = deployed.stack
    role = f"{deployed.repository.project}-production-ci"
    told = boto3.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert {each["PolicyName"] for each in told} == {
        f"{stack}-ci", f"{stack}-ci-airflow", f"{stack}-ci-key"
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["Training", "Processing"])
def test_a_job_that_fails_is_told(deployed: Deployed, kind: str) -> None:
    stack, made = deployed.stack, deployed.outputs
    events = boto3.client("events")
    name = f"{stack}-{'job' if kind == 'Training' else 'processing'}"
    pattern = events.describe_rule(Name=name)["EventPattern"]
    (target,) = events.list_targets_by_rule(Rule=name)["Targets"]
    assert target["Arn"] == made["TrainingTopicArn"]

    def matches(**detail: str) -> bool:
        event: Any = {
            "version": "0", "id": "1", "account": "123456789012", "region": "us-east-1",
            "time": "2026-11-30T23:30:00Z", "resources": [], "source": "aws.sagemaker",
            "detail-type": f"SageMaker {kind} Job State Change", "detail": detail,
        }  # fmt: skip
        return EventPattern.load(pattern).matches_event(event)

    mine = {"RoleArn": made["TrainingRoleArn"]}
    assert matches(**mine, **{f"{kind}JobStatus": "Failed"})
    assert matches(**mine, **{f"{kind}JobStatus": "Stopped"})
    assert not matches(**mine, **{f"{kind}JobStatus": "Completed"})
    assert not matches(RoleArn="arn:aws:iam::1:role/other", **{f"{kind}JobStatus": "Failed"})


def test_every_alarm_tells_the_topic_and_watches_this_airflow() -> None:
    resources = template.load_template(INFRA / "training.yaml").document["Resources"]
    alarms = {
        each["Properties"]["MetricName"]: each["Properties"]
        for each in resources.values()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    }
    assert set(alarms) == {"SchedulerHeartbeat", "TaskInstanceFailures", "ImportErrors"}
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == [{"Ref": "Topic"}]
        dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
        assert dimensions["Environment"] == {"Fn::Sub": "${Project}-${Stage}-training"}
        silent = "breaching" if name == "SchedulerHeartbeat" else "notBreaching"
        assert alarm["TreatMissingData"] == silent


CHOICES: list[tuple[str, set[str], set[str], str | None]] = [
    # lines instead of the default, what there is, what there is not, the output Airflow
    ("", NETWORK | {"Nat", "AirflowFunction"}, {"AirflowApiEndpoint", "Slack"}, "lambda:"),
    ('WebserverAccess = "PUBLIC_ONLY"', NETWORK | {"Nat", "AirflowFunction"}, set(), "lambda:"),
    ('Egress = "endpoints"', NETWORK | {"AirflowApiEndpoint", "SqsEndpoint"},
     {"Nat", "InternetGateway", "PublicSubnet"}, "lambda:"),
    ('VpcId = "vpc-1"\nSubnetA = "subnet-1"\nSubnetB = "subnet-2"',
     {"SecurityGroup", "AirflowFunction"}, {"Vpc", "Nat", "PrivateSubnetA"}, "lambda:"),
    ('Airflow = "none"', {"TrainingBucket", "TrainingRole", "CiTrainingPolicy", "Images"},
     NETWORK | {"Environment", "AirflowFunction", "SchedulerAlarm", "SlackWebhook", "TaskLogs"},
     None),
    ('Encryption = "s3"', {"TrainingBucket"}, {"Key", "JobKeyPolicy"}, "lambda:"),
    ('SlackWorkspace = "T1"\nSlackChannel = "C1"', {"Slack", "SlackRole"}, set(), "lambda:"),
    ('AlarmEmail = "on-call@example.com"\nJobsInVpc = "true"',
     {"AlarmSubscription", "JobVpcPolicy"}, set(), "lambda:"),
]  # fmt: skip


def choose(repository: Repository, lines: str) -> None:
    """Replace what the file says by ``lines``."""
    path = repository.root / "ci" / "infra" / "training.toml"
    text = path.read_text()
    for name in re.findall(r"(?m)^(\w+) =", lines):
        text = re.sub(rf"(?m)^{name} = .*\n", "", text)
    path.write_text(text.replace("[tags]", f"{lines}\n\n[tags]"))


@pytest.mark.parametrize(("lines", "there", "missing", "airflow"), CHOICES)
def test_parameters_decide_what_there_is(
    with_ci: Repository,
    lines: str,
    there: set[str],
    missing: set[str],
    airflow: str | None,
) -> None:
    choose(with_ci, lines)
    made = with_ci.deploy("training").outputs
    kinds = existing(f"{with_ci.project}-production-training")
    assert there <= kinds
    assert not missing & kinds
    assert made.get("Airflow", "").startswith(airflow or "") and ("Airflow" in made) == bool(
        airflow
    )


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('VpcId = "vpc-1"\nSubnetA = "subnet-1"', "SubnetB is missing"),
        ('SubnetA = "subnet-1"\nSubnetB = "subnet-2"', "VpcId is missing"),
        ('SlackChannel = "C1"', "SlackWorkspace is missing"),
        ('Requirements = "requirements.txt"', "RequirementsVersion is missing"),
        ('AirflowVersion = "2.10.3"', "must match"),
        ('AirflowVersion = "3.0"', "must match"),
        ('WebserverAccess = "PUBLIC"', "one of PRIVATE_ONLY, PUBLIC_ONLY"),
        ('AirflowRole = "Admin"', "one of User, Op"),
        ('DvcRemote = "s3://bucket/dvc"', "must match"),
        ("KeepImages = 1", "at least 10"),
        ('Project = "Slipway"', "must match"),
    ],
)
def test_a_mistake_is_said_before_aws_is_asked(
    repository: Repository, lines: str, said: str
) -> None:
    choose(repository, lines)
    with pytest.raises(SlipwayError) as refused:
        serving.complete(repository.environment("training"), "us-east-1")
    assert said in refused.value.what and refused.value.fix


def test_mwaa_offers_the_version_that_is_the_default() -> None:
    """As AWS's SDK says; another version of it that no longer does fails here."""
    folder = Path(botocore.__file__).parent / "data" / "mwaa" / "2020-07-01"
    with gzip.open(folder / "service-2.json.gz") as file:
        shapes: Any = json.load(file)["shapes"]
    members = shapes["CreateEnvironmentInput"]["members"]
    parameters = template.load_template(INFRA / "training.yaml").parameters
    versions = re.findall(r"<code>([\d.]+)</code>", members["AirflowVersion"]["documentation"])
    assert parameters["AirflowVersion"].default in versions
    classes = re.findall(r"<code>(mw1\.\w+)</code>", members["EnvironmentClass"]["documentation"])
    assert set(parameters["EnvironmentClass"].allowed) == set(classes)


def test_mwaa_takes_the_environment_as_botocores_model_has_it(deployed: Deployed) -> None:
    properties = rendered(deployed.stack, "Environment")
    create = partial(Airflow.create_from_cloudformation_json, "x", account=ACCOUNT, region=REGION)
    create(document={"Properties": properties})
    for wrong in ({"DagsPath": "dags"}, {"MaxWorkers": "many"}, {"SourceBucketArn": None}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            create(document={"Properties": properties | wrong})


def test_production_is_trained_from_committed_files_only(tmp_path: Path) -> None:
    repository = copy(tmp_path)
    assert repository.environment("training").is_production
    assert "training" in environment.environment_names(repository.root)


def test_data_and_code_stay_when_the_stack_goes() -> None:
    resources = template.load_template(INFRA / "training.yaml").document["Resources"]
    for name in ("TrainingBucket", "TrainingBucketPolicy", "Key", "Images"):
        assert resources[name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resources[name]["UpdateReplacePolicy"] == "Retain"


def test_runs_are_forgotten_and_data_is_not(deployed: Deployed) -> None:
    stack = deployed.stack
    told = rendered(stack, "TrainingBucket")
    rules = {rule.get("Prefix"): rule for rule in told["LifecycleConfiguration"]["Rules"]}
    assert {prefix for prefix, rule in rules.items() if "ExpirationInDays" in rule} == {"training/"}
    block = told["PublicAccessBlockConfiguration"]
    assert len(block) == 4 and all(block.values())
    assert told["VersioningConfiguration"] == {"Status": "Enabled"}
