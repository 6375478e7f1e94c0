"""Who may do what: the roles' policies as they are deployed, asked by the rules of IAM."""

from __future__ import annotations

import ast
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import botocore.client
import pytest

from slipway.settings import StageSettings
from slipway.store.s3.store import open_s3
from tests.infra.aws_stand_in import rendered
from tests.infra.conftest import Repository, copy, serve
from tests.infra.policies import allows, denies

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse")

APPLICATION = "arn:aws:iam::123456789012:role/application"
# the actions of each API call (Service Authorization Reference, "Actions … for Amazon S3")
ACTIONS = {
    "GetObject": ["s3:GetObject"],
    "HeadObject": ["s3:GetObject"],
    "GetObjectAttributes": ["s3:GetObject", "s3:GetObjectAttributes"],
    "GetObjectTagging": ["s3:GetObjectTagging"],
    "PutObject": ["s3:PutObject"],
    "PutObjectTagging": ["s3:PutObjectTagging"],
    "CopyObject": ["s3:PutObject"],
    "CreateMultipartUpload": ["s3:PutObject"],
    "UploadPart": ["s3:PutObject"],
    "UploadPartCopy": ["s3:PutObject"],
    "CompleteMultipartUpload": ["s3:PutObject"],
    "AbortMultipartUpload": ["s3:AbortMultipartUpload"],
    "ListParts": ["s3:ListMultipartUploadParts"],
    "ListObjectsV2": ["s3:ListBucket"],
    "ListObjectVersions": ["s3:ListBucketVersions"],
    "ListMultipartUploads": ["s3:ListBucketMultipartUploads"],
    "DeleteObject": ["s3:DeleteObject"],
}
# these make an object, the other calls of a multipart upload do not
CREATIONS = {"PutObject", "CopyObject", "CompleteMultipartUpload"}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """Both environments, production with an invoker that may name a few target models only."""
    folder = tmp_path_factory.mktemp("deployed")
    repository = copy(folder)
    repository.change(
        "production",
        '# InvokerPrincipals = ["arn:aws:iam::111122223333:role/application"]\n',
        f'InvokerPrincipals = ["{APPLICATION}"]\n'
        'InvokerTargetModels = ["translate_*.tar.gz", "summary_2.*.tar.gz"]\n'
        'ClientCapture = "true"\n',
    )
    with serve(folder):
        for name in ("staging", "production"):
            repository.deploy(name)
        yield repository


def statements_of(repository: Repository, stage: str, role: str) -> list[dict[str, Any]]:
    """All statements that IAM has for a role."""
    iam = boto3.client("iam")
    name = f"{repository.project}-{stage}-{role}"
    found = []
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        document: Any = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        if isinstance(document, str):  # moto writes a role's own policies as Python
            document = ast.literal_eval(document)
        found += document["Statement"]
    return found


def invoker_of(repository: Repository, stage: str, *more: str) -> list[dict[str, Any]]:
    """All statements of the invoker's role; moto attaches no managed policy to a role."""
    stack = f"{repository.project}-{stage}"
    attached = rendered(stack, "InvokerRole")["ManagedPolicyArns"]
    found = []
    for policy in ("InvokerPolicy", "InvokerKeyPolicy", *more):
        said = rendered(stack, policy)
        assert any(arn.endswith(f"policy/{said['ManagedPolicyName']}") for arn in attached)
        found += said["PolicyDocument"]["Statement"]
    return found


def bucket_of(repository: Repository, stage: str) -> str:
    return f"{repository.project}-{stage}-123456789012-us-east-1"


def bucket_policy(repository: Repository, stage: str) -> list[dict[str, Any]]:
    document = rendered(f"{repository.project}-{stage}", "ReleaseBucketPolicy")["PolicyDocument"]
    found: list[dict[str, Any]] = document["Statement"]
    return found


def may_assume(repository: Repository, stage: str, role: str, subject: str, **more: str) -> bool:
    iam = boto3.client("iam")
    found: Any = iam.get_role(RoleName=f"{repository.project}-{stage}-{role}")["Role"]
    context = {"gitlab.com:aud": "https://gitlab.com", "gitlab.com:sub": subject} | {
        f"gitlab.com:{key}": value for key, value in more.items()
    }
    statements = found["AssumeRolePolicyDocument"]["Statement"]
    assert statements[0]["Principal"] == {
        "Federated": "arn:aws:iam::123456789012:oidc-provider/gitlab.com"
    }
    return allows(statements, "sts:AssumeRoleWithWebIdentity", "*", context)


MAIN = "project_path:group/models:ref_type:branch:ref:main"
BRANCH = "project_path:group/models:ref_type:branch:ref:feature/x"
OTHERS = [
    "project_path:group/models:ref_type:tag:ref:main",
    "project_path:group/models-fork:ref_type:branch:ref:main",
    "project_path:stranger/group/models:ref_type:branch:ref:main",
    "project_path:group/models:ref_type:branch:ref:main2",
    "project_path:group/models:ref_type:branch:ref:x/main",
]


def test_only_the_protected_branch_releases_to_production_and_prunes(deployed: Repository) -> None:
    assert may_assume(deployed, "production", "ci", MAIN)
    assert may_assume(deployed, "staging", "ci", MAIN)
    assert may_assume(deployed, "staging", "ci", BRANCH)
    for stage in ("staging", "production"):
        assert may_assume(deployed, stage, "prune", MAIN)
        for subject in [BRANCH, *OTHERS]:
            assert not may_assume(deployed, stage, "prune", subject)
    for subject in [BRANCH, *OTHERS]:
        assert not may_assume(deployed, "production", "ci", subject)
    for subject in OTHERS[:3]:
        assert not may_assume(deployed, "staging", "ci", subject)
    assert not may_assume(deployed, "production", "ci", MAIN, aud="https://elsewhere.example")


def test_an_invoker_reaches_its_target_models_only(deployed: Repository) -> None:
    statements = invoker_of(deployed, "production")
    mine = f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{deployed.project}-production"

    def invokes(target: str | None, endpoint: str = mine) -> bool:
        context = {} if target is None else {"sagemaker:TargetModel": target}
        return allows(statements, "sagemaker:InvokeEndpoint", endpoint, context)

    assert invokes("translate_1.0.0.tar.gz")
    assert invokes("summary_2.4.1.tar.gz")
    assert not invokes("summary_1.0.0.tar.gz")
    assert not invokes("screen_detection_1.0.0.tar.gz")
    assert not invokes("x/translate_1.0.0.tar.gz")
    assert not invokes(None)
    assert not invokes("translate_1.0.0.tar.gz", mine.replace("production", "staging"))
    bucket = f"arn:aws:s3:::{bucket_of(deployed, 'production')}"
    assert allows(statements, "s3:GetObject", f"{bucket}/production/catalog/translate/alias.json")
    assert not allows(statements, "s3:GetObject", f"{bucket}/production/models/x.tar.gz")
    assert not allows(statements, "s3:PutObject", f"{bucket}/production/catalog/x/alias.json")


def test_an_invoker_writes_captures_only_where_it_may_and_reads_none(deployed: Repository) -> None:
    hour = "AllTraffic/2026/11/30/20/m_1.0.0--0000-0000-1-30d-a-1.jsonl"
    captured = f"arn:aws:s3:::{bucket_of(deployed, 'production')}/captured"
    own = f"{deployed.project}-production"
    for statements, may in (
        (invoker_of(deployed, "production"), False),
        (invoker_of(deployed, "production", "InvokerCapturePolicy"), True),
    ):
        assert allows(statements, "s3:PutObject", f"{captured}/{own}/{hour}") == may
        assert allows(statements, "s3:PutObject", f"{captured}/_counts/{own}/x.json") == may
        assert not allows(statements, "s3:PutObject", f"{captured}/another/{hour}")
        assert not allows(statements, "s3:GetObject", f"{captured}/{own}/{hour}")
        assert not allows(statements, "s3:DeleteObject", f"{captured}/{own}/{hour}")
    # what is kept too long, the scheduled job removes; it reads none either
    prune = statements_of(deployed, "production", "prune")
    assert allows(prune, "s3:DeleteObject", f"{captured}/{own}/{hour}")
    assert not allows(prune, "s3:GetObject", f"{captured}/{own}/{hour}")
    assert not allows(prune, "s3:DeleteObjectVersion", f"{captured}/{own}/{hour}")


def test_captures_are_forgotten_and_cannot_be_brought_back_for_long(deployed: Repository) -> None:
    bucket = rendered(f"{deployed.project}-production", "ReleaseBucket")
    rules = {rule.get("Prefix"): rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    for prefix in ("capture/", "captured/"):
        assert int(rules[prefix]["ExpirationInDays"]) == 30
        assert rules[prefix]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


def test_the_endpoint_reads_its_own_models_only(deployed: Repository) -> None:
    statements = statements_of(deployed, "staging", "endpoint")
    bucket = f"arn:aws:s3:::{bucket_of(deployed, 'staging')}"
    assert allows(statements, "s3:GetObject", f"{bucket}/staging/models/x_1.0.0.tar.gz")
    prefix = {"s3:prefix": "staging/models/x_1.0.0.tar.gz"}
    assert allows(statements, "s3:ListBucket", bucket, prefix)
    assert not allows(statements, "s3:ListBucket", bucket, {"s3:prefix": "staging/catalog/"})
    assert not allows(statements, "s3:GetObject", f"{bucket}/staging/catalog/x/alias.json")
    for action in ("s3:PutObject", "s3:DeleteObject"):
        assert not allows(statements, action, f"{bucket}/staging/models/x_1.0.0.tar.gz")
    other = f"arn:aws:s3:::{bucket_of(deployed, 'production')}"
    assert not allows(statements, "s3:GetObject", f"{other}/production/models/x.tar.gz")
    images = "arn:aws:ecr:us-east-1:763104351884:repository"
    assert allows(statements, "ecr:BatchGetImage", f"{images}/sagemaker-tritonserver")
    assert not allows(statements, "ecr:BatchGetImage", f"{images}/another")


@pytest.mark.parametrize("stage", ["staging", "production"])
def test_nobody_but_prune_removes_an_artifact_and_nobody_overwrites_one(
    deployed: Repository, stage: str
) -> None:
    artifact = f"arn:aws:s3:::{bucket_of(deployed, stage)}/{stage}/models/x_1.0.0.tar.gz"
    policy = bucket_policy(deployed, stage)
    role = f"arn:aws:iam::123456789012:role/{deployed.project}-{stage}"
    administrator = {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/Administrator"}
    for action in ("s3:DeleteObject", "s3:DeleteObjectVersion"):
        assert denies(policy, action, artifact, administrator)
        assert not allows(statements_of(deployed, stage, "ci"), action, artifact)
    pruner = statements_of(deployed, stage, "prune")
    assert allows(
        [*pruner, *policy], "s3:DeleteObject", artifact, {"aws:PrincipalArn": f"{role}-prune"}
    )
    assert not allows(pruner, "s3:DeleteObjectVersion", artifact)
    written = administrator | {"s3:ObjectCreationOperation": "true"}
    assert denies(policy, "s3:PutObject", artifact, written)
    assert not denies(policy, "s3:PutObject", artifact, written | {"s3:if-none-match": "*"})
    part = administrator | {"s3:ObjectCreationOperation": "false"}
    assert not denies(policy, "s3:PutObject", artifact, part)
    alias = artifact.replace("/models/x_1.0.0.tar.gz", "/catalog/x/alias.json")
    assert not denies(policy, "s3:PutObject", alias, written)


def test_a_plain_connection_is_refused(deployed: Repository) -> None:
    policy = bucket_policy(deployed, "production")
    key = f"arn:aws:s3:::{bucket_of(deployed, 'production')}/production/catalog/x/alias.json"
    assert denies(policy, "s3:GetObject", key, {"aws:SecureTransport": "false"})
    assert denies(
        policy, "s3:GetObject", key, {"aws:SecureTransport": "true", "s3:TlsVersion": "1.1"}
    )
    assert not denies(
        policy, "s3:GetObject", key, {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
    )


def test_a_branch_writes_staging_and_only_reads_production(deployed: Repository) -> None:
    statements = statements_of(deployed, "staging", "ci")
    staging, production = (
        f"arn:aws:s3:::{bucket_of(deployed, stage)}/{stage}/models/x.tar.gz"
        for stage in ("staging", "production")
    )
    assert allows(statements, "s3:PutObject", staging)
    assert allows(statements, "s3:GetObject", production)
    assert not allows(statements, "s3:PutObject", production)
    endpoint = f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{deployed.project}"
    assert allows(statements, "sagemaker:InvokeEndpoint", f"{endpoint}-staging")
    assert not allows(statements, "sagemaker:InvokeEndpoint", f"{endpoint}-production")
    assert not allows(statements, "sagemaker:UpdateEndpoint", f"{endpoint}-staging")


def test_the_check_for_drift_reads_captures_and_sends_its_own_metric_only(
    deployed: Repository,
) -> None:
    for stage in ("staging", "production"):
        statements = statements_of(deployed, stage, "ci")
        bucket = f"arn:aws:s3:::{bucket_of(deployed, stage)}"
        for key in ("captured/slipway-x/AllTraffic/2026/11/30/20/m.jsonl", "capture/x.jsonl"):
            assert allows(statements, "s3:GetObject", f"{bucket}/{key}")
            assert not allows(statements, "s3:PutObject", f"{bucket}/{key}")
        for namespace, allowed in {"Slipway": True, "AWS/SageMaker": False, "": False}.items():
            context = {"cloudwatch:namespace": namespace}
            assert allows(statements, "cloudwatch:PutMetricData", "*", context) == allowed


def test_jobs_register_model_packages_of_their_project_only(deployed: Repository) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012"
    for stage in ("staging", "production"):
        statements = statements_of(deployed, stage, "ci")
        for kind, key in (("model-package-group", "churn"), ("model-package", "churn/1")):
            action = "sagemaker:CreateModelPackage" + ("Group" if "group" in kind else "")
            assert allows(statements, action, f"{arn}:{kind}/{deployed.project}-{key}")
            assert not allows(statements, action, f"{arn}:{kind}/others-{key}")
        delete = "sagemaker:DeleteModelPackage"
        assert not allows(statements, delete, f"{arn}:model-package/{deployed.project}-churn/1")
        assert allows(statements, "sagemaker:ListModelPackages", "*")


def test_the_other_stages_key_is_allowed_by_its_alias_and_through_s3_only(
    deployed: Repository,
) -> None:
    statements = statements_of(deployed, "production", "ci")
    key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    asked = {
        "kms:ResourceAliases": [f"alias/{deployed.project}-staging"],
        "kms:ViaService": "s3.us-east-1.amazonaws.com",
    }
    assert allows(statements, "kms:Decrypt", key, asked)
    assert not allows(statements, "kms:GenerateDataKey", key, asked)
    assert not allows(statements, "kms:Decrypt", key, asked | {"kms:ResourceAliases": ["alias/x"]})
    assert not allows(
        statements, "kms:Decrypt", key, {"kms:ResourceAliases": asked["kms:ResourceAliases"]}
    )


type Calls = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What boto3 is asked for, from now on."""
    made: Calls = []
    real: Callable[..., Any] = vars(botocore.client.BaseClient)["_make_api_call"]

    def record(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
        made.append((operation, parameters))
        return real(self, operation, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", record)
    return made


def test_the_pipelines_roles_are_allowed_what_the_store_asks_for(
    deployed: Repository, calls: Calls, tmp_path: Path
) -> None:
    """Publishing to staging, promoting from there and pruning, call by call."""
    stores = {
        stage: open_s3(
            replace(
                StageSettings(stage),  # type: ignore[arg-type]
                store=f"s3://{bucket_of(deployed, stage)}",
            )
        )
        for stage in ("staging", "production")
    }
    artifact = tmp_path / "x_1.0.0.tar.gz"
    artifact.write_bytes(os.urandom(20 << 20))  # more than one part
    digest = hashlib.sha256(artifact.read_bytes()).hexdigest()
    calls.clear()
    assert stores["staging"].create_file("staging/models/x.tar.gz", artifact, digest)
    assert stores["staging"].swap("staging/catalog/x/alias.json", None, b"{}")
    assert stores["staging"].swap("staging/catalog/x/alias.json", b"{}", b"[]")
    published = list(calls)
    calls.clear()
    production = stores["production"]
    assert production.copy(
        stores["staging"], "staging/models/x.tar.gz", "production/models/x.tar.gz", digest
    )
    assert production.create("production/catalog/x/releases/x.tar.gz.json", b"{}")
    promoted = list(calls)
    calls.clear()
    mark = "production/catalog/x/pruned/x.tar.gz.json"
    assert production.create(mark, b"{}")
    assert stores["staging"].read("staging/catalog/x/alias.json") == b"[]"
    assert production.delete("production/catalog/x/releases/x.tar.gz.json")
    assert production.delete("production/models/x.tar.gz")
    assert production.swap(mark, b"{}", b"[]")
    assert production.create("production/catalog/x/history/1-prune.json", b"{}")
    pruned = list(calls)
    calls.clear()
    assert production.delete(mark)  # a release that is published again
    again = list(calls)
    assert published and promoted and pruned and again
    for stage, role, asked in (
        ("staging", "ci", published),
        ("production", "ci", promoted),
        ("production", "prune", pruned),
        ("production", "ci", again),
    ):
        for operation, parameters in asked:
            _is_allowed(deployed, stage, role, operation, parameters)


def _is_allowed(
    repository: Repository,
    stage: str,
    role: str,
    operation: str,
    parameters: dict[str, Any],
) -> None:
    statements = statements_of(repository, stage, role)
    key = parameters.get("Key")
    resource = f"arn:aws:s3:::{parameters['Bucket']}" + (f"/{key}" if key else "")
    context = {
        "aws:PrincipalArn": f"arn:aws:iam::123456789012:role/{repository.project}-{stage}-{role}",
        "aws:SecureTransport": "true",
        "s3:TlsVersion": "1.3",
        "s3:ObjectCreationOperation": str(operation in CREATIONS).lower(),
    }
    if "IfNoneMatch" in parameters:
        context["s3:if-none-match"] = parameters["IfNoneMatch"]
    policies = [*statements, *bucket_policy(repository, _owner(repository, parameters["Bucket"]))]
    for action in ACTIONS[operation]:
        assert allows(policies, action, resource, context), (stage, role, operation, parameters)
    source = parameters.get("CopySource")
    if source:
        copied = source if isinstance(source, str) else f"{source['Bucket']}/{source['Key']}"
        assert allows(statements, "s3:GetObject", f"arn:aws:s3:::{copied}"), copied


def _owner(repository: Repository, bucket: str) -> str:
    return "staging" if bucket == bucket_of(repository, "staging") else "production"
