"""Collect what is known of an artifact besides its bytes, where it was built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.artifact.artifact import Artifact
from slipway.catalog.catalog import Catalog
from slipway.catalog.keys import Kind
from slipway.catalog.origin import Origin
from slipway.catalog.weights_source import RunReference, WeightsSource
from slipway.errors import SlipwayError
from slipway.release.evaluation import evaluation
from slipway.release.evidence import evidence
from slipway.release.evidence.trained import match_training
from slipway.release.versioning import commits
from slipway.release.weights_sources import find_weights_sources
from slipway.settings import Settings
from slipway.settings.release import StageName
from slipway.store.stage import StageReader

PUBLISH = "test and sign the artifact where it is built, then publish it to staging again"
TRAIN = (
    "slipway train NAME, commit its training/run.json with the weights, and publish it to staging"
    " again"
)


@dataclass(frozen=True)
class ReleaseMetadata:
    """What is known of an artifact besides its bytes. ``evidence`` holds documents by their kind;
    the other fields are as in a :class:`~slipway.catalog.record.Record`."""

    origin: Origin = Origin()
    evidence: Mapping[Kind, bytes] = field(default_factory=dict)
    metrics: dict[str, float] | None = None
    rules: dict[str, dict[str, Any]] | None = None
    changes: tuple[str, ...] = ()
    weights_from: Mapping[str, WeightsSource] | None = None


def gather_metadata(
    settings: Settings,
    folder: Path,
    artifact: Artifact,
    origin: Origin,
    *,
    reports: Sequence[Path],
    production: StageReader,
) -> tuple[ReleaseMetadata, list[str]]:
    """Return the metadata of ``artifact``, which was built from the model in ``folder``, and notes
    on what was left out.

    ``reports`` are JUnit files or folders of them. The changes are those since the release that
    ``production`` serves. If production cannot be read, which a branch's credentials may not allow,
    only the changes are left out.

    Raises:
        SlipwayError: the signing key cannot sign, a report cannot be read, or the model's metrics
            or thresholds are malformed.
    """
    notes: list[str] = []
    trained = match_training(settings.root, folder, artifact)
    notes += trained.notes
    documents = evidence.collect_evidence(artifact, settings, origin, reports, trained.training)
    measured = evaluation.read_evaluation(folder, artifact)
    if measured is not None:
        notes += measured.notes
    changes: Sequence[str] = ()
    try:
        since = released_commit(production, folder.name)
        changes = commits.list_commits(settings.root, folder, since)
    except SlipwayError as error:
        notes.append(f"the changes since production's release are left out: {error.what}")
    metadata = ReleaseMetadata(
        origin,
        documents,
        measured.metrics if measured is not None else None,
        measured.rules if measured is not None else None,
        tuple(changes),
        find_weights_sources(settings.root, folder, artifact, trained),
    )
    return metadata, notes


def released_commit(stage: StageReader, name: str) -> str | None:
    """Return the commit of the release that ``name``'s alias serves, or ``None``.

    Raises:
        SlipwayError: the store cannot be read.
    """
    catalog = Catalog(stage)
    alias = catalog.find_alias(name)
    record = None if alias is None else catalog.find_record(name, alias.target)
    return None if record is None else record.commit


def require_evidence(
    settings: Settings,
    stage: StageName,
    target: str,
    documents: Mapping[Kind, bytes],
    sha256: str,
    trained_by: RunReference | None = None,
) -> None:
    """Refuse a release without the evidence that ``stage`` requires, or with invalid evidence.

    Raises:
        SlipwayError: lists each problem.
    """
    require = settings.stage(stage).require
    problems = evidence.find_problems(documents, sha256, settings, require, trained_by)
    if problems:
        what = f"{stage} requires {', '.join(require)}" if require else "evidence is invalid"
        raise SlipwayError(
            f"{what}: {'; '.join(problems)}",
            where=target,
            fix=TRAIN if problems == ["no training"] else PUBLISH,
        )
