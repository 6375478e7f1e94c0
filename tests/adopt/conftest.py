"""A Slipway repository to adopt into, small repositories of others, and locks without an index."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from dvc.repo import Repo

from slipway import settings as loading
from slipway.adopt.adopt import Adopted, Adoption
from slipway.adopt.adopt import adopt as adopt_plan
from slipway.adopt.plan import plan_adoption
from slipway.environment.lock import header, named_packages
from slipway.settings import Settings

TOML = '[triton]\nrelease = "25.04"\ntest_release = "24.10"\n'
ADD = """\
import json

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            values = pb_utils.get_input_tensor_by_name(request, "X").as_numpy()
            output = pb_utils.Tensor("Y", (values + 1).astype(np.float32))
            responses.append(pb_utils.InferenceResponse([output]))
        return responses
"""
TENSORS = """\
input [ { name: "X" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ 4 ] } ]
"""
PYTHON = f'backend: "python"\nmax_batch_size: 8\n{TENSORS}'

type Adopt = Callable[..., list[Adopted]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return the settings of a repository under DVC, without models."""
    root = tmp_path / "ours"
    root.mkdir()
    (root / "slipway.toml").write_text(TOML)
    Repo.init(str(root), no_scm=True).close()
    return loading.load(root)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return the empty folder of somebody's repository."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    return folder


@pytest.fixture
def without_index(slipway_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lock packages without asking an index, and know no environment that was built before."""
    monkeypatch.setattr("slipway.scaffold.locks.lock_requirements", lock_by_hand)


def lock_by_hand(requirements: Path, settings: Settings) -> Path:
    """Write a lock of packages that need not exist: pinned, with a hash of nothing."""
    target = requirements.with_name("requirements.lock")
    pins = {"numpy": "1.26.4"}
    pins |= {name: "1.0" for name in named_packages(requirements) if name != "numpy"}
    lines = [f"{name}=={version} --hash=sha256:{'0' * 64}" for name, version in pins.items()]
    target.write_text("\n".join([header(requirements, settings), *lines]) + "\n")
    return target


@pytest.fixture
def adopt(settings: Settings, without_index: None) -> Adopt:
    """Return the function that adopts a folder, without asking a server."""

    def run(
        path: Path, name: str | None = None, values: Mapping[str, str] | None = None
    ) -> list[Adopted]:
        plan = plan_adoption(path, name, settings, values=values or {})
        return adopt_plan(plan, Adoption(settings, silent, record=False))

    return run


@contextlib.contextmanager
def silent(what: str) -> Iterator[None]:
    """Show no progress."""
    yield


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below ``root`` and return it."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def python_model(root: Path, name: str, code: str = ADD, config: str = PYTHON) -> Path:
    """Write a model of the Python backend, and return its directory."""
    config = f'name: "{name}"\n{config}'
    return write(root / name, {"config.pbtxt": config, "1/model.py": code})
