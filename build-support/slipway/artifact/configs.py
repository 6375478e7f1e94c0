"""The configs in an artifact, read from its bytes as far as is needed."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, NamedTuple

from slipway.archive import open_tar
from slipway.artifact import manifest
from slipway.artifact.manifest import Manifest
from slipway.errors import SlipwayError
from slipway.triton import config


class Configs(NamedTuple):
    """An artifact's manifest and the texts of its ``config.pbtxt``, by the model's name."""

    manifest: Manifest
    texts: dict[str, str]


def names(made: Manifest) -> dict[str, str]:
    """The digest of each model's config that the manifest has, by the model's name."""
    found = {}
    for name, digest in made.sources.items():
        model, _, file = name.partition("/")
        if file == config.FILE_NAME:
            found[model] = digest
    return found


def read(artifact: Path | BinaryIO, name: str = "") -> Configs:
    """Those of ``artifact``, a file or a stream called ``name``.

    The manifest is an artifact's first file and names the configs; these come before the weights
    and the environment. Reading stops at the last of them.

    Raises:
        SlipwayError: it is no artifact of Slipway's, or cut short before that.
    """
    where = name or str(artifact)
    made: Manifest | None = None
    texts: dict[str, str] = {}
    with open_tar(artifact, name) as tar:
        for member in tar:
            stream = tar.extractfile(member) if member.isfile() else None
            if stream is None:
                continue
            if made is None:
                if not member.name.endswith(f"/{manifest.FILE_NAME}"):
                    break
                made = manifest.parse(stream.read(), where=f"{where}: {member.name}")
                missing = set(names(made))
            else:
                model, _, file = member.name.partition("/")
                if file == config.FILE_NAME:
                    texts[model] = stream.read().decode(errors="replace")
                    missing.discard(model)
            if not missing:
                return Configs(made, texts)
    raise SlipwayError(
        "no artifact of Slipway's: it does not hold the configs that its manifest names",
        where=where,
        fix="slipway build models/<name>",
    )
