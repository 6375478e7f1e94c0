"""The repository of the sample containers, and its releases in a store of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

import slipway
from slipway import settings
from slipway.artifact.artifact import Artifact
from slipway.artifact.pack import pack
from slipway.build import build
from slipway.endpoint import serving
from slipway.endpoint.serving import RunningEndpoints
from slipway.model.folder import read_model_folder
from slipway.release.publish import Release, publish
from slipway.settings import Settings
from slipway.store.open import open_stage
from tests import fixture_models

# of processes that import the library
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(slipway.__file__).parent.parent)}
FIXTURE = Path(__file__).parents[2] / "fixtures" / "containers"
# a wine of the second class, which no model was trained on, and what scikit-learn answers
ROW = "13.32,3.24,2.38,21.5,92.0,1.93,0.76,0.45,1.25,8.42,0.55,1.62,650.0"
LOGISTIC, FOREST = [0.00157, 0.001525, 0.996905], [0.0, 0.0, 1.0]


def copy_repository(root: Path) -> Settings:
    """Copy the repository to ``root``, with Triton's ``adder``; return its settings."""
    shutil.copytree(FIXTURE, root, dirs_exist_ok=True)
    fixture_models.copy("adder", root / "models")
    # under its own name pytest would collect it here
    test = root / "models" / "wines" / "tests" / "test_wines.py"
    shutil.copyfile(root / "other" / "test_wines.py.txt", test)
    return settings.load(root)


def build_wines(repository: Settings, version: str = "1.0.0", weights: str = "") -> Artifact:
    """Build the model ``wines`` as ``version``, with the ``weights`` of this file in ``other/``."""
    folder = repository.root / "models" / "wines"
    (folder / "model_version.txt").write_text(f"{version}\n")
    if weights:
        other = repository.root / "other" / weights
        shutil.copyfile(other, folder / "container" / "model.skops")
    return build(folder, repository, repository.root / "dist")


def build_rows(repository: Settings) -> Artifact:
    """Build the model ``wine_rows``."""
    return build(repository.root / "models" / "wine_rows", repository, repository.root / "dist")


def build_adder(repository: Settings) -> Artifact:
    """Pack Triton's model ``adder``: SUM is A + B."""
    folder = repository.root / "models" / "adder"
    output = repository.root / "dist" / "adder.tar.gz"
    return pack(read_model_folder(folder), None, {}, output)


def release(repository: Settings, artifact: Artifact) -> Release:
    """Publish an artifact to staging."""
    return publish(artifact, open_stage(repository, "staging"))


@contextmanager
def up(repository: Settings, *names: str) -> Iterator[RunningEndpoints]:
    """Serve the endpoints ``names`` of the repository until the block ends."""
    entries = [repository.endpoint(name) for name in names]
    with serving.serve_in_thread(repository, entries) as running:
        yield running


def client(url: str) -> Any:
    """Return an unmodified boto3 client of the endpoints at ``url``."""
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="anything",
        aws_secret_access_key="anything",
        config=Config(read_timeout=70, retries={"total_max_attempts": 1}),
    )
