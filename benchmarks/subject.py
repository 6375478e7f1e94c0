"""What is measured: the sample model of this repository, built once for all benchmarks."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks import recipe
from slipway import build, settings
from slipway.artifact.extract import extract
from slipway.model.folder import ModelFolder, read_model_folder
from slipway.settings import Layout, Settings

ROOT = Path(__file__).parent.parent
NAME = "screen_detection"


@dataclass(frozen=True)
class Subject:
    """``work`` is a folder for everything that is made; ``quick`` asks for fewer repetitions.

    ``limit`` is the number of operators to take.
    """

    work: Path
    quick: bool
    limit: int | None = None

    @cached_property
    def settings(self) -> Settings:
        """The repository's settings."""
        return settings.load(ROOT)

    @cached_property
    def model(self) -> ModelFolder:
        """The sample model."""
        return read_model_folder(ROOT / "models" / NAME)

    @cached_property
    def artifact(self) -> Path:
        """Its artifact as users get it: the environment unpacked."""
        return self._build("directory")

    @cached_property
    def archive_artifact(self) -> Path:
        """Its artifact in the other layout."""
        return self._build("archive")

    @cached_property
    def recipe_artifact(self) -> Path:
        """What today's recipe makes of the same model and packages."""
        return recipe.build(self.model, self.settings, self.work / "recipe")

    @cached_property
    def unpacked(self) -> Path:
        """The tree of :attr:`artifact`."""
        folder = self.work / "unpacked"
        extract(self.artifact, folder)
        return folder

    def repeats(self, usual: int) -> int:
        """How often to measure: ``usual``, or less when it has to be quick."""
        return min(usual, 2) if self.quick else usual

    def _build(self, layout: Layout) -> Path:
        configured = dataclasses.replace(self.settings, layout=layout)
        return build.build(self.model.path, configured, self.work / layout).path
