"""Pack a scaffold's artifact with an environment that needs no package index."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import PIL

from slipway import build
from slipway.archive.writer import TarGzWriter, write_indexed
from slipway.artifact.pack import pack
from slipway.environment import ExecutionEnvironment, Package
from slipway.environment.environment import ARCHIVE, save_environment
from slipway.model.folder import read_model_folder
from tests import fixture_models


def environment(folder: Path) -> ExecutionEnvironment:
    """Write an environment of links to this interpreter, numpy and Pillow, as a build writes it."""
    prefix = folder / "prefix"
    fixture_models.environment(prefix)
    site = next(prefix.glob("lib/python*/site-packages"))
    (site / "pillow.pth").write_text(str(Path(PIL.__file__).parent.parent), encoding="utf-8")
    archive = folder / ARCHIVE
    files = sorted(path for path in prefix.rglob("*") if path.is_file())
    with archive.open("wb") as out, TarGzWriter(out) as writer:
        for path in files:
            name = path.relative_to(prefix).as_posix()
            writer.add_file(name, path, path.stat().st_mode & 0o777)
    write_indexed(archive, writer)
    result = ExecutionEnvironment(
        folder=folder,
        sha256=hashlib.sha256(archive.read_bytes()).hexdigest(),
        python="3.12.1",
        platform="linux-64",
        interpreter="of the tests",
        packages=(Package("numpy", np.__version__, "pip"),),
        lock="0" * 64,
        size=archive.stat().st_size,
        unpacked=sum(path.stat().st_size for path in files),
        files=len(files),
    )
    save_environment(result)
    return result


def artifact(folder: Path, environment: ExecutionEnvironment) -> Path:
    """Pack a model folder and return the artifact."""
    model = read_model_folder(folder)
    return pack(
        model,
        environment,
        build.local_weights(model, folder.parents[1]),
        folder.parents[1] / model.artifact_name,
    ).path
