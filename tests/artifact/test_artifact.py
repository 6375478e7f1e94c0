"""What is read of an artifact is read once, however many ask for it."""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from zlib_ng import gzip_ng

from slipway.artifact.artifact import Artifact, record_checksum
from slipway.artifact.configs import read_configs
from slipway.cli import main
from slipway.environment import ExecutionEnvironment
from tests.artifact.samples import packed

_opened: Counter[str] = Counter()
_counting = False


def _count(event: str, arguments: tuple[object, ...]) -> None:
    if _counting and event == "open":
        _opened[str(arguments[0])] += 1


sys.addaudithook(_count)


@pytest.fixture
def opened() -> Iterator[Counter[str]]:
    """How often each file was opened since."""
    global _counting
    _opened.clear()
    _counting = True
    yield _opened
    _counting = False


@pytest.fixture
def decompressed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The archives that were decompressed since, in their order."""
    started: list[str] = []

    class Counted(gzip_ng.GzipNGFile):
        def __init__(self, filename: object = None, *, fileobj: object = None) -> None:
            started.append(str(filename))
            super().__init__(filename, fileobj=fileobj)  # type: ignore[no-untyped-call]

    monkeypatch.setattr("slipway.archive.reader.gzip_ng.GzipNGFile", Counted)
    return started


def test_publishing_decompresses_the_artifact_once_and_reads_its_bytes_once(
    tiny: Path,
    environment: ExecutionEnvironment,
    decompressed: list[str],
    opened: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    artifact = packed(tiny, environment)
    record_checksum(artifact)
    monkeypatch.chdir(tiny.parents[1])
    opened.clear()
    assert main(["publish", str(tiny), "--artifact", str(artifact.path)]) == 0
    assert len(decompressed) == 1
    # the second time for the bytes that the store copies, hashed on their way
    assert opened[str(artifact.path)] == 2


def test_each_value_is_read_when_it_is_first_asked_for_and_then_known(
    tiny: Path, environment: ExecutionEnvironment, decompressed: list[str]
) -> None:
    path = packed(tiny, environment).path
    artifact = Artifact(path)
    assert decompressed == []
    assert artifact.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert artifact.size == path.stat().st_size
    assert decompressed == []
    assert artifact.manifest.name == "tiny"
    assert artifact.interface.max_batch_size == 8
    assert set(artifact.configs.texts) == {path.split("/")[0] for path in artifact.manifest.sources}
    path.unlink()
    assert artifact.manifest.serves == "tiny_pipeline"
    assert artifact.interface is artifact.interface
    assert decompressed == [str(path)]


def test_what_packing_knows_is_what_its_file_says(
    tiny: Path, environment: ExecutionEnvironment
) -> None:
    made = packed(tiny, environment)
    read = Artifact(made.path)
    assert (made.sha256, made.size) == (read.sha256, read.size)
    assert json.loads(made.manifest.dump()) == json.loads(read.manifest.dump())
    assert read.configs == read_configs(made.path)


def test_the_digest_that_building_recorded_spares_the_hashing(
    tiny: Path, environment: ExecutionEnvironment, opened: Counter[str]
) -> None:
    made = packed(tiny, environment)
    record_checksum(made)
    opened.clear()
    assert Artifact(made.path).sha256 == made.sha256
    assert opened[str(made.path)] == 0
