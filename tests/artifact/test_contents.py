"""``inspect`` and ``diff`` tell what a reader asks."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.artifact.contents import read_contents
from slipway.artifact.diff import diff
from slipway.cli import main
from slipway.environment import ExecutionEnvironment
from slipway.errors import SlipwayError
from tests.artifact.samples import packed, write_environment, write_model


def test_equal_artifacts_have_no_difference(tiny: Path, environment: ExecutionEnvironment) -> None:
    made = read_contents(packed(tiny, environment).path)
    assert diff(made, made) == []


def test_each_kind_of_change_is_told_apart(
    tmp_path: Path, environment: ExecutionEnvironment
) -> None:
    before = read_contents(packed(write_model(tmp_path / "a"), environment).path)
    folder = write_model(tmp_path / "b", weights=b"better weights")
    (folder / "tiny_preprocessing/1/model.py").write_text("class TritonPythonModel: ...\n")
    file = folder / "tiny_inferencer/config.pbtxt"
    file.write_text(file.read_text().replace("8", "16"))
    (folder / "model_version.txt").write_text("1.3.0\n")
    newer = write_environment(tmp_path / "newer", numpy="1.26.5")
    changes = diff(before, read_contents(packed(folder, newer).path))
    assert [(change.part, change.name) for change in changes] == [
        ("release", "version"),
        ("weights", "tiny_inferencer/1/model.onnx"),
        ("packages", "numpy"),
        ("code", "tiny_preprocessing/1/model.py"),
        ("config", "tiny_inferencer/config.pbtxt"),
    ]
    assert changes[-1].detail is not None and "+max_batch_size: 16" in changes[-1].detail


def test_inspect_prints_signatures_and_provenance(
    tiny: Path, environment: ExecutionEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(packed(tiny, environment).path)
    assert main(["inspect", path]) == 0
    printed = capsys.readouterr().out
    for words in ("tiny_pipeline", "FP32", "numpy", "local CPython", "md5"):
        assert words in printed
    assert main(["inspect", "--json", path]) == 0
    assert json.loads(capsys.readouterr().out)["manifest"]["version"] == "1.2.0"


def test_a_foreign_archive_is_no_artifact(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "file", "file")
    with pytest.raises(SlipwayError, match="not a Slipway artifact"):
        read_contents(tmp_path / "a.tar.gz")


def _rewritten(artifact: Path, change: Callable[[bytes], bytes], checksum: bytes = b"") -> Path:
    """Write a copy whose content was changed, with gzip's ``checksum``, or the right one."""
    packed_again = bytearray(gzip.compress(change(gzip.decompress(artifact.read_bytes())), 1))
    if checksum:
        packed_again[-8:-4] = checksum
    copy = artifact.with_name("copy.tar.gz")
    copy.write_bytes(packed_again)
    return copy


def _offset(plain: bytes, name: str) -> int:
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        return tar.getmember(name).offset


def test_an_artifact_with_a_damaged_header_is_not_shown_in_part(
    tiny: Path, environment: ExecutionEnvironment
) -> None:
    artifact = packed(tiny, environment).path

    def damage(plain: bytes) -> bytes:
        at = _offset(plain, "tiny_inferencer/1/model.onnx") + 148
        return plain[:at] + bytes([plain[at] ^ 1]) + plain[at + 1 :]

    checksum = artifact.read_bytes()[-8:-4]
    with pytest.raises(SlipwayError, match="not a complete tar.gz"):
        read_contents(_rewritten(artifact, damage, checksum))


def test_an_artifact_that_ends_early_and_in_order_lacks_what_its_manifest_names(
    tiny: Path, environment: ExecutionEnvironment
) -> None:
    artifact = packed(tiny, environment).path

    def end_early(plain: bytes) -> bytes:
        return plain[: _offset(plain, "tiny_inferencer/1/model.onnx")] + bytes(1024)

    with pytest.raises(SlipwayError, match="its manifest names"):
        read_contents(_rewritten(artifact, end_early))


def test_an_artifact_other_than_the_recorded_one_is_not_shown(
    tiny: Path, environment: ExecutionEnvironment
) -> None:
    artifact = packed(tiny, environment).path
    artifact.write_bytes(gzip.compress(gzip.decompress(artifact.read_bytes()), 1))
    artifact.with_name(f"{artifact.name}.sha256").write_text(f"{'0' * 64}  {artifact.name}\n")
    with pytest.raises(SlipwayError, match="was recorded when it was built"):
        read_contents(artifact)
