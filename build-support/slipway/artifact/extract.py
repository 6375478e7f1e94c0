"""Unpacking an artifact, as the platform does before the server sees it."""

from __future__ import annotations

import tarfile
from pathlib import Path

from slipway.archive import open_tar
from slipway.errors import SlipwayError


def extract(artifact: Path, into: Path) -> None:
    """Unpack ``artifact`` into the folder ``into``, and nothing outside of it.

    Raises:
        SlipwayError: it is no whole ``tar.gz``, or a member would lie elsewhere, is a link or a
            device (Slipway packs plain files only).
    """
    into.mkdir(parents=True, exist_ok=True)
    with open_tar(artifact) as tar:
        for member in tar:
            if not (member.isfile() or member.isdir()):
                raise _refused(artifact, f"{member.name} is neither a file nor a folder")
            try:
                tar.extract(member, into, filter="data", set_attrs=member.isfile())
            except tarfile.FilterError as error:
                raise _refused(artifact, str(error)) from error


def _refused(artifact: Path, why: str) -> SlipwayError:
    return SlipwayError(
        f"not unpacked: {why}", where=str(artifact), fix="build it anew with slipway build"
    )
