"""``slipway lock`` as it is typed: what it prints about a lock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.cli import main
from slipway.settings import Settings
from tests.environment.wheelhouse import Wheelhouse

Write = Callable[..., Path]
CONFIG = 'name: "model"\nbackend: "python"\n{group}\n'


@pytest.fixture
def folder(
    requirements: Write,
    settings: Settings,
    wheelhouse: Wheelhouse,
    slipway_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """Return a model of the current repository that requires numpy, shapes and a CUDA library."""
    wheelhouse.numpy()
    wheelhouse.add("shapes", "1.0", requires=("nvidia_nccl_cu12",))
    wheelhouse.add("shapes", "2.0", requires=("numpy>=2",))
    wheelhouse.add("nvidia_nccl_cu12", "2.0")
    model = requirements("numpy<2", "shapes").parent
    (model / "model/1").mkdir(parents=True)
    (model / "model/1/model.py").touch()
    (model / "model/config.pbtxt").write_text(CONFIG.format(group=""))
    (model / "model_version.txt").write_text("1.0.0\n")
    monkeypatch.chdir(settings.root)
    return model


def test_lock_prints_sizes_cuda_old_versions_and_unused_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example.com/simple")
    assert main(["lock", "model"]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == "models/model/requirements.lock"
    assert lines[0].startswith("  3 packages: ") and "unpacked" in lines[0]
    assert lines[1].startswith("  largest: ")
    text = "\n".join(lines)
    assert 'exclude-dependencies = ["nvidia-nccl-cu12"] in uv.toml' in text
    assert "  older than the newest: shapes 1.0, not 2.0: 2.0 needs numpy>=2" in lines
    assert "not used: index-url of PIP_INDEX_URL (https://packages.example.com/simple)" in text


def test_the_advice_against_cuda_works(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder.parents[1] / "uv.toml").write_text('exclude-dependencies = ["nvidia-nccl-cu12"]\n')
    assert main(["lock", "model"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("  2 packages: ")
    assert "nvidia" not in (folder / "requirements.lock").read_text()


def test_a_model_for_a_gpu_gets_no_advice_against_cuda(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    group = "instance_group { kind: KIND_GPU }"
    (folder / "model/config.pbtxt").write_text(CONFIG.format(group=group))
    assert main(["lock", "model"]) == 0
    assert "CPU" not in capsys.readouterr().out
