"""An artifact's manifest and configs, read from its first bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from slipway.archive.reader import open_tar, regular_files
from slipway.artifact.manifest import Manifest, parse_manifest, read_first_file
from slipway.errors import SlipwayError
from slipway.model.config_interface import interface_of_config
from slipway.model.interface import Interface
from slipway.triton import config


@dataclass(frozen=True)
class Configs:
    """An artifact's manifest and the text of each ``config.pbtxt``, by the model's name.

    ``where`` names the artifact in errors.
    """

    manifest: Manifest
    texts: Mapping[str, str]
    where: str

    @cached_property
    def interface(self) -> Interface:
        """Return the interface of the served model.

        Raises:
            SlipwayError: its config is missing, or not of Triton's schema.
        """
        served = self.manifest.serves
        if self.manifest.container is not None:
            return Interface(0, {}, {})  # its body has any form
        if served not in self.texts:
            raise _incomplete(self.where, [served])
        where = f"{self.where}: {served}/{config.FILE_NAME}"
        return interface_of_config(config.parse_config(self.texts[served], where=where))


def config_digests(manifest: Manifest) -> dict[str, str]:
    """Return the SHA-256 of each model's config that the manifest names, by the model's name."""
    digests: dict[str, str] = {}
    if manifest.container is not None:
        return digests
    for name, digest in manifest.sources.items():
        model, _, file = name.partition("/")
        if file == config.FILE_NAME:
            digests[model] = digest
    return digests


def read_configs(source: Path | BinaryIO, name: str = "") -> Configs:
    """Read the manifest and the configs of ``source``, a file or a stream called ``name``.

    The manifest is an artifact's first file and names the configs; these come before the weights
    and the environment. Reading stops at the last of them.

    Raises:
        SlipwayError: it is not a Slipway artifact, or is truncated before that.
    """
    where = name or str(source)
    texts: dict[str, str] = {}
    with open_tar(source, name, to_end=False) as tar:
        files = regular_files(tar)
        first, data = read_first_file(files, where=where)
        manifest = parse_manifest(data, where=f"{where}: {first}")
        missing = set(config_digests(manifest))
        while missing:
            member, stream = next(files, (None, None))
            if member is None or stream is None:
                raise _incomplete(where, sorted(missing))
            model, _, file = member.name.partition("/")
            if file == config.FILE_NAME:
                texts[model] = stream.read().decode(errors="replace")
                missing.discard(model)
    return Configs(manifest, texts, where)


def _incomplete(where: str, models: list[str]) -> SlipwayError:
    files = ", ".join(f"{model}/{config.FILE_NAME}" for model in models)
    return SlipwayError(
        f"not a complete Slipway artifact: {files} is missing",
        where=where,
        fix="slipway build models/<name>",
    )
