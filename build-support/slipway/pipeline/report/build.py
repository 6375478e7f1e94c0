"""How a branch changes its models, compared with production: the merge request's report.

Each part is determined independently: a part that fails is reported, and does not hide the others.
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
from slipway.catalog.origin import Origin, current_origin
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.pipeline.report import facts, measure
from slipway.pipeline.report.artifacts import ModelArtifacts, Sources, temporary_artifacts
from slipway.pipeline.report.facts import Findings, ProposedVersion, Size, TrainingFacts
from slipway.pipeline.report.measure import TritonMeasurement
from slipway.release import publish
from slipway.release.evaluation.evaluation import MetricComparison
from slipway.release.evidence.test_result import TestResult
from slipway.server import triton
from slipway.server.server import Server
from slipway.settings import Settings

NO_SOURCES = Sources()

type Doing = Callable[[str], AbstractContextManager[None]]
"""Shows a description of the current work until its block ends."""


@dataclass(frozen=True)
class CurrentRelease:
    """The release in production: ``since`` is when it was published there, in ISO 8601."""

    version: str
    target: str
    sha256: str
    commit: str | None
    since: str
    size: Size | None


@dataclass(frozen=True)
class ModelReport:
    """A model that the branch changes or adds; ``served`` is ``None`` if production has no release.

    ``target`` is its target model in staging. ``problems`` are errors by the part of the report
    that they prevent. Where ``failed``, there is no artifact, and only problems are known.
    ``retired``: production served it once, and a promotion does not serve it again.
    """

    name: str
    version: str | None = None
    target: str | None = None
    sha256: str | None = None
    served: CurrentRelease | None = None
    proposed: ProposedVersion | None = None
    size: Size | None = None
    changes: tuple[Change, ...] = ()
    commits: tuple[str, ...] = ()
    measured: TritonMeasurement | None = None
    metrics: tuple[MetricComparison, ...] = ()
    notes: tuple[str, ...] = ()
    findings: Findings | None = None
    tested: TestResult | None = None
    tries: tuple[tuple[str, str], ...] = ()
    training: TrainingFacts | None = None
    problems: Mapping[str, str] = field(default_factory=dict)
    failed: bool = False
    retired: bool = False


@dataclass(frozen=True)
class Report:
    """``unchanged`` are models whose artifact is the one in production, ``deleted`` those that the
    branch removes."""

    models: tuple[ModelReport, ...]
    unchanged: tuple[str, ...]
    deleted: tuple[str, ...]
    origin: Origin
    source: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Return whether a model has no artifact, or one that does not load."""
        return any(model.failed or "measured" in model.problems for model in self.models)

    def as_json(self) -> dict[str, Any]:
        """Return the complete report as JSON; times in seconds, sizes in bytes."""
        document: dict[str, Any] = _without_nan(asdict(self) | {"failed": self.failed})
        return document


def _without_nan(value: Any) -> Any:
    """Return ``value`` with ``None`` for NaN and infinity, which JSON cannot represent."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def build_report(
    settings: Settings,
    folders: Sequence[Path],
    deleted: Sequence[str] = (),
    *,
    sources: Sources = NO_SOURCES,
    seconds: float = measure.SECONDS,
    doing: Doing = lambda _: nullcontext(),
) -> Report:
    """Return the report of the model ``folders`` and of the ``deleted`` models.

    ``seconds`` are spent on the latencies of each model; with 0 no model is loaded.
    """
    models: list[ModelReport] = []
    unchanged: list[str] = []
    with ExitStack() as stack:
        servers = _Servers(settings, doing, stack)
        for folder in folders:
            with temporary_artifacts() as temporary:
                with doing(f"building {folder.name}"):
                    artifacts = ModelArtifacts(settings, folder, sources, temporary)
                if artifacts.unchanged:
                    unchanged.append(artifacts.name)
                    continue
                server = servers.running() if seconds and artifacts.contents else None
                models.append(_model(artifacts, server, seconds, doing))
    return Report(
        tuple(models),
        tuple(unchanged),
        tuple(deleted),
        current_origin(settings.root),
        servers.source,
        tuple(servers.notes),
    )


class _Servers:
    """One server for all models, started for the first one, and again if it has died."""

    def __init__(self, settings: Settings, doing: Doing, stack: ExitStack) -> None:
        self.source: str | None = None
        self.notes: list[str] = []
        self._settings = settings
        self._doing = doing
        self._stack = stack
        self._server: Server | None = None

    def running(self) -> Server | None:
        """Return a server that answers; ``None`` if it does not start, which ``notes`` then say."""
        if self.notes or (self._server is not None and self._server.client.ready()):
            return self._server
        self._server = None
        try:
            with self._doing("starting Triton"):
                self._server = self._stack.enter_context(triton.start(self._settings))
            self.source = str(self._server.source)
        except SlipwayError as error:
            self.notes.append(f"cannot measure the remaining models: {error}")
        return self._server


def _model(
    artifacts: ModelArtifacts, server: Server | None, seconds: float, doing: Doing
) -> ModelReport:
    if artifacts.artifact is None or artifacts.contents is None:
        return ModelReport(artifacts.name, problems=artifacts.problems, failed=True)
    contents, record = artifacts.contents, artifacts.record
    proposed = findings = measured = tested = metrics = training = None
    changes: tuple[Change, ...] = ()
    commits: tuple[str, ...] = ()
    tries: tuple[tuple[str, str], ...] = ()
    candidate, served = artifacts.artifact, artifacts.served_artifact
    target = publish.target_model(contents.manifest, candidate.sha256, "staging")
    with artifacts.part("changes"):
        if served is not None and artifacts.served_contents is not None:
            changes = tuple(diff(artifacts.served_contents, contents))
            proposed = facts.proposed(served, candidate)
        commits = facts.commits(artifacts.settings, artifacts.folder, record)
    with artifacts.part("check"):
        findings = facts.findings(artifacts.settings, artifacts.folder)
    with artifacts.part("tests"):
        tested = facts.tested(
            artifacts.settings, artifacts.name, candidate.sha256, artifacts.sources.reports
        )
    with artifacts.part("metrics"):
        metrics = facts.metrics(artifacts.folder, candidate, record)
    with artifacts.part("training"):
        training = facts.training(artifacts.settings, artifacts.folder, candidate, record)
    with artifacts.part("try it"):
        tries = facts.tries(artifacts.settings, artifacts.folder, target)
    if server is not None:
        with artifacts.part("measured"), doing(f"measuring {artifacts.name}"):
            measured = measure.measure(
                server, artifacts.folder, candidate.path, served.path if served else None, seconds
            )
    return ModelReport(
        name=artifacts.name,
        retired=artifacts.retired,
        version=contents.manifest.version,
        target=target,
        sha256=candidate.sha256,
        served=_current_release(record, artifacts.served_contents),
        proposed=proposed,
        size=facts.size(contents),
        changes=changes,
        commits=commits,
        measured=measured,
        metrics=metrics.compared if metrics else (),
        notes=metrics.notes if metrics else (),
        findings=findings,
        tested=tested,
        tries=tries,
        training=training,
        problems=artifacts.problems,
    )


def _current_release(record: Record | None, contents: Contents | None) -> CurrentRelease | None:
    if record is None:
        return None
    size = None if contents is None else facts.size(contents)
    return CurrentRelease(
        record.version, record.target, record.sha256, record.commit, record.published, size
    )
