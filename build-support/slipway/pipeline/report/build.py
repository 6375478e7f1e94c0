"""What a branch does to its models, beside what production serves: the merge request's report.

Every part of it is found on its own: one that cannot be is said, and hides no other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from slipway.artifact.contents import Contents
from slipway.artifact.diff import Change, diff
from slipway.catalog.origin import Origin, origin
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.pipeline.report import facts
from slipway.pipeline.report import measure as measuring
from slipway.pipeline.report.artifacts import Found, Sources, room_for_artifacts
from slipway.pipeline.report.facts import Findings, Proposed, Size
from slipway.pipeline.report.measure import Measured
from slipway.release import publish
from slipway.release.evaluation.evaluation import Compared
from slipway.release.evidence.test_result import Tested
from slipway.server import triton
from slipway.server.triton import Server
from slipway.settings import Settings

type Doing = Callable[[str], AbstractContextManager[None]]
"""Told what is going on, until its block ends."""


@dataclass(frozen=True)
class Served:
    """What production serves: ``since`` it was published there, in ISO 8601."""

    version: str
    target: str
    sha256: str
    commit: str | None
    since: str
    size: Size | None


@dataclass(frozen=True)
class ModelReport:
    """A model that the branch changes or adds; ``served`` is ``None`` if production has none.

    ``target`` is its target model in staging. ``problems`` are the parts that could not be found,
    by their name. Where ``failed``, nothing but problems is known: there is no artifact.
    """

    name: str
    version: str | None = None
    target: str | None = None
    sha256: str | None = None
    served: Served | None = None
    proposed: Proposed | None = None
    size: Size | None = None
    changes: tuple[Change, ...] = ()
    commits: tuple[str, ...] = ()
    measured: Measured | None = None
    metrics: tuple[Compared, ...] = ()
    notes: tuple[str, ...] = ()
    findings: Findings | None = None
    tested: Tested | None = None
    tries: tuple[tuple[str, str], ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    failed: bool = False


@dataclass(frozen=True)
class Report:
    """``unchanged`` are models whose artifact is the very one that production serves, ``deleted``
    those that the branch removes."""

    models: tuple[ModelReport, ...]
    unchanged: tuple[str, ...]
    deleted: tuple[str, ...]
    origin: Origin
    source: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether a model has no artifact, or one that does not load."""
        return any(model.failed or "measured" in model.problems for model in self.models)

    def as_json(self) -> dict[str, Any]:
        """Everything, for machines; times in seconds, sizes in bytes."""
        said: dict[str, Any] = _plain(asdict(self) | {"failed": self.failed})
        return said


def _plain(value: Any) -> Any:
    """Without what JSON has no number for: NaN and infinity become ``null``."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def make(
    settings: Settings,
    folders: Sequence[Path],
    deleted: Sequence[str] = (),
    *,
    sources: Sources = Sources(),
    seconds: float = measuring.SECONDS,
    doing: Doing = lambda _: nullcontext(),
) -> Report:
    """The report of the model ``folders`` and of those ``deleted``.

    ``seconds`` are for the latencies of each model; with 0 nothing is loaded.
    """
    models: list[ModelReport] = []
    unchanged: list[str] = []
    with ExitStack() as stack:
        servers = _Servers(settings, doing, stack)
        for folder in folders:
            with room_for_artifacts() as room:
                with doing(f"building {folder.name}"):
                    found = Found(settings, folder, sources, room)
                if found.unchanged:
                    unchanged.append(found.name)
                    continue
                server = servers.running() if seconds and found.contents else None
                models.append(_model(found, server, seconds, doing))
    return Report(
        tuple(models),
        tuple(unchanged),
        tuple(deleted),
        origin(settings.root),
        servers.source,
        tuple(servers.notes),
    )


class _Servers:
    """One server for all models, started for the first that needs it; another if it has died."""

    def __init__(self, settings: Settings, doing: Doing, stack: ExitStack) -> None:
        self.source: str | None = None
        self.notes: list[str] = []
        self._settings = settings
        self._doing = doing
        self._stack = stack
        self._server: Server | None = None

    def running(self) -> Server | None:
        """A server that answers; ``None`` where none starts, which the notes then say."""
        if self.notes or (self._server is not None and self._server.client.ready()):
            return self._server
        self._server = None
        try:
            with self._doing("starting Triton"):
                self._server = self._stack.enter_context(triton.start(self._settings))
            self.source = str(self._server.source)
        except SlipwayError as error:
            self.notes.append(f"nothing was measured from here on, there is no server: {error}")
        return self._server


def _model(found: Found, server: Server | None, seconds: float, doing: Doing) -> ModelReport:
    if found.artifact is None or found.contents is None:
        return ModelReport(found.name, problems=found.problems, failed=True)
    made, record = found.contents, found.record
    proposed = findings = measured = tested = evaluated = None
    changes: tuple[Change, ...] = ()
    commits: tuple[str, ...] = ()
    tries: tuple[tuple[str, str], ...] = ()
    sha256 = found.artifact.sha256
    target = publish.target_model(made.manifest, sha256, "staging")
    with found.part("changes"):
        if found.served_artifact is not None and found.served_contents is not None:
            changes = tuple(diff(found.served_contents, made))
            proposed = facts.proposed(found.served_artifact, found.artifact)
        commits = facts.commits(found.settings, found.folder, record)
    with found.part("check"):
        findings = facts.findings(found.settings, found.folder)
    with found.part("tests"):
        tested = facts.tested(found.settings, found.name, sha256, found.sources.reports)
    with found.part("metrics"):
        evaluated = facts.metrics(found.folder, found.artifact, record)
    with found.part("try it"):
        tries = facts.tries(found.settings, found.folder, target)
    if server is not None:
        with found.part("measured"), doing(f"measuring {found.name}"):
            measured = measuring.measure(
                server,
                found.folder,
                found.artifact.path,
                found.served_artifact.path if found.served_artifact else None,
                seconds,
            )
    return ModelReport(
        name=found.name,
        version=made.manifest.version,
        target=target,
        sha256=sha256,
        served=_served(record, found.served_contents),
        proposed=proposed,
        size=facts.size(made),
        changes=changes,
        commits=commits,
        measured=measured,
        metrics=evaluated.compared if evaluated else (),
        notes=evaluated.notes if evaluated else (),
        findings=findings,
        tested=tested,
        tries=tries,
        problems=found.problems,
    )


def _served(record: Record | None, made: Contents | None) -> Served | None:
    if record is None:
        return None
    size = None if made is None else facts.size(made)
    return Served(
        record.version, record.target, record.sha256, record.commit, record.published, size
    )
