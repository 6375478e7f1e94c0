"""What an artifact's served model takes and gives, read from its bytes as far as is needed."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from slipway.archive import open_tar
from slipway.artifact import manifest
from slipway.errors import SlipwayError
from slipway.model.config_interface import interface_of_config
from slipway.model.interface import Interface
from slipway.triton import config


def interface(artifact: Path | BinaryIO, name: str = "") -> Interface:
    """The interface of the model that ``artifact``, a file or a stream called ``name``, serves.

    The manifest is an artifact's first file and names the served model; its configs come before
    its weights and environment. Reading stops at the served one.

    Raises:
        SlipwayError: it is no artifact of Slipway's, or cut short before that config.
    """
    where = name or str(artifact)
    wanted: str | None = None
    with open_tar(artifact, name) as tar:
        for member in tar:
            stream = tar.extractfile(member) if member.isfile() else None
            if stream is None:
                continue
            if wanted is None:
                if not member.name.endswith(f"/{manifest.FILE_NAME}"):
                    break
                made = manifest.parse(stream.read(), where=f"{where}: {member.name}")
                wanted = f"{made.serves}/{config.FILE_NAME}"
            elif member.name == wanted:
                text = stream.read().decode(errors="replace")
                return interface_of_config(config.parse_text(text, where=f"{where}: {wanted}"))
    raise SlipwayError(
        f"no artifact of Slipway's: it holds no {wanted or manifest.FILE_NAME}",
        where=where,
        fix="slipway build models/<name>",
    )
