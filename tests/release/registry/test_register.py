"""A release becomes a model package of SageMaker, once, and production's is approved."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.stub import Stubber
from botocore.validate import ParamValidator
from moto.server import ThreadedMotoServer

from slipway.catalog.catalog import Catalog
from slipway.catalog.record import Record
from slipway.cli import main
from slipway.errors import SlipwayError
from slipway.release.registry.package import (
    approve_body,
    create_body,
    group_name,
    metadata_properties,
)
from slipway.release.registry.register import Registry
from slipway.settings.release import StageName
from slipway.store.open import open_stage
from tests.lineage.trained_repository import TOML, TrainedRepository, sample_run
from tests.release.evidence.sample_model import junit_report
from tests.store.readable_stores import BucketStore, aws, moto, release_bucket

__all__ = ["aws", "moto", "release_bucket"]

ROOT = Path(__file__).parents[3]
IMAGE = "785573368785.dkr.ecr.us-east-1.amazonaws.com/sagemaker-tritonserver:25.04-py3-cpu"
GROUP = '[training]\nmodel_package_group = "slipway-{model}"\nregion = "us-east-1"\n'
IN_S3 = TOML.replace('store = "store"', 'store = "s3://releases/team/slipway"') + GROUP


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def sagemaker(server: str, release_bucket: BucketStore, monkeypatch: pytest.MonkeyPatch) -> Any:
    """moto's SageMaker, beside an empty bucket of a server that can hold releases."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", server)
    return boto3.client("sagemaker")


def released(repository: TrainedRepository, stage: StageName = "staging") -> Record:
    catalog = Catalog(open_stage(repository.settings, stage))
    return catalog.record("tiny", catalog.alias("tiny").target)


def packages(sagemaker: Any) -> list[dict[str, Any]]:
    listed = sagemaker.list_model_packages(ModelPackageGroupName="slipway-tiny")
    return [
        sagemaker.describe_model_package(ModelPackageName=summary["ModelPackageArn"])
        for summary in listed["ModelPackageSummaryList"]
    ]


def test_publishing_registers_and_promoting_approves_it(
    sagemaker: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    repository = TrainedRepository(tmp_path / "repository", IN_S3)
    shutil.copytree(ROOT / "ci/infra", repository.root / "ci/infra")
    repository.record(sample_run())
    artifact = repository.packed()
    report = tmp_path / "tiny.tests.xml"
    report.write_text(junit_report(artifact.sha256), encoding="utf-8")
    monkeypatch.chdir(repository.root)
    words = ["publish", "models/tiny", "--artifact", str(artifact.path), "--tests", str(report)]
    assert main(words) == 0
    output = capsys.readouterr()
    [package] = packages(sagemaker)
    assert f"note: registered: {package['ModelPackageArn']}" in output.err
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    [container] = package["InferenceSpecification"]["Containers"]
    target = released(repository).target
    assert container["ModelDataUrl"] == f"s3://releases/team/slipway/staging/models/{target}"
    assert container["Image"].endswith("/sagemaker-tritonserver:25.04-py3-cpu")
    known = package["CustomerMetadataProperties"]
    assert known["slipway:training-run"] == sample_run().id
    assert known["slipway:sha256"] == artifact.sha256

    assert main([*words, "--json"]) == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["model_package"] == package["ModelPackageArn"]
    assert "registered already" in output.err and len(packages(sagemaker)) == 1

    for _ in range(2):
        assert main(["promote", "tiny"]) == 0
    [approved] = packages(sagemaker)
    assert approved["ModelPackageArn"] == package["ModelPackageArn"]
    assert approved["ModelApprovalStatus"] == "Approved"
    assert approved["CustomerMetadataProperties"]["slipway:target-model"] == "tiny_1.2.0.tar.gz"
    assert main(words) == 0  # a later push of the same bytes
    assert packages(sagemaker)[0]["ModelApprovalStatus"] == "Approved"


def test_a_refusal_is_said_and_the_release_stays(
    sagemaker: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    repository = TrainedRepository(tmp_path / "repository", TOML + GROUP)
    shutil.copytree(ROOT / "ci/infra", repository.root / "ci/infra")
    artifact = repository.packed()
    monkeypatch.chdir(repository.root)
    assert main(["publish", "models/tiny", "--artifact", str(artifact.path)]) == 0
    error = capsys.readouterr().err
    assert "is released, and not registered in SageMaker" in error
    assert "SageMaker takes models from S3 only, and staging's store is store" in error
    assert released(repository).sha256 == artifact.sha256


def test_a_role_that_may_not_gets_the_permissions_that_are_missing(
    aws: Path, tmp_path: Path
) -> None:
    repository = TrainedRepository(tmp_path / "repository", IN_S3)
    registry = Registry(repository.settings)
    stub = Stubber(registry._client)
    stub.add_client_error(
        "describe_model_package_group", "AccessDeniedException", "not authorized", 400
    )
    record = sample_record(tmp_path)
    with stub, pytest.raises(SlipwayError, match="AccessDeniedException: not authorized") as caught:
        registry.register(record, "staging", IMAGE)
    assert caught.value.fix is not None and "CreateModelPackageGroup" in caught.value.fix


def test_a_group_that_another_job_created_meanwhile_is_used(aws: Path, tmp_path: Path) -> None:
    repository = TrainedRepository(tmp_path / "repository", IN_S3)
    registry = Registry(repository.settings)
    arn = "arn:aws:sagemaker:us-east-1:111122223333:model-package/slipway-tiny/1"
    with Stubber(registry._client) as stub:
        stub.add_client_error(
            "describe_model_package_group", "ValidationException", "ModelPackageGroup … not exist."
        )
        stub.add_client_error(
            "create_model_package_group", "ValidationException", "Group already exists: arn:…"
        )
        stub.add_response("list_model_packages", {"ModelPackageSummaryList": []})
        stub.add_response("create_model_package", {"ModelPackageArn": arn})
        found = registry.register(sample_record(tmp_path), "production", IMAGE)
        stub.assert_no_pending_responses()
    assert (found.arn, found.group, found.changed) == (arn, "slipway-tiny", True)


def sample_record(folder: Path) -> Record:
    """The record of a release in a folder."""
    repository = TrainedRepository(folder / "released")
    repository.record(sample_run())
    repository.publish()
    return released(repository)


def test_botocore_accepts_every_body(tmp_path: Path) -> None:
    record = sample_record(tmp_path)
    odd = replace(record, origin=replace(record.origin, by="Zoë (bot) #1", commit=None))
    model = botocore.session.get_session().get_service_model("sagemaker")
    validator = ParamValidator()
    for one in (record, odd, replace(record, training=None, metrics={"auc": 0.9})):
        created = create_body(one, "production", "g", "s3://b", IMAGE)
        approved = approve_body(one, "arn:aws:sagemaker:::model-package/g/1", "s3://b", IMAGE)
        for operation, body in (("CreateModelPackage", created), ("UpdateModelPackage", approved)):
            shape = model.operation_model(operation).input_shape
            assert shape is not None and not validator.validate(body, shape).has_errors()
    assert metadata_properties(odd, "staging")["slipway:published-by"] == "Zoë _bot_ _1"


@pytest.mark.parametrize(
    ("pattern", "model", "group"),
    [
        ("slipway-{model}", "screen_detection", "slipway-screen-detection"),
        ("{model}", "churn", "churn"),
        ("{model}-models", "_a__b_", "a-b-models"),
        ("slipway-{model}", "m" * 80, f"slipway-{'m' * 55}"),
    ],
)
def test_a_groups_name_has_the_letters_that_sagemaker_allows(
    pattern: str, model: str, group: str
) -> None:
    assert group_name(pattern, model) == group
    assert re.fullmatch("[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", group)


def test_a_group_for_all_models_is_refused(tmp_path: Path) -> None:
    from slipway import settings

    (tmp_path / "slipway.toml").write_text('[training]\nmodel_package_group = "all"\n')
    with pytest.raises(SlipwayError, match="model_package_group is 'all'") as caught:
        settings.load(tmp_path)
    assert caught.value.fix == 'such as model_package_group = "slipway-{model}"'
