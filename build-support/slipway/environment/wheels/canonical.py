"""Rewrite a wheel so that equal content has equal bytes."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip can hold
REGULAR = 0o100000


def write_canonical(wheel: Path, target: Path) -> None:
    """Write the files of ``wheel`` to ``target``: sorted, without times, owners or compression.

    The bytes of compressed files depend on the version of zlib. The order of RECORD's lines
    depends on the order of the builder's folders.
    """
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(target, "w") as canonical:
        members = {info.filename: info for info in source.infolist() if not info.is_dir()}
        # RECORD is the last one, as the wheel's specification recommends
        for name in sorted(members, key=lambda name: (name.endswith(".dist-info/RECORD"), name)):
            data = source.read(name)
            if name.endswith(".dist-info/RECORD"):
                data = _sort_record(data)
            executable = members[name].external_attr >> 16 & 0o100
            info = zipfile.ZipInfo(name, TIME)
            info.external_attr = (REGULAR | (0o755 if executable else 0o644)) << 16
            info.create_system = 3  # Unix, on every system
            canonical.writestr(info, data, zipfile.ZIP_STORED)


def _sort_record(data: bytes) -> bytes:
    rows = sorted(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8")
