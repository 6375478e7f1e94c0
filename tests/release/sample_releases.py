"""Create stores of small releases: complete artifacts of a few kilobytes.

``python -m tests.release.sample_releases FOLDER`` creates a repository with 200 of them.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from unittest import mock

from slipway import settings as configuration
from slipway.archive.writer import TarGzWriter
from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import Manifest
from slipway.catalog import journal
from slipway.catalog.origin import Origin
from slipway.release.evidence import envelope
from slipway.release.evidence import test_result as tests
from slipway.release.evidence.statement import PAYLOAD_TYPE
from slipway.release.evidence.test_result import TestResult
from slipway.release.metadata import ReleaseMetadata
from slipway.release.promote import promote
from slipway.release.publish import Release, publish
from slipway.release.rollback import rollback
from slipway.settings import Settings
from slipway.settings.release import StageName
from slipway.store.open import open_stage

CONFIG = """name: "{name}"
backend: "python"
max_batch_size: {batch}
input [ {{ name: "IN" data_type: TYPE_FP32 dims: [ 4 ] }} ]
output [ {{ name: "OUT" data_type: TYPE_FP32 dims: [ 1 ] }} ]
"""
DEV = Origin("c0ffee0" * 5 + "c0ffe", None, "dev")
PACKAGES = {"numpy": "1.26.4"}
ENVIRONMENT = {"bin/activate": b"PATH=here:$PATH\n", "bin/python3": b"\x7fELF"}


def make_manifest(
    name: str,
    version: str,
    sources: Mapping[str, bytes],
    weights: bytes,
    packages: Mapping[str, str],
) -> Manifest:
    """The manifest of the one model ``name``, whose environment has two files."""
    return Manifest(
        name=name,
        version=version,
        serves=name,
        sources={file: hashlib.sha256(data).hexdigest() for file, data in sources.items()},
        weights={
            f"{name}/1/model.onnx": {"md5": hashlib.md5(weights).hexdigest(), "size": len(weights)}
        },
        environment={
            "layout": "directory",
            "path": f"{name}/python_env",
            "python": "3.12.1",
            "platform": "linux-64",
            "interpreter": "local CPython 3.12.1",
            "sha256": "0" * 64,
            "lock": "0" * 64,
            "size": 100,
            "unpacked": sum(map(len, ENVIRONMENT.values())),
            "files": len(ENVIRONMENT),
            "packages": [
                {"name": package, "version": number, "source": "pip"}
                for package, number in packages.items()
            ],
        },
        builder="slipway 0.1.0",
    )


def write_artifact(
    folder: Path,
    name: str = "m",
    version: str = "1.0.0",
    *,
    code: str = "",
    weights: bytes = b"weights",
    packages: dict[str, str] | None = None,
    batch: int = 8,
) -> Path:
    """Write an artifact of the one model ``name``, with weights and an environment of two files."""
    sources = {
        f"{name}/config.pbtxt": CONFIG.format(name=name, batch=batch).encode(),
        f"{name}/1/model.py": f"class TritonPythonModel: ...\n{code}".encode(),
    }
    manifest = make_manifest(name, version, sources, weights, packages or PACKAGES)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}_{version}.tar.gz"
    with path.open("wb") as file, TarGzWriter(file) as writer:
        writer.add_bytes(f"{name}/1/manifest.json", manifest.dump())
        for member, data in sorted(sources.items()):
            writer.add_bytes(member, data)
        writer.add_bytes(f"{name}/1/__pycache__/model.cpython-312.pyc", b"bytecode")
        writer.add_bytes(f"{name}/1/model.onnx", weights)
        for member, data in ENVIRONMENT.items():
            writer.add_bytes(f"{name}/python_env/{member}", data)
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tests_evidence(path: Path, *, failures: int = 0) -> bytes:
    """Evidence that the tests of exactly these bytes passed, or that some failed."""
    result = TestResult(failures == 0, 4, failures, "2026-01-01T00:00:00Z", seconds=2.0)
    payload = tests.dump_test_result(result, path.name, sha256(path))
    return envelope.seal_envelope(payload, PAYLOAD_TYPE, None)


def create_repository(root: Path, more: str = "") -> Settings:
    """Settings of a repository with a store in a folder of its own."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "slipway.toml").write_text(f'[release]\nstore = "store"\n{more}', encoding="utf-8")
    return configuration.load(root)


def publish_sample(
    settings: Settings,
    version: str = "1.0.0",
    *,
    name: str = "m",
    tested: bool | None = True,
    metadata: ReleaseMetadata | None = None,
    stage: StageName = "staging",
    code: str = "",
    **contents: object,
) -> Release:
    """Publish a small artifact to staging, with its tests passed, failed or (``None``) unknown."""
    path = write_artifact(settings.root / "dist", name, version, code=code, **contents)  # type: ignore[arg-type]
    metadata_or_default = metadata or ReleaseMetadata(DEV)
    documents = dict(metadata_or_default.evidence)
    if tested is not None:
        documents["tests"] = tests_evidence(path, failures=0 if tested else 1)
    metadata = ReleaseMetadata(
        metadata_or_default.origin,
        documents,
        metadata_or_default.metrics,
        metadata_or_default.rules,
        metadata_or_default.changes,
    )
    return publish(Artifact(path), open_stage(settings, stage), metadata=metadata)


def promote_samples(settings: Settings, *versions: str, name: str = "m") -> list[str]:
    """Bring versions through staging to production; production's target models."""
    for version in versions:
        publish_sample(settings, version, name=name)
    return [
        promote(settings, name, target, DEV).target
        for target in (f"{name}_{version}-rc" for version in versions)
    ]


NAMES = [
    "screen_detection",
    "translate_en_de",
    "translate_de_en",
    "sentiment",
    "fraud_score",
    "churn",
    "product_ranking",
    "query_intent",
    "spam_filter",
    "face_blur",
    "plate_reader",
    "invoice_fields",
    "voice_activity",
    "speaker_id",
    "demand_forecast",
    "price_elasticity",
    "topic_labels",
    "toxicity",
    "image_quality",
    "near_duplicates",
]
SUBJECTS = """Weights of the nightly training|Threshold of the second stage|Smaller tensors between
 steps|Batches of 16|numpy 1.26.4|Rows without a label are left out|Colours as the camera gives
 them|Retrained on June's corrections|A faster resize|Warm up with a blank input"""


def fill_store(root: Path, names: Sequence[str], releases: int, *, git: bool = True) -> Settings:
    """A repository with ``releases`` of each name in staging, most of them promoted, over
    the last weeks; its commits touch one model each."""
    settings = create_repository(root)
    rng = random.Random(5)
    subjects = " ".join(SUBJECTS.split()).split("|")
    clock = datetime.now(UTC) - timedelta(hours=len(names) * releases * 3)
    if git:
        _git(root, "init", "-q", "-b", "main")
    commits: dict[str, str] = {}
    for number in range(len(names) * releases):
        name, count = names[number % len(names)], number // len(names)
        version = f"1.{count}.0"
        subject = rng.choice(subjects)
        folder = root / "models" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model_version.txt").write_text(f"{version}\n", encoding="utf-8")
        clock += timedelta(hours=2, minutes=rng.randrange(60))
        commit = hashlib.sha1(f"{name} {version}".encode()).hexdigest()
        if git:
            _git(root, "add", "-A", "models")
            _git(root, "commit", "-q", "-m", subject, "--date", clock.isoformat())
            commit = _git(root, "rev-parse", "HEAD")
        commits[name] = commit
        pipeline = f"https://gitlab.example.com/team/models/-/pipelines/{4000 + number}"
        packages = {"numpy": "1.26.4", "pillow": f"10.{count // 3}.0"}
        metadata = ReleaseMetadata(
            Origin(commit, pipeline, "dev"),
            metrics={"accuracy": round(0.9 + count / 200 + rng.random() / 100, 4)},
            changes=(f"{commit[:7]} {subject}",),
        )
        with mock.patch.object(journal, "now", partial(_iso, clock)):
            release = publish_sample(
                settings, version, name=name, metadata=metadata, weights=version.encode() * 99,
                packages=packages, code=f"LIMIT = {count // 2}\n", batch=8 if count < 9 else 16,
            )  # fmt: skip
        if count == releases - 1 and number % 3 == 0:
            continue  # still in staging
        clock += timedelta(minutes=20)
        promoter = Origin(commit, pipeline, "ci")
        with mock.patch.object(journal, "now", partial(_iso, clock)):
            promote(settings, name, release.target, promoter)
    with mock.patch.object(journal, "now", partial(_iso, clock)):
        rollback(settings, "production", names[1], None, DEV, "answers in the wrong language")
    return settings


def _git(root: Path, *words: str) -> str:
    identity = ["-c", "user.name=dev", "-c", "user.email=dev@example.com"]
    completed = subprocess.run(
        ["git", "-C", str(root), *identity, *words], check=True, capture_output=True, text=True
    )
    return completed.stdout.strip()


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--releases", type=int, default=10)
    chosen = parser.parse_args()
    fill_store(chosen.folder, NAMES[: chosen.models], chosen.releases)
