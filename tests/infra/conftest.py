"""A repository with the environments of this one, and AWS as moto's server has it, over HTTP."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from mypy_boto3_cloudformation import CloudFormationClient

from slipway import settings
from slipway.infra import aws, deploy, environment, plan
from slipway.infra.environment import Environment
from slipway.infra.events import StackEvent
from slipway.infra.state import StackState
from slipway.settings import Settings
from tests.infra import aws_stand_in, training_stand_in

HERE = Path(__file__).resolve().parents[2]
INFRA = HERE / "ci" / "infra"


@dataclass
class Repository:
    """A copy of ``ci/infra``; ``project`` is unique to the test, so that names do not clash."""

    root: Path
    project: str

    @property
    def settings(self) -> Settings:
        return settings.load(self.root)

    def environment(self, name: str) -> Environment:
        return environment.load_environment(self.settings, name)

    def change(self, name: str, old: str, new: str) -> None:
        """Replace a line of an environment's file."""
        path = self.root / "ci" / "infra" / f"{name}.toml"
        text = path.read_text()
        assert text.count(old) == 1
        path.write_text(text.replace(old, new))

    def client(self, name: str) -> CloudFormationClient:
        return aws.create_client(self.environment(name))

    def deploy(self, name: str, events: list[StackEvent] | None = None) -> StackState:
        """As the command does."""
        client = self.client(name)
        with plan.plan_changes(client, self.environment(name), poll=0) as made:
            assert made.changes
            shown = (lambda event: None) if events is None else events.append
            return deploy.execute(client, made, shown, poll=0)


def copy(folder: Path) -> Repository:
    """This repository's environments, for a project of their own."""
    root = folder / "repository"
    shutil.copytree(INFRA, root / "ci" / "infra")
    shutil.copy(HERE / "slipway.toml", root)
    project = f"t{uuid.uuid4().hex[:8]}"
    made = Repository(root, project)
    for name in ("staging", "production"):
        made.change(name, f'stack = "slipway-{name}"', f'stack = "{project}-{name}"')
        made.change(
            name,
            "[parameters]\n",
            f'[parameters]\nProject = "{project}"\nGitLabProject = "group/models"\n',
        )
    stack = "slipway-production-training"
    made.change("training", f'stack = "{stack}"', f'stack = "{project}-production-training"')
    made.change("training", "[parameters]\n", f'[parameters]\nProject = "{project}"\n')
    return made


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """AWS, for boto3's own configuration: the URL of moto's server."""
    with pytest.MonkeyPatch.context() as patch:
        aws_stand_in.complete(patch)
        training_stand_in.complete(patch)
        for key in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN"):
            patch.delenv(key, raising=False)
        for key in ("AWS_ENDPOINT_URL_S3", "SLIPWAY_STAGING_STORE", "SLIPWAY_PRODUCTION_STORE"):
            patch.delenv(key, raising=False)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        for key, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_CONFIG_FILE": str(folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test-secret",
            "AWS_DEFAULT_REGION": aws_stand_in.REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            patch.setenv(key, value)
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return copy(tmp_path)


@pytest.fixture
def moto(tmp_path: Path) -> Iterator[str]:
    with serve(tmp_path) as url:
        yield url


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> CloudFormationClient:
    """A client for answers written down by hand; nothing is sent."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
    return boto3.client("cloudformation", region_name=aws_stand_in.REGION)
