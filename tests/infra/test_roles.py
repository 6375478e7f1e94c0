"""The roles of the environments' own templates, resolved without AWS, and what they may do."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from slipway import settings
from slipway.errors import SlipwayError
from slipway.infra import may
from slipway.infra.environment import load_environment
from slipway.infra.roles import Roles, read_roles

REPOSITORY = Path(__file__).resolve().parents[2]
BUCKET = "arn:aws:s3:::slipway-staging-000000000000-us-east-1"
MODELS = f"{BUCKET}/staging/models/a.tar.gz"
KEY = "arn:aws:kms:us-east-1:000000000000:key/slipway-staging-Key"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the templates as they are, and parameters of its own."""
    root = tmp_path_factory.mktemp("repository")
    (root / "slipway.toml").touch()
    shutil.copytree(REPOSITORY / "ci" / "infra", root / "ci" / "infra")
    environment = root / "ci" / "infra" / "staging.toml"
    text = environment.read_text(encoding="utf-8")
    narrow = '[parameters]\nInvokerTargetModels = "screen_*.tar.gz, adder_*"'
    environment.write_text(text.replace("[parameters]", narrow), encoding="utf-8")
    several = root / "ci" / "infra" / "wines.toml"
    several.write_text(
        'template = "multi_container.yaml"\nstack = "slipway-staging-wines"\n[parameters]\n'
        'Stage = "staging"\nName = "wines"\nInvokerContainers = "wines-*"\n',
        encoding="utf-8",
    )
    return root


def allowed(root: Path, role: str, action: str, resource: str | None = None, **keys: str) -> bool:
    context = {key.replace("_", ":"): (value,) for key, value in keys.items()}
    asked = may.ask(settings.load(root), "staging", role, action, resource, context)
    return asked.decision.allowed


INVOKE = "sagemaker:InvokeEndpoint"
PEERS = {"kms_ResourceAliases": "alias/slipway-production"}
VIA_S3 = {"kms_ViaService": "s3.us-east-1.amazonaws.com"}
OTHER_KEY = "arn:aws:kms:us-east-1:000000000000:key/other"
TABLE: list[tuple[str, str, str | None, dict[str, str], bool]] = [
    ("Invoker", INVOKE, None, {"sagemaker_TargetModel": "screen_1.tar.gz"}, True),
    ("Invoker", INVOKE, None, {"sagemaker_TargetModel": "adder_1"}, True),
    ("Invoker", INVOKE, None, {"sagemaker_TargetModel": "titanic_1.tar.gz"}, False),
    ("Invoker", INVOKE, None, {}, False),
    ("Invoker", "s3:GetObject", f"{BUCKET}/staging/catalog/a/alias.json", {}, True),
    ("Invoker", "s3:GetObject", MODELS, {}, False),
    ("Invoker", "s3:PutObject", MODELS, {}, False),
    ("CiRole", INVOKE, None, {"sagemaker_TargetModel": "titanic_1.tar.gz"}, True),
    ("slipway-staging-ci", "s3:PutObject", MODELS, {}, True),
    ("CiRole", "s3:DeleteObject", MODELS, {}, False),
    ("CiRole", "s3:DeleteObject", f"{BUCKET}/staging/catalog/a/alias.json", {}, True),
    ("CiRole", "s3:PutObject", MODELS.replace("staging", "production"), {}, False),
    ("CiRole", "s3:GetObject", MODELS.replace("staging", "production"), {}, True),
    ("CiRole", "kms:Decrypt", KEY, {}, True),
    ("CiRole", "kms:Decrypt", OTHER_KEY, {}, False),
    ("CiRole", "kms:Decrypt", OTHER_KEY, {**PEERS, **VIA_S3}, True),
    ("PruneRole", "s3:DeleteObject", MODELS, {}, True),
    ("PruneRole", "s3:DeleteObjectVersion", MODELS, {}, False),
    ("PruneRole", INVOKE, None, {}, False),
    ("ExecutionRole", "s3:GetObject", MODELS, {}, True),
    ("ExecutionRole", "s3:ListBucket", BUCKET, {"s3_prefix": "staging/models/a"}, True),
    ("ExecutionRole", "s3:ListBucket", BUCKET, {"s3_prefix": "staging/catalog/a"}, False),
]  # fmt: skip


@pytest.mark.parametrize(("role", "action", "resource", "keys", "expected"), TABLE)
def test_a_role_of_the_template_may_do_what_it_is_for(
    repository: Path,
    role: str,
    action: str,
    resource: str | None,
    keys: dict[str, str],
    expected: bool,
) -> None:
    assert allowed(repository, role, action, resource, **keys) == expected


def test_an_endpoint_of_several_containers_has_an_invoker(repository: Path) -> None:
    configured = settings.load(repository)
    for container, expected in (("wines-1-1-0", True), ("other", False)):
        keys = {"sagemaker:TargetContainerHostname": (container,)}
        asked = may.ask(configured, "wines", "Invoker", INVOKE, None, keys)
        assert asked.decision.allowed == expected
        assert asked.resource.endswith("endpoint/slipway-staging-wines")


def test_what_is_not_known_is_said(repository: Path) -> None:
    configured = settings.load(repository)
    asked = may.ask(configured, "staging", "Invoker", INVOKE, None, {})
    assert (
        asked.lines()[-1] == "  note: not given, though a statement reads it: sagemaker:targetmodel"
    )
    asked = may.ask(configured, "staging", "CiRole", "s3:PutObject", MODELS, {})
    assert "the s3 resource's own policy" in asked.lines()[-1]
    assert asked.as_json()["statement"] == {
        "effect": "Allow",
        "label": "CiRole/publish, WriteOwnStage",
    }


@pytest.mark.parametrize(
    ("role", "action", "resource", "said"),
    [
        ("Nobody", INVOKE, None, "has no role 'Nobody'"),
        ("CiRole", "InvokeEndpoint", None, "is no action"),
        ("CiRole", "s3:GetObject", None, "a resource that was not named"),
        ("CiRole", "s3:GetObject", "bucket/key", "is no ARN"),
    ],
)
def test_a_question_with_a_mistake_is_refused(
    repository: Path, role: str, action: str, resource: str | None, said: str
) -> None:
    with pytest.raises(SlipwayError) as caught:
        may.ask(settings.load(repository), "staging", role, action, resource, {})
    assert said in caught.value.what and caught.value.fix


def roles_of(root: Path, region: str = "us-east-1", **parameters: str) -> Roles:
    environment = load_environment(settings.load(root), "staging", to_deploy=False)
    changed = {**environment.parameters, **parameters}
    return read_roles(type(environment)(**{**vars(environment), "parameters": changed}), region)


def test_conditions_of_the_template_decide_what_there_is(repository: Path) -> None:
    without = roles_of(repository)
    assert "InvokerRole" not in without.principals
    arn = "arn:aws:iam::111122223333:role/application"
    with_role = roles_of(repository, InvokerPrincipals=arn, Encryption="s3")
    assert with_role.find("Invoker").arn == "arn:aws:iam::000000000000:role/slipway-staging-invoker"
    assert "InvokerKeyPolicy" not in with_role.principals
    assert len(with_role.principals["CiRole"].statements) < len(
        without.principals["CiRole"].statements
    )


def test_regions_have_their_partition(repository: Path) -> None:
    invoke, *_ = roles_of(repository, "cn-north-1").find("Invoker").statements
    assert invoke.resources == (
        "arn:aws-cn:sagemaker:cn-north-1:000000000000:endpoint/slipway-staging",
    )


TEMPLATE: dict[str, Any] = {
    "boundary": "      PermissionsBoundary: arn:aws:iam::aws:policy/ReadOnlyAccess\n",
    "managed": "      ManagedPolicyArns: [arn:aws:iam::aws:policy/AmazonS3FullAccess]\n",
    "imported": "      Policies: !ImportValue policies\n",
    "attribute": "      Policies: !GetAtt Nothing.Policies\n",
}


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ("boundary", "has a permissions boundary"),
        ("managed", "which is not in the template"),
        ("imported", "Fn::ImportValue cannot be resolved"),
        ("attribute", "!GetAtt Nothing.Policies cannot be resolved"),
    ],
)
def test_a_role_that_cannot_be_evaluated_is_an_error(
    tmp_path: Path, mistake: str, said: str
) -> None:
    folder = tmp_path / "ci" / "infra"
    folder.mkdir(parents=True)
    (tmp_path / "slipway.toml").touch()
    (folder / "own.toml").write_text('template = "own.yaml"\n', encoding="utf-8")
    (folder / "own.yaml").write_text(
        "Resources:\n  Role:\n    Type: AWS::IAM::Role\n    Properties:\n      RoleName: a\n"
        + TEMPLATE[mistake],
        encoding="utf-8",
    )
    environment = load_environment(settings.load(tmp_path), "own", to_deploy=False)
    with pytest.raises(SlipwayError) as caught:
        read_roles(environment, "us-east-1")
    assert said in caught.value.what and caught.value.fix
