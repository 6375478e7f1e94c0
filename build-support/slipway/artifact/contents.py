"""One pass through an artifact: its manifest, its configs, each file's size and digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.archive import open_tar
from slipway.artifact import manifest
from slipway.artifact.manifest import Manifest
from slipway.errors import SlipwayError
from slipway.triton import config
from slipway.triton.config import ModelConfig

CHUNK = 1 << 20


@dataclass(frozen=True)
class Contents:
    """What is in the artifact ``path``: ``files`` maps a name to (bytes, SHA-256).

    ``configs`` are the texts of the ``config.pbtxt`` of each model in it. ``size`` and ``sha256``
    are the artifact's own.
    """

    path: Path
    size: int
    sha256: str
    manifest: Manifest
    configs: Mapping[str, str]
    files: Mapping[str, tuple[int, str]]

    @property
    def environment_files(self) -> dict[str, tuple[int, str]]:
        """The files that the execution environment brings."""
        place = self.manifest.environment["path"] if self.manifest.environment else None
        return {
            name: file
            for name, file in self.files.items()
            if place is not None and (name == place or name.startswith(f"{place}/"))
        }

    def config(self, model: str) -> ModelConfig:
        """The parsed config of one model."""
        return config.parse_text(self.configs[model], where=f"{self.path}: {model}")


def read(artifact: Path) -> Contents:
    """Read ``artifact`` once.

    Raises:
        SlipwayError: it is no artifact of Slipway's, or cut short.
    """
    served = manifest.read(artifact)
    configs: dict[str, str] = {}
    files: dict[str, tuple[int, str]] = {}
    with open_tar(artifact) as tar:
        for member in tar:
            stream = tar.extractfile(member) if member.isfile() else None
            if stream is None:
                continue
            if member.name.count("/") == 1 and member.name.endswith(f"/{config.FILE_NAME}"):
                data = stream.read()
                configs[member.name.split("/")[0]] = data.decode()
                files[member.name] = (member.size, hashlib.sha256(data).hexdigest())
                continue
            digest = hashlib.sha256()
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
            files[member.name] = (member.size, digest.hexdigest())
    if served.serves not in configs:
        raise SlipwayError(
            f"no artifact: it serves {served.serves!r}, which it does not hold",
            where=str(artifact),
            fix="build it anew",
        )
    with artifact.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Contents(artifact, artifact.stat().st_size, sha256, served, configs, files)
