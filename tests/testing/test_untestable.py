"""A backend that the server of this machine lacks is not the model's mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.cli import main
from slipway.server import available, command
from slipway.server.source import Source
from slipway.settings import Settings
from slipway.testing.untestable import untestable_reason

FOREST = """name: "forest"
backend: "{backend}"
max_batch_size: 8
input {{ name: "input__0" data_type: TYPE_FP32 dims: 4 }}
output {{ name: "output__0" data_type: TYPE_FP32 dims: 1 }}
parameters {{ key: "model_type" value {{ string_value: "treelite_checkpoint" }} }}
parameters {{ key: "output_class" value {{ string_value: "false" }} }}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model of the backend dali, where only the wheel's server is."""
    folder = tmp_path / "repository" / "models" / "forest"
    (folder / "forest" / "1").mkdir(parents=True)
    (folder / "forest" / "1" / "model.dali").write_bytes(b"a pipeline")
    (folder / "forest" / "config.pbtxt").write_text(FOREST.format(backend="dali"))
    (folder / "model_version.txt").write_text("1.0.0\n")
    (tmp_path / "repository" / "slipway.toml").touch()
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(tmp_path / "repository")
    return folder


def test_check_says_what_cannot_be_tested_here_and_where_it_can(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--strict", "forest"]) == 0  # it is no finding
    said = capsys.readouterr().err
    assert "note: models/forest/forest/config.pbtxt: it cannot be tested on this machine, " in said
    assert "whose server has no backend 'dali'" in said and "nvidia-pytriton wheel" in said
    assert "that has Docker (docker pull nvcr.io/nvidia/tritonserver:25.04-py3), or inside" in said
    assert "slipway test forest --record forest.tests.json" in said
    assert "slipway promote forest --tests forest.tests.json" in said


def test_test_does_not_blame_the_model_and_records_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["test", "forest"]) == 1
    said = capsys.readouterr().err
    assert "that is no mistake of the model" in said and "fix: test it on a machine" in said
    assert not Path("dist").exists()


def test_a_server_that_has_the_backend_is_asked(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # laid out as NVIDIA's container is
    server = tmp_path / "opt" / "tritonserver"
    (server / "bin").mkdir(parents=True)
    (server / "bin" / "tritonserver").touch(mode=0o755)
    for name in ("python", "dali"):
        (server / "backends" / name).mkdir(parents=True)
    monkeypatch.setenv("PATH", str(server / "bin"))
    settings = Settings(root=folder.parents[1])
    assert untestable_reason(folder, settings) is None
    (folder / "forest" / "config.pbtxt").write_text(FOREST.format(backend="tensorrt"))
    reason = untestable_reason(folder, settings)
    assert reason is not None and "no backend 'tensorrt'" in reason.what
    assert reason.fix is not None and "on a machine with a GPU" in reason.fix
    # a server that has the backend, on a machine without a GPU
    (server / "backends" / "tensorrt").mkdir()
    monkeypatch.setattr(command, "has_gpu", lambda: False)
    reason = untestable_reason(folder, settings)
    assert reason is not None and "no GPU, which the backend 'tensorrt' needs" in reason.what
    monkeypatch.setattr(command, "has_gpu", lambda: True)
    assert untestable_reason(folder, settings) is None


@pytest.mark.parametrize(
    ("image", "backends"),
    [
        ("nvcr.io/nvidia/tritonserver:25.04-py3", {"fil": True, "tensorflow": False}),
        ("nvcr.io/nvidia/tritonserver:24.10-py3", {"fil": True, "tensorflow": True}),
        ("nvcr.io/nvidia/tritonserver:24.10-py3-min", {"fil": None}),
        ("registry.example.com/triton:24.10-py3", {"fil": None}),
    ],
)
def test_the_backends_of_nvidias_images_are_known(
    image: str, backends: dict[str, bool | None]
) -> None:
    source = Source("docker", "2.51.0", "24.10", Path("/usr/bin/docker"), image)
    found = available.available_backends(source)
    for name, has in backends.items():
        assert (None if found is None else name in found) == has


@pytest.mark.parametrize(
    ("backend", "image"),
    [
        ("vllm", "25.04-vllm-python-py3"),
        ("tensorrtllm", "25.04-trtllm-python-py3"),
        ("tensorflow", "25.02-py3"),
        ("dali", "25.04-py3"),
    ],
)
def test_the_image_that_has_the_backend_is_named(backend: str, image: str) -> None:
    text = available.where_to_test(backend, "forest", Settings(root=Path()))
    assert f"docker pull nvcr.io/nvidia/tritonserver:{image})" in text


def test_a_backend_that_the_model_brings_along_can_be_tested(folder: Path) -> None:
    (folder / "forest" / "libtriton_dali.so").touch()
    assert untestable_reason(folder, Settings(root=folder.parents[1])) is None
