"""The folders that SageMaker gives a container, and what it finds there.

Sources: "How Amazon SageMaker AI Provides Training Information" and "How Amazon SageMaker
Processing Configures Your Container". ``SAGEMAKER_BASE_DIR`` names another base, as AWS's own
``sagemaker-training`` has it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError

BASE, OPT_ML = "SAGEMAKER_BASE_DIR", "/opt/ml"
LONGEST_REASON = 1024  # characters that SageMaker takes of output/failure
FIX = "start the job with slipway train, which writes its request"


@dataclass(frozen=True)
class ContainerFolders:
    """SageMaker's folders below ``base``."""

    base: Path

    @property
    def model(self) -> Path:
        """Return where a training job leaves what becomes model.tar.gz."""
        return self.base / "model"

    @property
    def checkpoints(self) -> Path:
        """Return the folder that outlives an interruption."""
        return self.base / "checkpoints"

    @property
    def processing_output(self) -> Path:
        """Return where a processing job leaves its results."""
        return self.base / "processing" / "output"

    def channel(self, name: str) -> Path:
        """Return the folder of a training job's channel."""
        return self.base / "input" / "data" / name

    def processing_input(self, name: str) -> Path:
        """Return the folder of a processing job's input."""
        return self.base / "processing" / "input" / name

    def hyperparameters(self) -> dict[str, str]:
        """Return the training job's hyperparameters: texts by name.

        Raises:
            SlipwayError: they are missing or damaged.
        """
        values = self._load("input/config/hyperparameters.json")
        return {str(name): str(value) for name, value in values.items()}

    def channels(self) -> list[str]:
        """Return the names of the training job's channels.

        Raises:
            SlipwayError: the list is missing or damaged.
        """
        return sorted(self._load("input/config/inputdataconfig.json"))

    def resources(self) -> Mapping[str, Any]:
        """Return the job's hosts, and type of instance; empty where the platform gives none."""
        for path in ("input/config/resourceconfig.json", "config/resourceconfig.json"):
            if (self.base / path).is_file():
                return self._load(path)
        return {}

    def write_failure(self, text: str) -> None:
        """Leave the reason of a failure where SageMaker reads it: of a training job, and of a
        processing job."""
        for name in ("failure", "message"):
            path = self.base / "output" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text[:LONGEST_REASON], encoding="utf-8")

    def _load(self, path: str) -> dict[str, Any]:
        try:
            values = json.loads((self.base / path).read_text(encoding="utf-8"))
            if not isinstance(values, dict):
                raise ValueError("not an object")
            return values
        except (OSError, ValueError) as error:
            raise SlipwayError(
                f"not what SageMaker writes: {error}", where=str(self.base / path), fix=FIX
            ) from error


def container_folders() -> ContainerFolders:
    """Return the folders of the container that this process runs in."""
    return ContainerFolders(Path(os.environ.get(BASE, OPT_ML)))


def parse_values(arguments: Sequence[str]) -> dict[str, str]:
    """Return a processing job's arguments, ``NAME=VALUE``, as texts by name.

    Raises:
        SlipwayError: one has no ``=``.
    """
    for argument in arguments:
        if "=" not in argument:
            raise SlipwayError(f"{argument!r} is not NAME=VALUE", fix=FIX)
    return dict(argument.split("=", 1) for argument in arguments)
