"""Lineages of invented releases: with everything, with hardly anything, with odd names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from slipway.artifact.manifest import Manifest
from slipway.catalog.alias import Alias, Variant
from slipway.catalog.origin import Origin
from slipway.catalog.record import Record
from slipway.catalog.weights_source import WeightsSource
from slipway.lineage.build import build_lineage
from slipway.lineage.facts import ReleaseFacts, StoredRelease
from slipway.lineage.graph import Lineage
from slipway.release.evidence.training import AttestedTraining
from slipway.settings import EndpointSettings
from slipway.training.run import DataFile
from tests.lineage.trained_repository import TRAINING, md5, sample_run

# what Mermaid, HTML or Markdown would take for its own
ODD = [
    "a\"b'c.csv",
    "<script>alert(1)</script>.csv",
    "end",
    "`code` **bold** _it_.csv",
    "x --> y; click n1.csv",
    "#35;&quot;&#x41;.csv",
    "]) }} /] |%%{init}%%.csv",
    "back\\slash\nline.csv",
    "ümläut-中文-🚢.csv",
    "subgraph graph style class.csv",
]
ORIGINAL = b"trees"


def with_everything() -> Lineage:
    """Return the lineage of weights that were trained, converted and are served by a split."""
    run = sample_run(ORIGINAL)
    manifest = Manifest(
        "churn", "1.2.0", "churn", {}, {"churn/1/checkpoint.tl": {"md5": "b" * 32, "size": 194707}},
        None, "slipway 0.1.0",
        conversion={
            "format": "xgboost", "backend": "fil", "difference": 1.79e-07, "tolerance": 0.0001,
            "lock": "0" * 64, "versions": {"treelite": "4.8.1"},
            "files": {"checkpoint.tl": {"md5": "b" * 32}},
            "source": {"name": "churn.ubj", "md5": md5(ORIGINAL), "sha256": "e" * 64, "size": 5},
        },
    )  # fmt: skip
    attested = AttestedTraining(
        run,
        {"original/churn.ubj": {"md5": md5(ORIGINAL), "sha256": "e" * 64}},
        {f"{TRAINING}/rows.csv": {"kept": f"{TRAINING}/rows.csv.dvc", "from": "s3://b/rows.csv"}},
    )
    source = WeightsSource("training", path=f"{TRAINING}/model.onnx", original="original/churn.ubj")
    return _lineage(manifest, attested, {"churn/1/checkpoint.tl": source})


def with_odd_names() -> Lineage:
    """Return a lineage whose files of data try to leave their labels."""
    data = tuple(DataFile(name, f"md5:{md5(name.encode())}", 3) for name in ODD[:7])
    more = tuple(DataFile(name, f"md5:{md5(name.encode())}", 3) for name in ODD[7:])
    run = sample_run()
    stages = (
        replace(run.stages[0], name=ODD[1], deps=data, params={ODD[6]: ODD[4], "rate": 0.1}),
        replace(run.stages[1], name=ODD[9], deps=more),
    )
    run = replace(run, stages=stages)
    manifest = Manifest("m", "1.0.0", "m", {}, {ODD[0]: {"md5": "0" * 32, "size": 9}}, None, "s")
    source = WeightsSource("training", path=f"{TRAINING}/model.onnx")
    return _lineage(manifest, AttestedTraining(run, {}), {ODD[0]: source})


def added_by_hand() -> Lineage:
    """Return a lineage without a training: one file of a package, and one of a commit."""
    weights: dict[str, dict[str, Any]] = {
        "a/1/model.onnx": {"md5": "0" * 32, "size": 9},
        "b/1/model.onnx": {"md5": "1" * 32},
    }
    return _lineage(
        Manifest("ocr", "1.0.0", "ocr", {}, weights, None, "s"),
        None,
        {
            "a/1/model.onnx": WeightsSource(
                "prebuilt", prebuilt="ocr", packages={"rapidocr": "3.10.0"},
                licences=("a/1/LICENSE",),
            ),
            "b/1/model.onnx": WeightsSource(
                "commit", path="models/ocr/b/1/model.onnx.dvc", commit="7" * 40,
                when="2026-11-30T23:40:00+00:00", by="dev", subject="A <better> model",
            ),
        },
    )  # fmt: skip


def of_before() -> Lineage:
    """Return the lineage of a release whose record is older than lineages."""
    weights = {"m/1/model.onnx": {"md5": "0" * 32, "size": 9}}
    return _lineage(Manifest("m", "1.0.0", "m", {}, weights, None, "s"), None, None)


SAMPLES: dict[str, Callable[[], Lineage]] = {
    "everything": with_everything,
    "odd names": with_odd_names,
    "by hand": added_by_hand,
    "before": of_before,
}


def _lineage(
    manifest: Manifest,
    attested: AttestedTraining | None,
    sources: dict[str, WeightsSource] | None,
) -> Lineage:
    record = Record(
        manifest,
        f"{manifest.name}_{manifest.version}.tar.gz",
        "5" * 64,
        "2026-11-30T23:50:00Z",
        Origin("7" * 40, "https://gitlab.example/team/models/-/pipelines/7", "dev"),
        size=34_100_000,
        training=None if attested is None else attested.reference,
        weights_from=sources,
    )
    alias = Alias((Variant(record.target, 3), Variant("other.tar.gz", 1)))
    endpoint = EndpointSettings("production", "production", "models", "eu-central-1")
    release = StoredRelease("production", record, alias, (endpoint,))
    return build_lineage(ReleaseFacts((release,), attested, ("0123456789abcdef",)))
