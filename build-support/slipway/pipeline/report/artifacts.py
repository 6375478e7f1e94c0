"""A model's artifact, and the one that production serves."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from slipway.artifact.artifact import Artifact
from slipway.artifact.contents import Contents, read_contents
from slipway.build import build
from slipway.catalog import keys
from slipway.catalog.catalog import Catalog
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.model.folder import read_model_folder
from slipway.settings import Settings
from slipway.store.open import open_stage
from slipway.store.stage import StageReader


@dataclass(frozen=True)
class Sources:
    """A report's inputs: ``artifact`` of the only model, or ``artifacts``, a folder of them.

    A missing artifact is built into ``dist``. ``reports`` are JUnit files and folders.
    """

    artifact: Path | None = None
    artifacts: Path | None = None
    reports: Sequence[Path] = ()


class ModelArtifacts:
    """A model's artifact and production's, and the ``problems`` met, by the part of the report."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        sources: Sources,
        temporary: Path,
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.name = folder.resolve().name
        self.sources = sources
        self.problems: dict[str, str] = {}
        self.artifact: Artifact | None = None
        self.contents: Contents | None = None
        self.record: Record | None = None
        self.retired = False
        self.served_artifact: Artifact | None = None
        self.served_contents: Contents | None = None
        with self.part("artifact"):
            self.artifact = _find_or_build(settings, folder, sources)
        with self.part("production"):
            production = open_stage(settings, "production")
            self.record = _current_record(production, self.name)
            if self.record is None:
                self.retired = Catalog(production).retirement(self.name) is not None
        if self.artifact is None or self.unchanged:
            return
        with self.part("artifact"):
            self.contents = read_contents(self.artifact.path)
        with self.part("production"):
            if self.record is not None:
                self.served_artifact = _download(production, self.record.target, temporary)
                self.served_contents = read_contents(self.served_artifact.path)

    @property
    def unchanged(self) -> bool:
        """Return whether production serves the same bytes."""
        return (
            self.artifact is not None
            and self.record is not None
            and self.record.sha256 == self.artifact.sha256
        )

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Record what goes wrong in the block as the problem of this part only."""
        try:
            yield
        except SlipwayError as error:
            self.problems[name] = str(error)
        except Exception as error:
            self.problems[name] = f"this is a bug in slipway: {error!r}"


@contextmanager
def temporary_artifacts() -> Iterator[Path]:
    """Yield a folder for downloaded artifacts, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="slipway-report-") as folder:
        yield Path(folder)


def _find_or_build(settings: Settings, folder: Path, sources: Sources) -> Artifact:
    if sources.artifact is not None:
        return Artifact(sources.artifact)
    if sources.artifacts is not None:
        existing = sources.artifacts / read_model_folder(folder).artifact_name
        if existing.is_file():
            return Artifact(existing)
    return build(folder, settings, Path("dist"))


def _current_record(production: StageReader, name: str) -> Record | None:
    catalog = Catalog(production)
    alias = catalog.find_alias(name)
    return None if alias is None else catalog.record(name, alias.target)


def _download(production: StageReader, target: str, temporary: Path) -> Artifact:
    file = temporary / "production.tar.gz"
    with (
        production.store.open(keys.artifact("production", target)) as stream,
        file.open("wb") as out,
    ):
        shutil.copyfileobj(stream, out, 1 << 20)
    return Artifact(file)
