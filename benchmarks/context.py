"""Provide the sample model of this repository, built once for all benchmarks."""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks import recipe
from slipway import build, settings
from slipway.artifact.extract import extract
from slipway.model.folded import FOLDER as FOLDED
from slipway.model.folder import ModelFolder, read_model_folder
from slipway.settings import Layout, Settings

ROOT = Path(__file__).parent.parent
NAME = "screen_detection"


@dataclass(frozen=True)
class BenchmarkContext:
    """The model under measurement and the options of a run.

    ``work`` is a folder for all outputs; ``quick`` requests fewer repetitions; ``limit`` is the
    number of operators to measure.
    """

    work: Path
    quick: bool
    limit: int | None = None

    @cached_property
    def settings(self) -> Settings:
        """Return the repository's settings."""
        return settings.load(ROOT)

    @cached_property
    def model(self) -> ModelFolder:
        """Return the sample model."""
        return read_model_folder(ROOT / "models" / NAME)

    @cached_property
    def artifact(self) -> Path:
        """Return its artifact in the default layout: the environment unpacked."""
        return self._build("directory")

    @cached_property
    def archive_artifact(self) -> Path:
        """Return its artifact in the archive layout."""
        return self._build("archive")

    @cached_property
    def recipe_artifact(self) -> Path:
        """Return the artifact that today's recipe builds from the same packages.

        Its model is as it was written, with pre- and postprocessing in Python: folding a model's
        postprocessing into its graph is no part of the recipe.
        """
        folder = self.work / "as written" / NAME
        shutil.copytree(self.model.path, folder, ignore=shutil.ignore_patterns(FOLDED))
        shutil.copytree(self.model.path / FOLDED, folder, dirs_exist_ok=True)
        return recipe.build(read_model_folder(folder), self.settings, self.work / "recipe")

    @cached_property
    def unpacked(self) -> Path:
        """Return the folder with the extracted :attr:`artifact`."""
        folder = self.work / "unpacked"
        extract(self.artifact, folder)
        return folder

    def repeats(self, usual: int) -> int:
        """Return how often to measure: ``usual``, or less in a quick run."""
        return min(usual, 2) if self.quick else usual

    def _build(self, layout: Layout) -> Path:
        configured = dataclasses.replace(self.settings, layout=layout)
        return build.build(self.model.path, configured, self.work / layout).path
