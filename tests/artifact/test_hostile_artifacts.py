"""Archives made to do harm: refused with a word why, or unpacked inside of their folder."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

import slipway
from slipway.artifact.extract import InsufficientSpace, extract, unpacked_size
from slipway.errors import SlipwayError

MIB = 1 << 20


def header(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = "") -> bytes:
    """One header's block."""
    member = tarfile.TarInfo(name)
    member.type, member.size, member.linkname = kind, size, link
    return member.tobuf(tarfile.USTAR_FORMAT)


def file(name: str, data: bytes) -> bytes:
    """A file's header and blocks."""
    return header(name, size=len(data)) + data + bytes(-len(data) % 512)


def extended(kind: bytes, data: bytes) -> bytes:
    """A header that says something of the next one."""
    return header("x", kind, len(data)) + data + bytes(-len(data) % 512)


def pax(**said: str) -> bytes:
    """A pax header."""
    lines = b""
    for key, value in said.items():
        text = f" {key.replace('__', '.')}={value}\n".encode()
        length = len(text) + len(str(len(text) + 3))
        lines += str(length).encode() + text
    return extended(tarfile.XHDTYPE, lines)


END = bytes(1024)
HOSTILE: dict[str, bytes] = {
    "absolute": file("/slipway_escaped", b"x"),
    "dots": file("../../slipway_escaped", b"x"),
    "dots inside": file("a/../../../slipway_escaped", b"x"),
    "dots in a pax path": pax(path="../../slipway_escaped") + file("a", b"x"),
    "dots in a long name": extended(tarfile.GNUTYPE_LONGNAME, b"../" * 300 + b"slipway_escaped\0")
    + file("a", b"x"),
    "symbolic link": header("a", tarfile.SYMTYPE, link="/tmp") + file("a/slipway_escaped", b"x"),
    "hard link": header("a", tarfile.LNKTYPE, link="/etc/passwd"),
    "hard link to itself": header("a", tarfile.LNKTYPE, link="a"),
    "pax link": pax(linkpath="/etc/passwd") + header("a", tarfile.SYMTYPE, link="b"),
    "character device": header("a", tarfile.CHRTYPE),
    "block device": header("a", tarfile.BLKTYPE),
    "fifo": header("a", tarfile.FIFOTYPE),
    "contiguous": header("a", tarfile.CONTTYPE),
    "unknown kind": header("a", b"Z"),
    "name of 5000 characters": extended(tarfile.GNUTYPE_LONGNAME, b"x" * 5000 + b"\0")
    + file("a", b"x"),
    "part of 300 characters": pax(path="x" * 300) + file("a", b"x"),
    "NUL in a name": pax(path="a\0b") + file("a", b"x"),
    "no name": file("", b"x"),
    "dot": file(".", b"x"),
    "name that is no UTF-8": file("a", b"x").replace(b"a\0", b"\xff\0", 1),
    "file below a file": file("a", b"x") + file("a/b", b"x"),
    "folder where a file is": file("a", b"x") + header("a", tarfile.DIRTYPE),
    "file where a folder is": header("a", tarfile.DIRTYPE) + file("a", b"x"),
    "longer than it is": header("a", size=10 * MIB),
    "size below zero": header("a").replace(b"00000000000\0", b"\xff" * 12, 1),
    "size of a pax header that is no number": pax(size="many") + file("a", b"x"),
    "nested long names": extended(tarfile.GNUTYPE_LONGNAME, b"a\0") * 3000 + file("a", b"x"),
    "nested pax headers": pax(comment="x") * 3000 + file("a", b"x"),
    "huge pax header": extended(tarfile.XHDTYPE, bytes(50 * MIB)) + file("a", b"x"),
    "digits in a pax header": extended(tarfile.XHDTYPE, b"1" * MIB) + file("a", b"x"),
    "many global headers": b"".join(
        extended(tarfile.XGLTYPE, f"29 comment{n:06d}=xxxxxxxxxxx\n".encode()) + file("a", b"x")
        for n in range(3000)
    ),
    "sparse": header("a", tarfile.GNUTYPE_SPARSE),
    "sparse by pax 0.1": pax(GNU__sparse__map="a,b") + file("a", b"x"),
    "sparse by pax 1.0": pax(GNU__sparse__major="1", GNU__sparse__minor="0") + file("a", b"x\n1"),
    "charset that is none": pax(hdrcharset="BINARY", path="\u00e9") + file("a", b"x"),
    "checksum wrong": b"a" + bytes(511),
    "only zeros": bytes(10240),
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_refused_or_stay_inside(tmp_path: Path, name: str) -> None:
    into = tmp_path / "deep" / "er" / "into"
    _unpack(gzip.compress(HOSTILE[name] + END, 1), into)
    assert not Path("/slipway_escaped").exists() and not Path("/tmp/slipway_escaped").exists()
    outside = [p for p in tmp_path.rglob("*") if not p.is_relative_to(into)]
    assert {p.name for p in outside} <= {"deep", "er"}
    for path in into.rglob("*"):
        assert not path.is_symlink() and (path.is_file() or path.is_dir())
        assert not path.is_file() or path.stat().st_nlink == 1


def _unpack(data: bytes, into: Path) -> None:
    try:
        extract(io.BytesIO(data), into, name="hostile", reserve=_at_most(5 * MIB))
    except SlipwayError as error:
        assert error.what


def _at_most(limit: int) -> Callable[[int], None]:
    taken = 0

    def reserve(size: int) -> None:
        nonlocal taken
        taken += size
        if taken > limit:
            raise InsufficientSpace("full")

    return reserve


@pytest.mark.parametrize("kind", ["zeros", "members", "globals", "folders"])
def test_bombs_stop_at_the_limit_and_take_no_memory(tmp_path: Path, kind: str) -> None:
    once = {
        "zeros": header("a", size=4 << 30) + bytes(MIB),
        "members": b"".join(file(f"f{n}", b"") for n in range(2048)),
        "globals": extended(tarfile.XGLTYPE, b"29 comment=xxxxxxxxxxxxxxxxx\n") + file("a", b""),
        "folders": b"".join(header(f"d{n}", tarfile.DIRTYPE) for n in range(2048)),
    }[kind]
    data = gzip.compress(once * (200 * MIB // len(once)), 1)
    path = tmp_path / "bomb.tar.gz"
    path.write_bytes(data)
    # its memory is its own: a child tells how much it took
    program = (
        "import re, sys; from pathlib import Path\n"
        "from slipway.artifact.extract import extract, unpacked_size\n"
        "from slipway.errors import SlipwayError\n"
        # VmHWM is this process's own; ru_maxrss begins with what its parent had
        "def peak():\n"
        "    return int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
        "before = peak()\n"
        "try: unpacked_size(Path(sys.argv[1]), limit=600 << 20)\n"
        "except SlipwayError as error: print(error, file=sys.stderr)\n"
        "print(peak() - before)"
    )
    library = str(Path(slipway.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env={"PYTHONPATH": library},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 50 * 1024  # KiB
    _unpack(data, tmp_path / "into")


whole = gzip.compress(
    file("model/config.pbtxt", b"name: 'x'") + file("model/1/a", b"x" * 999) + END
)


@given(
    cut=st.integers(0, len(whole)), flips=st.lists(st.integers(0, len(whole) * 8 - 1), max_size=4)
)
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_damage_is_told_as_an_error_or_does_none(
    tmp_path: Path, cut: int, flips: list[int]
) -> None:
    damaged = bytearray(whole)
    for bit in flips:
        damaged[bit // 8] ^= 1 << bit % 8
    _unpack(bytes(damaged[:cut]), tmp_path / "into")


def _half_way(plain: bytes) -> int:
    """Where the header of a member in the middle begins."""
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        members = tar.getmembers()
    return members[len(members) // 2].offset


MANY = b"".join(file(f"m/{n}", bytes([n])) for n in range(1, 9)) + END
HALF = _half_way(MANY)
# each is read without an error by tarfile, which ends early and never sees gzip's checksum
INCOMPLETE = {
    "header damaged": MANY[: HALF + 148] + b"\xff" + MANY[HALF + 149 :],
    "header zeroed": MANY[:HALF] + bytes(512) + MANY[HALF + 512 :],
    "header overwritten": MANY[:HALF] + b"x" * 512 + MANY[HALF + 512 :],
    "no end": MANY[: -len(END)],
    "ends in a header": MANY[: HALF + 100],
    "another archive after its end": MANY + MANY,
}


@pytest.mark.parametrize("checksum", ["of these bytes", "of the undamaged ones"])
@pytest.mark.parametrize("damage", INCOMPLETE)
def test_an_archive_that_ends_before_its_last_member_is_not_taken_for_complete(
    tmp_path: Path, damage: str, checksum: str
) -> None:
    data = bytearray(gzip.compress(INCOMPLETE[damage], 1))
    if checksum == "of the undamaged ones":
        data[-8:-4] = zlib.crc32(MANY).to_bytes(4, "little")
    for read in (
        lambda: extract(io.BytesIO(data), tmp_path / "into", name="damaged"),
        lambda: unpacked_size(io.BytesIO(data), name="damaged", limit=5 * MIB),
    ):
        with pytest.raises(SlipwayError, match="not a complete tar.gz"):
            read()


@pytest.mark.parametrize("at", [-8, -1])
def test_gzips_checksum_and_length_at_the_end_are_read(tmp_path: Path, at: int) -> None:
    data = bytearray(gzip.compress(MANY))
    extract(io.BytesIO(data), tmp_path / "good", name="good")
    assert len(list((tmp_path / "good" / "m").iterdir())) == 8
    data[at] ^= 1
    with pytest.raises(SlipwayError, match="not a complete tar.gz"):
        extract(io.BytesIO(data), tmp_path / "into", name="damaged")


blocks = st.one_of(
    st.builds(
        header,
        st.text(st.characters(codec="ascii"), max_size=60),
        st.binary(min_size=1, max_size=1),
        st.integers(0, 5000),
        st.text("ab/.", max_size=20),
    ),
    st.builds(extended, st.sampled_from([b"x", b"g", b"X", b"L", b"K"]), st.binary(max_size=700)),
    st.builds(file, st.text("ab/.", max_size=20), st.binary(max_size=600)),
    st.binary(min_size=512, max_size=512),
)


@given(st.lists(blocks, max_size=6))
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_blocks_are_an_archive_or_an_error(tmp_path: Path, made: list[bytes]) -> None:
    _unpack(gzip.compress(b"".join(made) + END, 1), tmp_path / "into")


def test_what_unpacked_size_says_is_what_extract_takes(tmp_path: Path) -> None:
    taken: list[int] = []
    extract(io.BytesIO(whole), tmp_path / "into", name="whole", reserve=taken.append)
    assert unpacked_size(io.BytesIO(whole), name="whole", limit=MIB) == sum(taken) == 8192
    with pytest.raises(InsufficientSpace):
        unpacked_size(io.BytesIO(whole), name="whole", limit=4096)


def test_room_is_asked_for_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InsufficientSpace):
        extract(io.BytesIO(whole), tmp_path / "into", name="whole", reserve=_at_most(4096))
    written = [path for path in (tmp_path / "into").rglob("*") if path.is_file()]
    assert [path.name for path in written] == ["config.pbtxt"]
