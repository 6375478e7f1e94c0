"""The templates: lint, and their agreement with the rest of the repository."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from moto.cloudformation.parsing import get_model_map

from slipway.errors import SlipwayError
from slipway.infra import environment, template
from tests.infra.conftest import HERE, INFRA, Repository

TEMPLATES = sorted(INFRA.glob("*.yaml"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_cfn_lint_finds_nothing(path: Path) -> None:
    found = lint(path.read_text(), config=ManualArgs(regions=["us-east-1", "eu-central-1"]))
    assert not [f"{each.linenumber}: {each.rule.id} {each.message}" for each in found]


def test_cfn_lint_would_find_a_mistake() -> None:
    text = (INFRA / "environment.yaml").read_text()
    broken = text.replace("BlockPublicAcls: true", "BlockPublicAkls: true")
    assert broken != text
    found = lint(broken, config=ManualArgs(regions=["us-east-1"]))
    assert any("BlockPublicAkls" in each.message for each in found)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_template_can_be_sent_and_has_no_parameter_in_vain(path: Path) -> None:
    read = template.load_template(path)
    for name in read.parameters:
        used = rf"!Ref {name}\b|\$\{{{name}\}}"
        assert re.search(used, path.read_text()), f"{name} is used nowhere"


def test_what_stays_when_a_stack_is_deleted() -> None:
    resources = template.load_template(INFRA / "environment.yaml").document["Resources"]
    for name in ("ReleaseBucket", "ReleaseBucketPolicy", "Key"):
        assert resources[name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resources[name]["UpdateReplacePolicy"] == "Retain"


def test_the_container_gets_what_the_contract_asks_for() -> None:
    resources = template.load_template(INFRA / "environment.yaml").document["Resources"]
    container = resources["Model"]["Properties"]["PrimaryContainer"]
    assert container["Environment"] == {
        "SAGEMAKER_TRITON_PING_MODE": "live",
        "SAGEMAKER_TRITON_OVERRIDE_PING_MODE": "live",
        "SAGEMAKER_TRITON_DISABLE_MODEL_NAMESPACING": "true",
        "SAGEMAKER_TRITON_SHM_DEFAULT_BYTE_SIZE": {"Ref": "SharedMemoryBytes"},
        "SAGEMAKER_TRITON_LOG_VERBOSE": "0",
        "SAGEMAKER_TRITON_ADDITIONAL_ARGS": {
            "Fn::If": ["Completes", {"Ref": "AWS::NoValue"}, "--disable-auto-complete-config"]
        },
    }
    assert container["MultiModelConfig"] == {"ModelCacheSetting": {"Ref": "ModelCache"}}


def test_an_update_is_rolled_back_by_alarms_that_cold_models_do_not_raise() -> None:
    resources = template.load_template(INFRA / "environment.yaml").document["Resources"]
    deployment = resources["Endpoint"]["Properties"]["DeploymentConfig"]
    alarms = deployment["AutoRollbackConfiguration"]["Alarms"]
    names = {alarm["AlarmName"]["Ref"] for alarm in alarms}
    metrics = {resources[name]["Properties"]["MetricName"] for name in names}
    assert metrics == {"Invocation5XXErrors", "InvocationModelErrors", "ModelLatency"}


def test_every_alarm_watches_this_endpoint_and_tells_the_topic() -> None:
    resources = template.load_template(INFRA / "environment.yaml").document["Resources"]
    alarms = [each for each in resources.values() if each["Type"] == "AWS::CloudWatch::Alarm"]
    watched = set()
    for alarm in alarms:
        properties = alarm["Properties"]
        watched.add(properties["MetricName"])
        assert properties["AlarmActions"] == [{"Ref": "Topic"}]
        assert properties["Dimensions"][0]["Value"] == {"Fn::Sub": "${Project}-${Stage}"}
        # checks for drift are hours apart; the others' metrics come each minute
        missing = "ignore" if properties["MetricName"] == "Drift" else "notBreaching"
        assert properties["TreatMissingData"] == missing
    assert watched >= {"ModelLoadingWaitTime", "ModelCacheHit", "LoadedModelCount", "Drift"}


def test_the_dashboard_is_json_and_shows_every_multi_model_metric() -> None:
    resources = template.load_template(INFRA / "environment.yaml").document["Resources"]
    text = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    body = json.loads(re.sub(r"\$\{[A-Za-z0-9:]+\}", "1", text))
    shown = {
        metric[1]
        for widget in body["widgets"]
        for metric in widget["properties"]["metrics"]
        if metric[0] != "..." and not isinstance(metric[0], dict)
    }
    assert shown >= {
        "Drift",
        "ModelLoadingWaitTime",
        "ModelDownloadingTime",
        "ModelLoadingTime",
        "ModelUnloadingTime",
        "ModelCacheHit",
        "LoadedModelCount",
        "InvocationsPerInstance",
    }


def test_scaling_follows_the_invocations_of_an_instance() -> None:
    resources = template.load_template(INFRA / "environment.yaml").document["Resources"]
    tracking = resources["ScalingPolicy"]["Properties"]["TargetTrackingScalingPolicyConfiguration"]
    assert tracking == {
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
        "TargetValue": {"Ref": "InvocationsPerInstance"},
        "ScaleOutCooldown": {"Ref": "ScaleOutCooldown"},
        "ScaleInCooldown": {"Ref": "ScaleInCooldown"},
    }


def test_what_is_optional_is_left_out_unless_it_is_asked_for(repository: Repository) -> None:
    for name in ("staging", "production"):
        read = repository.environment(name)
        assert read.triton_release == repository.settings.triton_release
    example = repository.root / "ci" / "infra" / "multi_container.example.toml"
    example.rename(example.with_name("wines-staging.toml"))
    wines = repository.environment("wines-staging")
    assert (wines.stack, wines.endpoint) == ("slipway-staging-wines", "wines")
    assert "Mode" not in wines.parameters


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('GitLabProject = "group/models"', "", "GitLabProject has no value"),
        ('GitLabProject = "group/models"', 'GitLabProject = "group/*"', "must match"),
        ('ProtectedBranch = "main"', 'ProtectedBranch = "*"', "must match"),
        ('UpdateStrategy = "rolling"', 'UpdateStrategy = "canary"', "one of rolling, blue-green"),
        ("BatchPercent = 50", "BatchPercent = 51", "at most 50"),
        ("BatchPercent = 50", "BatchPercent = 1", "at least 5"),
        ("BatchPercent = 50", 'BatchPercent = "half"', "must be a number"),
        ("BatchPercent = 50", "BatchPercentage = 50", "no parameter 'BatchPercentage'"),
        ('template = "environment.yaml"', "template = 1", "template is 1"),
        ('template = "environment.yaml"', 'template = "none.yaml"', "cannot read the template"),
        ("[tags]", "[tag]", "unknown tag"),
        ("[tags]", "[tags", "not valid TOML"),
    ],
)
def test_a_mistake_in_an_environment_is_told_before_aws_is_asked(
    repository: Repository, old: str, new: str, said: str
) -> None:
    repository.change("production", old, new)
    with pytest.raises(SlipwayError) as refused:
        repository.environment("production")
    assert said in str(refused.value) and refused.value.fix


def test_an_unknown_environment_names_those_that_there_are(repository: Repository) -> None:
    with pytest.raises(SlipwayError, match="no environment 'x'") as refused:
        repository.environment("x")
    assert "staging" in str(refused.value.fix)
    assert {"account", "staging", "production"} <= set(
        environment.environment_names(repository.root)
    )


def test_the_documentation_lists_every_kind_of_resource_that_moto_cannot_make() -> None:
    documents = [template.load_template(path).document for path in TEMPLATES]
    kinds = {each["Type"] for said in documents for each in said["Resources"].values()}
    text = (HERE / "docs" / "infrastructure.md").read_text()
    listed = set(re.findall(r"^\| `(AWS::[A-Za-z0-9:]+)` \|", text, re.MULTILINE))
    assert listed == kinds - set(get_model_map())


def test_the_documentation_names_every_parameter_of_an_environment() -> None:
    text = (HERE / "docs" / "infrastructure.md").read_text()
    parameters = template.load_template(INFRA / "environment.yaml").parameters
    assert not [name for name in parameters if f"`{name}`" not in text]


def test_a_template_too_long_to_send_is_refused(tmp_path: Path) -> None:
    long = tmp_path / "long.yaml"
    long.write_text("Resources: {X: {Type: A, Properties: {Y: !Ref Z}}}\n" + "# x\n" * 20_000)
    sent = template.load_template(long).body  # comments are no part of the meaning
    assert json.loads(sent) == {
        "Resources": {"X": {"Type": "A", "Properties": {"Y": {"Ref": "Z"}}}}
    }
    long.write_text("Resources: {}\nDescription: " + "x" * 60_000)
    with pytest.raises(SlipwayError, match="51,200"):
        template.load_template(long)
