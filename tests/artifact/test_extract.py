"""Nothing is written outside of the folder that an artifact is unpacked into."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from slipway.artifact.extract import extract
from slipway.errors import SlipwayError


def archive(path: Path, name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, link
        member.size = 4 if kind == tarfile.REGTYPE else 0
        tar.addfile(member, io.BytesIO(b"data") if member.size else None)
    return path


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "a/../../outside"])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    made = archive(tmp_path / "a.tar.gz", name)
    into = tmp_path / "deep" / "into"
    try:
        extract(made, into)
    except SlipwayError as error:
        assert error.fix
    assert not [p for p in tmp_path.rglob("outside") if not p.is_relative_to(into)]
    assert not Path("/tmp/outside").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    made = archive(tmp_path / "a.tar.gz", "model/link", kind, "/etc/passwd")
    with pytest.raises(SlipwayError, match="neither a file nor a folder"):
        extract(made, tmp_path / "into")


@pytest.mark.parametrize("content", [b"", b"no gzip", b"\x1f\x8b\x08\x00"])
def test_what_is_no_tar_gz_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises(SlipwayError, match="not a complete tar.gz"):
        extract(tmp_path / "a.tar.gz", tmp_path / "into")


def test_a_cut_off_artifact_is_said_to_be_cut(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar.gz", "model/file")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SlipwayError, match="not a complete tar.gz"):
        extract(path, tmp_path / "into")
