"""What can be known of a candidate without running it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway import check
from slipway.artifact.artifact import Artifact
from slipway.artifact.contents import Contents
from slipway.catalog.record import Record
from slipway.check.model_under_check import ModelRepository
from slipway.release.evaluation import evaluation
from slipway.release.evaluation.evaluation import Compared
from slipway.release.evidence import evidence, junit
from slipway.release.evidence.test_result import Tested
from slipway.release.versioning import commits as changelog
from slipway.release.versioning import propose
from slipway.settings import Settings
from slipway.store.open import open_stage
from slipway.testing import golden

# of a command that a person is to paste
LONGEST_JSON = 300


@dataclass(frozen=True)
class Size:
    """In bytes: the artifact as it is downloaded, and unpacked; of that, the environment, the
    weights and the rest."""

    artifact: int
    unpacked: int
    environment: int
    weights: int


@dataclass(frozen=True)
class Proposed:
    """The bump that the changes ask for: ``part`` is major, minor or patch, ``None`` if nothing but
    the version changed."""

    part: str | None
    version: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Findings:
    """What ``slipway check`` finds: how many of each severity, and a line for each."""

    errors: int
    warnings: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Metrics:
    """Each metric beside production's; ``notes`` say what was left out."""

    compared: tuple[Compared, ...]
    notes: tuple[str, ...]


def size(made: Contents) -> Size:
    """The sizes of an artifact."""
    weights = {name for name in made.files if name in made.manifest.weights}
    return Size(
        made.size,
        sum(size for size, _ in made.files.values()),
        sum(size for size, _ in made.environment_files.values()),
        sum(made.files[name][0] for name in weights),
    )


def proposed(served: Artifact, made: Artifact) -> Proposed:
    """The bump that fits what changed between two artifacts."""
    found = propose.propose(propose.of_artifact(served), propose.of_artifact(made))
    return Proposed(found.part, found.version, tuple(f"{r.part}: {r.what}" for r in found.reasons))


def commits(settings: Settings, folder: Path, record: Record | None) -> tuple[str, ...]:
    """A line for each commit since the release that is served."""
    return changelog.changes(settings.root, folder, record.commit if record else None)


def findings(settings: Settings, folder: Path) -> Findings:
    """What is found in the model's folder."""
    found = check.check_folder(folder, ModelRepository(settings))
    root = f"{settings.root}/"
    lines = [
        f"{str(each.location).replace(root, '')}: {each.severity} {each.rule}: {each.what}"
        for each in found
    ]
    errors = sum(each.severity == "error" for each in found)
    return Findings(errors, len(found) - errors, tuple(lines))


def tested(settings: Settings, name: str, sha256: str, reports: Sequence[Path]) -> Tested | None:
    """How the tests of exactly this artifact went: of reports here, or as staging knows it."""
    found = junit.read(reports, name, sha256)
    if found is not None:
        return found
    return evidence.tested(open_stage(settings, "staging"), "staging", name, sha256)


def metrics(folder: Path, artifact: Artifact, record: Record | None) -> Metrics:
    """What was measured of the model's quality, beside what production's record says."""
    found = evaluation.read(folder, artifact)
    if found is None:
        return Metrics((), ())
    return Metrics(tuple(evaluation.compare(found, record)), found.notes)


def tries(settings: Settings, folder: Path, target: str) -> tuple[tuple[str, str], ...]:
    """Languages and texts to paste: how to ask the target model in staging."""
    name = folder.resolve().name
    case = next((c for c in golden.cases(folder) if golden.expected_error(c) is None), None)
    words, made = ("", []) if case is None else _asked(settings, case)
    invoke = f"slipway invoke {name} {words}--endpoint staging --target {target}"
    smoke = f"slipway smoke {name} --endpoint staging --target {target}"
    endpoint = settings.endpoint("staging")
    python = [
        "import boto3",
        "import numpy",
        "from slipway import kserve",
        "",
        *(made or ["inputs = {...}  # arrays by the input's name"]),
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


def _asked(settings: Settings, case: Path) -> tuple[str, list[str]]:
    """The case's inputs as words of ``slipway invoke``, with a space behind, and as lines of
    Python; empty if they are too long, or of a kind that a command line cannot hold."""
    given = json.loads((case / golden.INPUT).read_text(encoding="utf-8")).get("inputs")
    if not isinstance(given, dict):
        return "", []
    values = [value for each in given.values() for value in _flat(each)]
    files = [value for value in values if isinstance(value, dict) and set(value) == {"file"}]
    if len(given) == 1 and files and files == values:
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
            f"inputs = {{{json.dumps(next(iter(given)))}: numpy.array(rows, dtype=object)}}",
        ]
    text = json.dumps(given, ensure_ascii=False)
    plain = not any(isinstance(value, dict) for value in values) and len(text) <= LONGEST_JSON
    return f"--json {shlex.quote(text)} " if plain else "", []


def _flat(value: object) -> list[object]:
    return [v for each in value for v in _flat(each)] if isinstance(value, list) else [value]
