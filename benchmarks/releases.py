"""Measure a release store of 10, 100 and 1,000 models with forty releases each.

The bucket is served in a process of its own, whose answers take 20 ms, as S3's small ones do, and
counts the requests. What each command asks and takes must not grow with the releases; an overview
may grow with the models.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from benchmarks import release_bucket, release_store, result
from benchmarks.context import BenchmarkContext
from benchmarks.result import Report, Row
from slipway import settings as configuration
from slipway.artifact.artifact import Artifact
from slipway.catalog.origin import Origin
from slipway.release import prune, verify
from slipway.release.history import load_history
from slipway.release.publish import publish
from slipway.release.rollback import rollback
from slipway.release.runs.resumable import Resumable
from slipway.release.runs.verify_all import verify_all
from slipway.release.status import load_overview
from slipway.settings import Settings
from slipway.store.open import open_stage

RELEASES = 40  # of each model in staging, half of them in production
ANSWER_MS = 20.0
MODELS, QUICK = (10, 100, 1000), (3, 9)
VERIFIED, VERIFIED_QUICK = 50, 5  # releases of the part that is verified
STATUS_S, STATUS_REQUESTS, ONE_S, FOLDER = 3.0, 60, 1.0, 2.0  # targets, at a thousand models
BY = Origin("c" * 40, None, "dev")


def measure(context: BenchmarkContext) -> list[Report]:
    """Measure stores of each size, in a bucket and in a folder."""
    measured = {
        models: measure_at(context, models) for models in (QUICK if context.quick else MODELS)
    }
    reports = []
    for models, figures in measured.items():
        rows = []
        for what in WHAT:
            seconds, folder_s = figures[f"{what}, s"], figures[f"{what} in a folder, s"]
            limit = {"status": STATUS_S, "history": ONE_S, "rollback": ONE_S}.get(what)
            rows.append(result.alone(what, seconds, result.seconds, at_most=limit))
            requests = figures[f"{what}, requests"]
            most = STATUS_REQUESTS if what == "status" else None
            rows.append(result.alone("  requests", requests, "{:.0f}".format, at_most=most))
            doubled = None if limit is None else limit * FOLDER
            rows.append(result.alone("  in a folder", folder_s, result.seconds, at_most=doubled))
        title = f"{models:,} models, {models * RELEASES:,} releases in staging, half in production"
        reports.append(Report(f"{title}; S3 answers in {ANSWER_MS:.0f} ms", "", rows))
    first, last = measured[min(measured)], measured[max(measured)]
    growth = [
        Row(what, f"{last[f'{what}, requests']:.0f}", f"{first[f'{what}, requests']:.0f}")
        for what in ("history", "rollback", "publish")
    ]
    reports.append(
        Report(f"requests at {max(measured):,} models", f"at {min(measured)} models", growth)
    )
    return reports


def measure_at(context: BenchmarkContext, models: int) -> dict[str, float]:
    """Return seconds and requests by what was done, of a store of ``models``: ``status, s``,
    ``status, requests``, ``status in a folder, s``, and so for history, rollback, publish, the
    selection of a model's prune, and the verification of fifty releases."""
    figures: dict[str, float] = {}
    verified = VERIFIED_QUICK if context.quick else VERIFIED
    answer_ms = 0.0 if context.quick else ANSWER_MS
    with _bucket(context.work / f"bucket-{models}", models, answer_ms) as (settings, url):
        for what, seconds, requests in _measured(settings, models, url, verified):
            figures[f"{what}, s"], figures[f"{what}, requests"] = seconds, requests
    settings = _repository(context.work / f"folder-{models}", "store")
    release_store.write_folder(settings.root / "store", models, RELEASES)
    start = time.perf_counter()
    load_overview(settings, complete=True)  # writes the index
    figures["first status in a folder, s"] = time.perf_counter() - start
    for what, seconds, _ in _measured(settings, models, None, verified):
        figures[f"{what} in a folder, s"] = seconds
    return figures


WHAT = ("status", "history", "rollback", "publish", "selection of a prune", "verify a part")


def _measured(
    settings: Settings, models: int, url: str | None, verified: int
) -> Iterator[tuple[str, float, int]]:
    """Yield what was done, its seconds, and the requests to the server at ``url``."""
    name = release_store.model_name(models // 2)
    actions: tuple[Callable[[], object], ...] = (
        lambda: load_overview(settings),
        lambda: load_history(settings, name, limit=10),
        lambda: rollback(settings, "production", name, None, BY),
        lambda: _publish(settings, name),
        lambda: prune.candidates(settings, [name]),
        lambda: _verify(settings, name, verified),
    )
    for what, action in zip(WHAT, actions, strict=True):
        before = release_bucket.requests(url) if url else 0
        start = time.perf_counter()
        action()
        seconds = time.perf_counter() - start
        yield what, seconds, (release_bucket.requests(url) if url else 0) - before


def _publish(settings: Settings, name: str) -> None:
    manifest, data = release_store.artifact(name, RELEASES)
    path = settings.root / f"{name}_{manifest.version}.tar.gz"
    path.write_bytes(data)
    publish(Artifact(path), open_stage(settings, "staging"))


def _verify(settings: Settings, name: str, verified: int) -> None:
    selected = verify.select_releases(settings, name, None, all_=True).releases[:verified]
    results = list(verify_all(settings, selected, Resumable("benchmark", [str(time.time())])))
    assert len(results) == len(selected)


def _repository(root: Path, location: str) -> Settings:
    root.mkdir(parents=True)
    (root / "slipway.toml").write_text(f'[release]\nstore = "{location}"\n', encoding="utf-8")
    return configuration.load(root)


@contextmanager
def _bucket(root: Path, models: int, answer_ms: float) -> Iterator[tuple[Settings, str]]:
    """Yield settings of a repository with its store in a bucket, and the server's URL."""
    from slipway.store.s3 import known_servers

    variables = {
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SLIPWAY_CACHE": str(root / "cache"),
    }
    settings = _repository(root, f"s3://{release_bucket.NAME}")
    with (
        release_bucket.serving(models, RELEASES, answer_ms) as url,
        mock.patch.dict(os.environ, {**variables, "AWS_ENDPOINT_URL_S3": url}),
    ):
        known_servers.remember(url, release_bucket.NAME)  # it keeps conditions
        yield settings, url
