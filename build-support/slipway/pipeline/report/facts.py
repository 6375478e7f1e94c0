"""What is known about a candidate without running it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway import check
from slipway.artifact.artifact import Artifact
from slipway.artifact.contents import Contents
from slipway.artifact.diff import Change
from slipway.catalog.record import Record
from slipway.check.model_repository import ModelRepository
from slipway.release.evaluation import evaluation
from slipway.release.evaluation.evaluation import MetricComparison
from slipway.release.evidence import evidence, junit
from slipway.release.evidence.test_result import TestResult
from slipway.release.evidence.trained import match_training
from slipway.release.training_diff import diff_runs
from slipway.release.versioning import commits as changelog
from slipway.release.versioning import propose
from slipway.settings import Settings
from slipway.store.open import open_stage
from slipway.testing import golden
from slipway.training.inputs import find_inputs, is_code
from slipway.training.run import TrainingRun

# characters, in a command that a person pastes
MAX_JSON = 300


@dataclass(frozen=True)
class Size:
    """Bytes of the artifact, packed and unpacked, and, unpacked, of its environment and weights."""

    artifact: int
    unpacked: int
    environment: int
    weights: int


@dataclass(frozen=True)
class ProposedVersion:
    """The version bump that the changes require: ``part`` is major, minor or patch, ``None`` if
    only the version changed."""

    part: str | None
    version: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Findings:
    """The findings of ``slipway check``: the number of each severity, and a line for each."""

    errors: int
    warnings: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Metrics:
    """Each metric compared with production's; ``notes`` say what was omitted."""

    compared: tuple[MetricComparison, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class TrainingFacts:
    """The run that made the candidate's weights, ``None`` if none is known.

    ``data`` are the files that it was trained on, ``changes`` those since the training of the
    release in production. ``served`` is the id of that one. ``notes`` say what is not from the run.
    """

    run: TrainingRun | None
    data: tuple[str, ...] = ()
    served: str | None = None
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()


def size(contents: Contents) -> Size:
    """Return the sizes of an artifact."""
    weights = {name for name in contents.files if name in contents.manifest.weights}
    return Size(
        contents.size,
        sum(size for size, _ in contents.files.values()),
        sum(size for size, _ in contents.environment_files.values()),
        sum(contents.files[name][0] for name in weights),
    )


def proposed(served: Artifact, candidate: Artifact) -> ProposedVersion:
    """Return the version bump that the changes between two artifacts require."""
    proposal = propose.propose_version(
        propose.from_artifact(served), propose.from_artifact(candidate)
    )
    reasons = tuple(f"{reason.part}: {reason.what}" for reason in proposal.reasons)
    return ProposedVersion(proposal.part, proposal.version, reasons)


def commits(settings: Settings, folder: Path, record: Record | None) -> tuple[str, ...]:
    """Return a line for each commit since the release in production."""
    return changelog.list_commits(settings.root, folder, record.commit if record else None)


def findings(settings: Settings, folder: Path) -> Findings:
    """Return the findings in the model's folder."""
    found = check.check_folder(folder, ModelRepository(settings))
    root = f"{settings.root}/"
    lines = [f"{str(f.location).replace(root, '')}: {f.severity} {f.rule}: {f.what}" for f in found]
    errors = sum(finding.severity == "error" for finding in found)
    return Findings(errors, len(found) - errors, tuple(lines))


def tested(
    settings: Settings, name: str, sha256: str, reports: Sequence[Path]
) -> TestResult | None:
    """Return the test result of exactly this artifact, from ``reports`` or staging's evidence."""
    result = junit.read_reports(reports, name, sha256)
    if result is not None:
        return result
    return evidence.load_test_result(open_stage(settings, "staging"), name, sha256)


def metrics(folder: Path, artifact: Artifact, record: Record | None) -> Metrics:
    """Return the model's quality metrics, compared with those in production's record."""
    measured = evaluation.read_evaluation(folder, artifact)
    if measured is None:
        return Metrics((), ())
    return Metrics(tuple(evaluation.compare_metrics(measured, record)), measured.notes)


def training(
    settings: Settings, folder: Path, artifact: Artifact, record: Record | None
) -> TrainingFacts | None:
    """Return which training made the candidate's weights, compared with that of production's
    release; ``None`` for a model without weights, or where no training was ever recorded."""
    match = match_training(settings.root, folder, artifact)
    run = None if match.training is None else match.training.run
    served = None if record is None else record.training
    if run is None and served is None and not match.notes:
        return None
    before = None
    if record is not None and served is not None:
        production = open_stage(settings, "production")
        known = evidence.load_training(production, record.name, record.sha256)
        before = None if known is None else known.run
    inputs = () if run is None else find_inputs(run)
    return TrainingFacts(
        run,
        tuple(file.path for file in inputs if not is_code(file)),
        None if served is None else served.id,
        tuple(diff_runs(before, run)) if run is not None and before is not None else (),
        match.notes,
    )


def tries(settings: Settings, folder: Path, target: str) -> tuple[tuple[str, str], ...]:
    """Return languages and texts to paste, which invoke the target model in staging."""
    name = folder.resolve().name
    case = next((c for c in golden.cases(folder) if golden.expected_error(c) is None), None)
    words, lines = ("", []) if case is None else _request_of(settings, case)
    invoke = f"slipway invoke {name} {words}--endpoint staging --target {target}"
    smoke = f"slipway smoke {name} --endpoint staging --target {target}"
    endpoint = settings.endpoint("staging")
    python = [
        "import boto3",
        "import numpy",
        "from slipway.triton import kserve",
        "",
        *(lines or ["inputs = {...}  # arrays by the input's name"]),
        "body, content_type = kserve.encode(inputs)",
        'answer = boto3.client("sagemaker-runtime").invoke_endpoint(',
        f'    EndpointName="{endpoint.endpoint_name or endpoint.name}",',
        f'    TargetModel="{target}",',
        "    ContentType=content_type,",
        "    Body=body,",
        ")",
        'print(kserve.decode(answer["Body"].read(), answer["ContentType"]))',
    ]
    return (("shell", f"{invoke}\n{smoke}"), ("python", "\n".join(python)))


def _request_of(settings: Settings, case: Path) -> tuple[str, list[str]]:
    """Return the case's inputs as arguments of ``slipway invoke``, with a trailing space, and as
    lines of Python; empty if they are too long, or of a kind that a command line cannot hold."""
    inputs = json.loads((case / golden.INPUT).read_text(encoding="utf-8")).get("inputs")
    if not isinstance(inputs, dict):
        return "", []
    values = [value for rows in inputs.values() for value in _flatten(rows)]
    files = [value for value in values if isinstance(value, dict) and set(value) == {"file"}]
    if len(inputs) == 1 and files and files == values:
        folder = case.resolve()
        if folder.is_relative_to(settings.root.resolve()):
            folder = folder.relative_to(settings.root.resolve())
        paths = [str(folder / file["file"]) for file in files]
        words = "".join(f"{shlex.quote(path)} " for path in paths)
        return words, [
            "files = [",
            *(f"    {json.dumps(path, ensure_ascii=False)}," for path in paths),
            "]",
            'rows = [[open(file, "rb").read()] for file in files]',
            f"inputs = {{{json.dumps(next(iter(inputs)))}: numpy.array(rows, dtype=object)}}",
        ]
    text = json.dumps(inputs, ensure_ascii=False)
    plain = not any(isinstance(value, dict) for value in values) and len(text) <= MAX_JSON
    return f"--json {shlex.quote(text)} " if plain else "", []


def _flatten(value: object) -> list[object]:
    return [v for row in value for v in _flatten(row)] if isinstance(value, list) else [value]
