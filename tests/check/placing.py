"""A model folder as it would lie on an endpoint's disk, whatever is wrong with it.

What packing takes, without packing's refusals: see ``slipway.artifact.pack``.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from slipway.artifact import manifest
from slipway.artifact.pack import ENVIRONMENT, PARAMETER
from slipway.errors import SlipwayError
from slipway.model import folder as repository
from slipway.model import weights
from slipway.model.folder import LEFT_OUT_ENDINGS, LEFT_OUT_NAMES
from slipway.server import cpu_fallback
from slipway.triton import config
from tests import fixture_models

ROOT = Path(__file__).parents[2]
# the server's own way to find the ensemble: sagemaker_server.h, platform_ensemble_regex_
FOUND = re.compile(r'platform:(\s)*"ensemble"')
ENSEMBLE = re.compile(r"""platform\s*:\s*["']ensemble""")


def place(folder: Path, into: Path) -> None:
    """Copy the model directories of ``folder``, with the weights behind pointers, to ``into``."""
    into.mkdir(parents=True)
    for directory in sorted(path.parent for path in folder.glob(f"*/{config.FILE_NAME}")):
        for file in sorted(directory.rglob("*")):
            if file.is_file() and _taken(file, folder):
                _copy(file, into / file.relative_to(folder))
        for pointer in directory.rglob("*.dvc"):
            _fetch(pointer, into / pointer.relative_to(folder).parent)
        text = (directory / config.FILE_NAME).read_text(encoding="utf-8", errors="replace")
        if f'"{PARAMETER}"' in text:
            fixture_models.environment(into / directory.name / ENVIRONMENT)
    for served in _served(folder):
        versions = [path for path in (into / served).iterdir() if path.name.isdigit()]
        last = max(versions, key=lambda path: int(path.name), default=into / served / "1")
        last.mkdir(exist_ok=True)
        (last / manifest.FILE_NAME).write_text("{}")
    try:
        cpu_fallback.to_cpu(into)
    except SlipwayError:
        pass  # the server refuses it as well


def by_chance(folder: Path) -> bool:
    """Whether the server serves whichever of several models its file system lists last."""
    found = [bool(FOUND.search(text)) for text in _texts(folder)]
    return len(found) > 1 and sum(found) != 1


def _texts(folder: Path) -> list[str]:
    configs = folder.glob(f"*/{config.FILE_NAME}")
    return [path.read_text(encoding="utf-8", errors="replace") for path in configs]


def _taken(file: Path, folder: Path) -> bool:
    parts = file.relative_to(folder).parts
    if any(part.startswith(".") or part == "__pycache__" for part in parts):
        return False
    return file.name not in LEFT_OUT_NAMES and not file.name.endswith(LEFT_OUT_ENDINGS)


def _copy(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, to)


def _fetch(pointer: Path, into: Path) -> None:
    try:
        read = weights.read(pointer)
        for part, cached in weights.Weights(ROOT).cached(read).items():
            place = into / pointer.stem / part if part else into / pointer.stem
            _copy(cached, place)
    except SlipwayError:
        pass  # then the weights are missing


def _served(folder: Path) -> list[str]:
    """Where packing puts its manifest: the model that the endpoint is to serve."""
    try:
        return [repository.read(folder).ensemble]
    except SlipwayError:
        configs = folder.glob(f"*/{config.FILE_NAME}")
        return [
            path.parent.name
            for path in configs
            if ENSEMBLE.search(path.read_text(encoding="utf-8", errors="replace"))
        ]
