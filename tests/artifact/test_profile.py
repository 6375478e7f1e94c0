"""A reference profile travels beside the manifest, and servers load the model all the same."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from slipway.artifact.contents import read_contents
from slipway.environment import ExecutionEnvironment
from slipway.errors import SlipwayError
from slipway.profile.build import build_profile
from slipway.profile.profile import FILE_NAME, load_profile
from slipway.server import triton
from slipway.settings import Settings
from tests import fixture_models
from tests.artifact.samples import packed


def write_profile(folder: Path) -> bytes:
    rows = np.random.default_rng(1).normal(size=(300, 1)).astype(np.float32)
    data = build_profile({"IN": rows}, {"OUT": rows}, source="rows.csv").dump()
    (folder / FILE_NAME).write_bytes(data)
    return data


def test_it_lies_beside_the_manifest_and_is_a_source(
    tiny: Path, environment: ExecutionEnvironment
) -> None:
    data = write_profile(tiny)
    artifact = packed(tiny, environment)
    with tarfile.open(artifact.path) as tar:
        member = tar.extractfile("tiny_pipeline/1/profile.json")
        assert member is not None and member.read() == data
        names = tar.getnames()
    assert names.index("tiny_pipeline/1/profile.json") < names.index("tiny_inferencer/1/model.onnx")
    manifest = read_contents(artifact.path).manifest
    assert "tiny_pipeline/1/profile.json" in manifest.sources


def test_equal_rows_give_equal_artifacts_and_others_do_not(
    tiny: Path, environment: ExecutionEnvironment
) -> None:
    without = packed(tiny, environment).sha256
    write_profile(tiny)
    first = packed(tiny, environment).sha256
    write_profile(tiny)
    assert packed(tiny, environment).sha256 == first != without


def test_a_damaged_profile_is_not_packed(tiny: Path, environment: ExecutionEnvironment) -> None:
    (tiny / FILE_NAME).write_text("{}")
    with pytest.raises(SlipwayError, match="the profile is damaged") as refused:
        packed(tiny, environment)
    assert refused.value.where == str(tiny / FILE_NAME)


def test_a_real_server_loads_a_version_with_a_profile(tmp_path: Path) -> None:
    model = fixture_models.copy("adder", tmp_path)
    data = write_profile(tmp_path)
    for version in model.glob("*/1"):
        shutil.copyfile(tmp_path / FILE_NAME, version / FILE_NAME)
    artifact = fixture_models.pack(model, tmp_path / "adder.tar.gz")
    with triton.start(Settings(root=tmp_path)) as server:
        server.load("adder.tar.gz", artifact)
        numbers = np.ones((1, 4), np.float32)
        answer = server.invoke("adder.tar.gz", {"A": numbers, "B": numbers})
        assert answer["SUM"].tolist() == [[2.0] * 4]
        files = list(server.folder("adder.tar.gz").glob(f"*/1/{FILE_NAME}"))
        assert [load_profile(file.read_bytes(), where="").rows for file in files] == [300]
        assert files[0].read_bytes() == data
