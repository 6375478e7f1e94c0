"""The interface of what an artifact serves is read from its first members only."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Buffer
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from slipway.artifact.configs import read_configs
from slipway.environment import ExecutionEnvironment
from slipway.errors import SlipwayError
from slipway.model.interface import Tensor
from tests.artifact.samples import packed, write_model

FIELDS = ("name", "version", "serves", "sources", "weights", "environment", "builder")
NO_SOURCES = json.dumps(dict.fromkeys(FIELDS) | {"format": 1}).encode()


class Counted(io.RawIOBase):
    """A stream that cannot be sought in and counts what was read of it."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        size = self._data.readinto(buffer)
        self.taken += size
        return size


def plain(members: dict[str, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return io.BytesIO(out.getvalue())


def test_a_file_and_a_stream_say_the_same(tiny: Path, environment: ExecutionEnvironment) -> None:
    artifact = packed(tiny, environment).path
    found = read_configs(artifact).interface
    assert found.max_batch_size == 8
    assert found.inputs == {"IN": Tensor("FP32", (1,))}
    assert found.outputs == {"OUT": Tensor("FP32", (1,))}
    with artifact.open("rb") as stream:
        assert read_configs(stream, "tiny").interface == found


def test_weights_and_environment_are_not_read(
    tmp_path: Path, environment: ExecutionEnvironment
) -> None:
    folder = write_model(tmp_path / "large", weights=os.urandom(8_000_000))
    stream = Counted(packed(folder, environment).path.read_bytes())
    assert read_configs(cast(BinaryIO, stream), "tiny").interface.max_batch_size == 8
    assert stream.taken < 1_000_000


@pytest.mark.parametrize(
    ("members", "what"),
    [
        ({}, "its first file is not manifest.json"),
        (
            {"a/config.pbtxt": b"", "a/1/manifest.json": b"{}"},
            "its first file is not manifest.json",
        ),
        ({"a/1/manifest.json": b"{"}, "manifest.json is damaged"),
        ({"a/1/manifest.json": b"", "a/config.pbtxt": b""}, "manifest.json is damaged"),
        ({"a/1/manifest.json": NO_SOURCES}, "manifest.json is damaged"),
    ],
)
def test_what_is_no_artifact_is_refused(members: dict[str, bytes], what: str) -> None:
    with pytest.raises(SlipwayError, match=what) as caught:
        read_configs(plain(members), "the/key")
    assert str(caught.value.where).startswith("the/key")


def test_an_artifact_without_the_config_it_serves_is_refused() -> None:
    manifest: dict[str, object] = dict.fromkeys(FIELDS, {}) | {"serves": "a", "format": 1}
    members = {"a/1/manifest.json": json.dumps(manifest).encode(), "b/config.pbtxt": b""}
    with pytest.raises(SlipwayError, match="a/config.pbtxt is missing"):
        assert read_configs(plain(members), "key").interface
    manifest["sources"] = {"a/config.pbtxt": "0" * 64}
    members["a/1/manifest.json"] = json.dumps(manifest).encode()
    with pytest.raises(SlipwayError, match="a/config.pbtxt is missing"):
        read_configs(plain(members), "key")
    members["a/config.pbtxt"] = b"max_batch_size: 3 no"
    with pytest.raises(SlipwayError) as caught:
        assert read_configs(plain(members), "key").interface
    assert str(caught.value.where).startswith("key: a/config.pbtxt:1:")


def test_a_truncated_stream_is_refused(tiny: Path, environment: ExecutionEnvironment) -> None:
    whole = packed(tiny, environment).path.read_bytes()
    with pytest.raises(SlipwayError, match="not a complete tar.gz"):
        read_configs(io.BytesIO(whole[:300]), "key")
