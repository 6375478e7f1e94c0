"""What is known of an artifact beside its bytes, gathered where it was built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from slipway.artifact.artifact import Artifact
from slipway.catalog.catalog import Catalog
from slipway.catalog.keys import Kind, Stage
from slipway.catalog.origin import Origin
from slipway.errors import SlipwayError
from slipway.release.evaluation import evaluation
from slipway.release.evidence import evidence
from slipway.release.publish import Told
from slipway.release.versioning import commits
from slipway.settings import Settings
from slipway.store.interface import Reader


def gather(
    settings: Settings,
    folder: Path,
    artifact: Artifact,
    origin: Origin,
    *,
    reports: Sequence[Path],
    production: Reader,
) -> tuple[Told, list[str]]:
    """What is attested and measured of ``artifact``, which the model in ``folder`` became, and what
    changed since the release that ``production`` serves; then notes on what was left out.

    ``reports`` are JUnit files or folders of them. A production that cannot be read, which a
    branch's credentials may not allow, leaves out the changes only.

    Raises:
        SlipwayError: the signing key cannot sign, a report cannot be read, or the model's metrics
            or thresholds are malformed.
    """
    notes: list[str] = []
    documents = evidence.collect(artifact, settings, origin, reports)
    measured = evaluation.read(folder, artifact)
    if measured is not None:
        notes += measured.notes
    try:
        since = last_commit(production, "production", folder.name)
        changes = commits.changes(settings.root, folder, since)
    except SlipwayError as error:
        notes.append(f"what changed since production is left out: {error.what}")
        changes = ()
    told = Told(
        origin,
        documents,
        measured.metrics if measured is not None else None,
        measured.rules if measured is not None else None,
        changes,
    )
    return told, notes


def last_commit(reader: Reader, stage: Stage, name: str) -> str | None:
    """The commit that what ``name`` stands for in ``stage`` was made from, if it is known.

    Raises:
        SlipwayError: the store cannot be read.
    """
    catalog = Catalog(reader, stage)
    alias = catalog.find_alias(name)
    served = None if alias is None else catalog.find(name, alias.target)
    return None if served is None else served.commit


def refuse_lacking(
    settings: Settings, stage: Stage, target: str, found: Mapping[Kind, bytes], sha256: str
) -> None:
    """Refuse a release that lacks, or has in bad order, what ``stage`` requires.

    Raises:
        SlipwayError: says each thing.
    """
    require = settings.stage(stage).require
    wrong = evidence.problems(found, sha256, settings, require)
    if wrong:
        asked = f"{stage} requires {', '.join(require)}" if require else "evidence is not sound"
        raise SlipwayError(
            f"{asked}: {'; '.join(wrong)}",
            where=target,
            fix="test and sign these bytes where they are built, then publish them to staging again",
        )
