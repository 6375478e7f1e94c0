"""A model's artifact, and the one that production serves."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from slipway import build as builds
from slipway.artifact.artifact import Artifact
from slipway.artifact.contents import Contents, read_contents
from slipway.catalog import keys
from slipway.catalog.catalog import Catalog
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.model import folder as repository
from slipway.settings import Settings
from slipway.store.interface import Reader
from slipway.store.open import open_stage


@dataclass(frozen=True)
class Sources:
    """Where a report gets its parts: ``artifact`` of the one model, or ``artifacts``, a folder of
    them; what is not there is built into ``dist``. ``reports`` are JUnit files and folders."""

    artifact: Path | None = None
    artifacts: Path | None = None
    reports: Sequence[Path] = ()


class Found:
    """A model's artifact, and production's."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        sources: Sources,
        room: Path,
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.name = folder.resolve().name
        self.sources = sources
        self.problems: dict[str, str] = {}
        self.artifact: Artifact | None = None
        self.contents: Contents | None = None
        self.record: Record | None = None
        self.served_artifact: Artifact | None = None
        self.served_contents: Contents | None = None
        with self.part("artifact"):
            self.artifact = _artifact(settings, folder, sources)
        with self.part("production"):
            production = open_stage(settings, "production")
            self.record = _record(production, self.name)
        if self.artifact is None or self.unchanged:
            return
        with self.part("artifact"):
            self.contents = read_contents(self.artifact.path)
        with self.part("production"):
            if self.record is not None:
                self.served_artifact = _fetched(production, self.record.target, room)
                self.served_contents = read_contents(self.served_artifact.path)

    @property
    def unchanged(self) -> bool:
        """Whether production serves the very same bytes."""
        return (
            self.artifact is not None
            and self.record is not None
            and self.record.sha256 == self.artifact.sha256
        )

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Whatever goes wrong in the block is the problem of this part, and of no other."""
        try:
            yield
        except SlipwayError as error:
            self.problems[name] = str(error)
        except Exception as error:
            self.problems[name] = f"this is a bug in slipway: {error!r}"


@contextmanager
def room_for_artifacts() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="slipway-report-") as folder:
        yield Path(folder)


def _artifact(settings: Settings, folder: Path, sources: Sources) -> Artifact:
    if sources.artifact is not None:
        return Artifact(sources.artifact)
    if sources.artifacts is not None:
        there = sources.artifacts / repository.read(folder).artifact_name
        if there.is_file():
            return Artifact(there)
    return builds.build(folder, settings, Path("dist"))


def _record(production: Reader, name: str) -> Record | None:
    catalog = Catalog(production, "production")
    alias = catalog.find_alias(name)
    return None if alias is None else catalog.record(name, alias.target)


def _fetched(production: Reader, target: str, room: Path) -> Artifact:
    file = room / "production.tar.gz"
    with production.open(keys.artifact("production", target)) as stream, file.open("wb") as out:
        shutil.copyfileobj(stream, out, 1 << 20)
    return Artifact(file)
