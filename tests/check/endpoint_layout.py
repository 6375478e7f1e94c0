"""Lay out a model folder as on an endpoint's disk, even if it has mistakes.

It holds the files that packing takes, without packing's checks: see ``slipway.artifact.pack``.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from pathlib import Path

from slipway.artifact import manifest
from slipway.environment.shared.requirements import named_folders
from slipway.errors import SlipwayError
from slipway.model.folder import LEFT_OUT_ENDINGS, LEFT_OUT_NAMES, read_model_folder
from slipway.model.pointer import load_pointer
from slipway.model.weights import Weights
from slipway.server import cpu_fallback
from slipway.triton import config
from slipway.triton.environment_path import ENVIRONMENT, PARAMETER
from tests import fixture_models
from tests.check.fixture_repositories import is_checkout

ROOT = Path(__file__).parents[2]
# how the server finds the ensemble: sagemaker_server.h, platform_ensemble_regex_
SERVED_ENSEMBLE = re.compile(r'platform:(\s)*"ensemble"')
ENSEMBLE = re.compile(r"""platform\s*:\s*["']ensemble""")


def copy_as_packed(folder: Path, into: Path) -> None:
    """Copy the model directories of ``folder``, with the weights behind pointers, to ``into``."""
    if not is_checkout(folder.parents[1]):  # nothing is packed: the server gets what lies there
        shutil.copytree(folder, into)
        return
    into.mkdir(parents=True)
    for directory in sorted(path.parent for path in folder.glob(f"*/{config.FILE_NAME}")):
        for file in sorted(directory.rglob("*")):
            if file.is_file() and _is_packed(file, folder):
                _copy(file, into / file.relative_to(folder))
        for pointer in directory.rglob("*.dvc"):
            _fetch(pointer, into / pointer.relative_to(folder).parent)
        text = (directory / config.FILE_NAME).read_text(encoding="utf-8", errors="replace")
        if f'"{PARAMETER}"' in text:
            fixture_models.environment(into / directory.name / ENVIRONMENT)
        for package in named_folders(folder / "requirements.txt"):
            # the servers' environment lacks the packages of a fixture's repository
            shutil.copytree(package / "src", into / directory.name, dirs_exist_ok=True)
    for name in _served_models(folder):
        versions = [path for path in (into / name).iterdir() if path.name.isdigit()]
        last = max(versions, key=lambda path: int(path.name), default=into / name / "1")
        last.mkdir(exist_ok=True)
        (last / manifest.FILE_NAME).write_text("{}")
    with contextlib.suppress(SlipwayError):  # the server refuses such a config as well
        cpu_fallback.to_cpu(into)


def is_served_by_chance(folder: Path) -> bool:
    """Return whether the server serves the model that its file system lists last."""
    matches = [bool(SERVED_ENSEMBLE.search(text)) for text in _texts(folder)]
    return len(matches) > 1 and sum(matches) != 1


def _texts(folder: Path) -> list[str]:
    configs = folder.glob(f"*/{config.FILE_NAME}")
    return [path.read_text(encoding="utf-8", errors="replace") for path in configs]


def _is_packed(file: Path, folder: Path) -> bool:
    parts = file.relative_to(folder).parts
    if any(part.startswith(".") or part == "__pycache__" for part in parts):
        return False
    return file.name not in LEFT_OUT_NAMES and not file.name.endswith(LEFT_OUT_ENDINGS)


def _copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)


def _fetch(pointer: Path, into: Path) -> None:
    with contextlib.suppress(SlipwayError):  # then the weights are missing
        parsed = load_pointer(pointer)
        for part, cached in Weights(ROOT).cached(parsed).items():
            _copy(cached, into / pointer.stem / part if part else into / pointer.stem)


def _served_models(folder: Path) -> list[str]:
    """Return the models into which packing writes its manifest: those that may be served."""
    try:
        return [read_model_folder(folder).ensemble]
    except SlipwayError:
        configs = folder.glob(f"*/{config.FILE_NAME}")
        return [
            path.parent.name
            for path in configs
            if ENSEMBLE.search(path.read_text(encoding="utf-8", errors="replace"))
        ]
