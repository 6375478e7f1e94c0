"""An artifact's file, with its digest, size, manifest and configs."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from slipway.artifact.configs import Configs, read_configs
from slipway.artifact.manifest import Manifest
from slipway.files import sha256_of
from slipway.model.interface import Interface

CHECKSUM = ".sha256"


class Artifact:
    """An artifact, ``<name>_<release version>.tar.gz``, at ``path``.

    Each value is read once, when it is first needed. A caller that has a value already passes it
    in, as packing does.
    """

    def __init__(
        self,
        path: Path,
        *,
        sha256: str | None = None,
        size: int | None = None,
        manifest: Manifest | None = None,
        configs: Configs | None = None,
    ) -> None:
        self.path = path
        values = {"sha256": sha256, "size": size, "manifest": manifest, "configs": configs}
        # cached_property looks here first
        self.__dict__.update({name: value for name, value in values.items() if value is not None})

    @cached_property
    def sha256(self) -> str:
        """Return the SHA-256 that building recorded next to the file, else that of its bytes."""
        return recorded_sha256(self.path) or sha256_of(self.path)

    @cached_property
    def size(self) -> int:
        """Return the file's size in bytes."""
        return self.path.stat().st_size

    @cached_property
    def configs(self) -> Configs:
        """Return the manifest and the configs; little is decompressed for them.

        Raises:
            SlipwayError: the file is not a Slipway artifact.
        """
        return read_configs(self.path)

    @cached_property
    def manifest(self) -> Manifest:
        """Return the manifest.

        Raises:
            SlipwayError: the file is not a Slipway artifact.
        """
        return self.configs.manifest

    @property
    def interface(self) -> Interface:
        """Return the interface of the served model.

        Raises:
            SlipwayError: the file is not a Slipway artifact, or lacks a valid config of that model.
        """
        return self.configs.interface


def recorded_sha256(path: Path) -> str | None:
    """Return the SHA-256 that building recorded next to an artifact, or ``None``."""
    checksum = _checksum_file(path)
    return checksum.read_text(encoding="utf-8").split()[0] if checksum.exists() else None


def record_checksum(artifact: Artifact) -> None:
    """Write the digest next to the artifact, in the format that ``sha256sum --check`` reads."""
    line = f"{artifact.sha256}  {artifact.path.name}\n"
    _checksum_file(artifact.path).write_text(line, encoding="utf-8")


def _checksum_file(path: Path) -> Path:
    return path.with_name(path.name + CHECKSUM)
