"""Read an artifact in one pass: its manifest, its configs, each file's size and digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.archive.reader import open_tar, regular_files
from slipway.artifact.manifest import Manifest, parse_manifest, read_first_file
from slipway.errors import SlipwayError
from slipway.files import sha256_of, sha256_of_stream
from slipway.triton import config
from slipway.triton.config import ModelConfig


@dataclass(frozen=True)
class Contents:
    """The contents of the artifact ``path``: ``files`` maps a name to (bytes, SHA-256).

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
        """Return the files of the execution environment."""
        root = self.manifest.environment["path"] if self.manifest.environment else None
        return {
            name: file
            for name, file in self.files.items()
            if root is not None and (name == root or name.startswith(f"{root}/"))
        }

    def config(self, model: str) -> ModelConfig:
        """Return the parsed config of one model."""
        return config.parse_config(self.configs[model], where=f"{self.path}: {model}")


def read_contents(artifact: Path) -> Contents:
    """Read every file of ``artifact`` in one pass.

    Raises:
        SlipwayError: it is not a Slipway artifact, or is truncated.
    """
    configs: dict[str, str] = {}
    with open_tar(artifact) as tar:
        members = regular_files(tar)
        first, data = read_first_file(members, where=str(artifact))
        manifest = parse_manifest(data, where=f"{artifact}: {first}")
        files = {first: (len(data), hashlib.sha256(data).hexdigest())}
        for member, stream in members:
            if member.name.count("/") == 1 and member.name.endswith(f"/{config.FILE_NAME}"):
                data = stream.read()
                configs[member.name.split("/")[0]] = data.decode()
                files[member.name] = (member.size, hashlib.sha256(data).hexdigest())
                continue
            files[member.name] = (member.size, sha256_of_stream(stream))
    if manifest.serves not in configs:
        raise SlipwayError(
            f"not a complete Slipway artifact: {manifest.serves!r}, which it serves, is missing",
            where=str(artifact),
            fix="rebuild it",
        )
    size, sha256 = artifact.stat().st_size, sha256_of(artifact)
    return Contents(artifact, size, sha256, manifest, configs, files)
