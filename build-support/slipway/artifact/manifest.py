"""The manifest inside an artifact: what it was made from. Equal inputs, equal manifest.

It lies at ``<ensemble>/<model version>/manifest.json``, which also keeps the ensemble's version
directory in the tar: without a file in it Triton says "at least one version must be available".

The commit is not in it: a commit that changes one model would change every artifact. It holds the
digest of each source instead, and the release's record names the commit that published it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from slipway.archive import open_tar
from slipway.errors import SlipwayError

FILE_NAME = "manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """``sources`` maps a packed file to its SHA-256, ``weights`` one to its md5 and bytes.

    ``environment`` is ``None`` for a model without Python models; else it says layout, path in the
    artifact, Python, platform, where the interpreter came from, digests and packages.
    """

    name: str
    version: str
    serves: str
    sources: dict[str, str]
    weights: dict[str, dict[str, Any]]
    environment: dict[str, Any] | None
    builder: str
    format: int = field(default=FORMAT)

    def dump(self) -> bytes:
        """The bytes of ``manifest.json``."""
        return (json.dumps(asdict(self), indent=1, sort_keys=True) + "\n").encode()


def parse(data: bytes, *, where: str) -> Manifest:
    """The manifest that :meth:`Manifest.dump` wrote.

    Raises:
        SlipwayError: it is none, or of a format that this Slipway does not know.
    """
    try:
        values = json.loads(data)
        if values["format"] != FORMAT:
            raise SlipwayError(
                f"manifest of format {values['format']}, this Slipway reads {FORMAT}",
                where=where,
                fix="use the Slipway of the commit that built it",
            )
        return Manifest(**values)
    except (ValueError, KeyError, TypeError) as error:
        raise SlipwayError(f"its {FILE_NAME} is damaged: {error}", where=where) from error


def read(artifact: Path) -> Manifest:
    """The manifest of an artifact. It is the first file in it, so little is decompressed.

    Raises:
        SlipwayError: the file is no artifact of Slipway's.
    """
    with open_tar(artifact) as tar:
        for member in tar:
            if not member.isfile():
                continue
            if member.name.endswith("/" + FILE_NAME):
                content = tar.extractfile(member)
                assert content is not None  # it is a regular file
                return parse(content.read(), where=f"{artifact}: {member.name}")
            break
    raise SlipwayError(
        f"no artifact of Slipway's: its first file is no {FILE_NAME}",
        where=str(artifact),
        fix="slipway build models/<name>",
    )
