"""Read an artifact in one pass: its manifest, its configs, each file's size and digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from slipway.archive.reader import open_tar, regular_files
from slipway.artifact.artifact import Artifact, recorded_sha256
from slipway.artifact.configs import Configs
from slipway.artifact.manifest import Manifest, parse_manifest, read_first_file
from slipway.errors import SlipwayError
from slipway.files import HashingReader, sha256_of_stream
from slipway.profile.profile import FILE_NAME as PROFILE
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
    def artifact(self) -> Artifact:
        """Return the artifact, with the values that were read."""
        return Artifact(
            self.path,
            sha256=self.sha256,
            size=self.size,
            manifest=self.manifest,
            configs=Configs(self.manifest, self.configs, str(self.path)),
        )

    @property
    def environment_files(self) -> dict[str, tuple[int, str]]:
        """Return the files of the execution environment."""
        root = self.manifest.environment["path"] if self.manifest.environment else None
        return {
            name: file
            for name, file in self.files.items()
            if root is not None and (name == root or name.startswith(f"{root}/"))
        }

    @property
    def profile(self) -> str | None:
        """Return the name of the reference profile; ``None`` if it was packed without one."""
        served = f"{self.manifest.serves}/"
        names = (name for name in self.files if name.startswith(served))
        return next((name for name in names if name.endswith(f"/{PROFILE}")), None)

    def config(self, model: str) -> ModelConfig:
        """Return the parsed config of one model."""
        return config.parse_config(self.configs[model], where=f"{self.path}: {model}")


def read_contents(artifact: Path) -> Contents:
    """Read every file of ``artifact`` in one pass.

    Raises:
        SlipwayError: it is not a Slipway artifact, is truncated or damaged, holds other files than
            its manifest says, or is not the file that building recorded next to it.
    """
    try:
        file = artifact.open("rb")
    except FileNotFoundError as error:
        raise SlipwayError("no such file", where=str(artifact)) from error
    with file:
        hashing = HashingReader(file)
        manifest, configs, files = _read_members(cast(BinaryIO, hashing), str(artifact))
        sha256, size = hashing.drain(), file.tell()
    if manifest.container is None and manifest.serves not in configs:
        raise SlipwayError(
            f"not a complete Slipway artifact: {manifest.serves!r}, which it serves, is missing",
            where=str(artifact),
            fix="rebuild it",
        )
    problems = _problems(manifest, files)
    if (recorded := recorded_sha256(artifact)) not in (None, sha256):
        problems.append(f"its SHA-256 is {sha256}, {recorded} was recorded when it was built")
    if problems:
        raise SlipwayError(
            f"not a complete Slipway artifact: {problems[0]}",
            where=str(artifact),
            fix="rebuild it or download it again",
        )
    return Contents(artifact, size, sha256, manifest, configs, files)


def _read_members(
    stream: BinaryIO, where: str
) -> tuple[Manifest, dict[str, str], dict[str, tuple[int, str]]]:
    """Return the manifest, the configs' texts, and each file's size and SHA-256."""
    configs: dict[str, str] = {}
    with open_tar(stream, where) as tar:
        members = regular_files(tar)
        first, data = read_first_file(members, where=where)
        manifest = parse_manifest(data, where=f"{where}: {first}")
        files = {first: (len(data), hashlib.sha256(data).hexdigest())}
        for member, content in members:
            if (
                manifest.container is None
                and member.name.count("/") == 1
                and member.name.endswith(f"/{config.FILE_NAME}")
            ):
                data = content.read()
                configs[member.name.split("/")[0]] = data.decode()
                files[member.name] = (member.size, hashlib.sha256(data).hexdigest())
                continue
            files[member.name] = (member.size, sha256_of_stream(content))
    return manifest, configs, files


def _problems(manifest: Manifest, files: Mapping[str, tuple[int, str]]) -> list[str]:
    """Return how ``files`` differ from those of the manifest; weights have another digest there."""
    problems = [
        f"{name} is not the file that its manifest names"
        for name, digest in manifest.sources.items()
        if name not in files or files[name][1] != digest
    ]
    problems += [
        f"{name} is missing, and its manifest names it"
        for name in manifest.weights
        if name not in files and not any(file.startswith(f"{name}/") for file in files)
    ]
    environment = manifest.environment
    if environment and environment["layout"] == "directory":
        sizes = [
            size for name, (size, _) in files.items() if name.startswith(f"{environment['path']}/")
        ]
        if (len(sizes), sum(sizes)) != (environment["files"], environment["unpacked"]):
            problems.append(
                f"its environment has {len(sizes):,} files of {sum(sizes):,} bytes, its manifest"
                f" names {environment['files']:,} of {environment['unpacked']:,}"
            )
    return problems
