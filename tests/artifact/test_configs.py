"""The configs in an artifact, of which little is read."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest

from slipway.artifact.configs import config_digests, read_configs
from slipway.artifact.contents import read_contents
from slipway.errors import SlipwayError
from tests.artifact.samples import packed, write_environment, write_model


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    weights = random.Random(1).randbytes(4_000_000)  # which do not compress
    folder = write_model(tmp_path / "checkout", weights)
    return packed(folder, write_environment(tmp_path / "environment")).path


def test_they_are_those_that_a_reading_of_everything_finds(artifact: Path) -> None:
    whole = read_contents(artifact)
    read = read_configs(artifact)
    assert read.texts == whole.configs
    assert read.manifest == whole.manifest
    assert set(read.texts) == set(config_digests(read.manifest))


def test_reading_stops_before_the_weights(artifact: Path) -> None:
    data = artifact.read_bytes()
    stream = io.BytesIO(data)
    assert read_configs(stream, "an object").texts
    assert stream.tell() < len(data) / 2


def test_what_is_cut_short_before_them_or_no_artifact_is_told(
    artifact: Path, tmp_path: Path
) -> None:
    for name, data in (("cut", artifact.read_bytes()[:2000]), ("none", b"words")):
        file = tmp_path / name
        file.write_bytes(data)
        with pytest.raises(SlipwayError) as caught:
            read_configs(file)
        assert str(file) in str(caught.value)
