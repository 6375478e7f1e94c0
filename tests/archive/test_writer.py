"""The law of archives: what goes in comes out, and equal inputs give equal bytes."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from slipway.archive.segment import SEGMENT
from slipway.archive.writer import SHARED_BELOW, TarGzWriter, write_indexed

names = st.lists(
    st.text("abcdefäß0123_-.", min_size=1, max_size=60).filter(lambda s: s.strip(".") != ""),
    min_size=1,
    max_size=5,
).map(lambda parts: "/".join(f"d{part}" for part in parts[:-1]) + "/f" + parts[-1])
contents = st.one_of(
    st.binary(max_size=300),
    st.tuples(st.binary(min_size=1, max_size=9), st.integers(1, 2 * SEGMENT)).map(
        lambda pair: (pair[0] * (pair[1] // len(pair[0]) + 1))[: pair[1]]
    ),
    st.sampled_from(
        [0, 1, 511, 512, 513, SHARED_BELOW - 1, SHARED_BELOW, SEGMENT - 1, SEGMENT, SEGMENT + 1]
    ).map(lambda size: bytes(range(256)) * (size // 256) + b"x" * (size % 256)),
)
trees = st.dictionaries(names, contents, max_size=6)


def packed(tree: dict[str, bytes], threads: int | None = None) -> bytes:
    out = io.BytesIO()
    with TarGzWriter(out, threads=threads) as writer:
        for name, data in sorted(tree.items()):
            writer.add_bytes(name, data)
    return out.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        return {m.name: tar.extractfile(m).read() for m in tar if m.isfile()}  # type: ignore[union-attr]


@given(trees)
@settings(max_examples=40, deadline=None)
def test_what_is_packed_is_unpacked(tree: dict[str, bytes]) -> None:
    assert unpacked(packed(tree)) == tree


@given(trees)
@settings(max_examples=20, deadline=None)
def test_the_number_of_threads_does_not_change_the_bytes(tree: dict[str, bytes]) -> None:
    assert packed(tree, threads=1) == packed(tree, threads=7)


@given(trees)
@settings(max_examples=40, deadline=None)
def test_members_move_into_another_archive_under_a_prefix(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, bytes]
) -> None:
    inner = tmp_path_factory.mktemp("inner") / "inner.tar.gz"
    with inner.open("wb") as file:
        writer = TarGzWriter(file)
        for name, data in sorted(tree.items()):
            writer.add_bytes(name, data, 0o755)
        writer.close()
    write_indexed(inner, writer)
    out = io.BytesIO()
    with TarGzWriter(out) as outer:
        outer.add_bytes("before", b"first")
        outer.add_members(inner, "model/env/")
        outer.add_bytes("zafter", b"last")
    expected = {f"model/env/{name}": data for name, data in tree.items()}
    assert unpacked(out.getvalue()) == {"before": b"first", "zafter": b"last", **expected}
    with tarfile.open(fileobj=io.BytesIO(out.getvalue())) as tar:
        assert all(m.mode == 0o755 for m in tar if m.name.startswith("model/env/"))


def test_gnu_tar_reads_it_and_incompressible_data_is_stored(tmp_path: Path) -> None:
    noise = __import__("random").Random(7).randbytes(3 * SEGMENT + 17)
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(packed({"d/noise": noise, "d/zeros": bytes(5 * SEGMENT)}))
    assert len(noise) < archive.stat().st_size < 1.01 * len(noise) + 20_000
    subprocess.run(["tar", "xzf", archive, "-C", tmp_path], check=True)
    assert (tmp_path / "d/noise").read_bytes() == noise
    assert (tmp_path / "d/zeros").read_bytes() == bytes(5 * SEGMENT)
    subprocess.run(["gzip", "-t", archive], check=True)


def test_a_file_is_added_as_its_bytes_are(tmp_path: Path) -> None:
    data = bytes(range(256)) * 9000
    (tmp_path / "big").write_bytes(data)
    out = io.BytesIO()
    with TarGzWriter(out) as writer:
        writer.add_file("x/big", tmp_path / "big")
    assert out.getvalue() == packed({"x/big": data})
