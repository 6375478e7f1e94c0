"""Show what drift is found: ten kinds and ten undrifted days on three models, by real answers.

The reference is one half of a model's rows. Windows are drawn from the other half, with
replacement, as they are or changed; the model itself answers them on a real Triton server.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from scipy.stats import beta

from benchmarks import drift_data
from benchmarks.context import ROOT, BenchmarkContext
from benchmarks.drift_data import Rows, Sample
from benchmarks.result import Report, Row, alone
from slipway import build
from slipway.capture.record import CapturedRequest
from slipway.cli.monitor.profile_answers import ask_in_batches
from slipway.drift.evaluate import evaluate
from slipway.drift.report import DriftReport
from slipway.errors import SlipwayError
from slipway.profile import images
from slipway.profile.build import build_profile
from slipway.profile.profile import Profile
from slipway.settings import Settings
from slipway.testing.served_artifact import ServedArtifact, ServedModel

SIZES = (200, 1_000, 10_000)
DAYS = 10
CHECKS = 1_000  # of undrifted traffic, of each model
CHECKED = {"churn": 1_000}  # rows of each; 200 of a text or picture, which take longer
ASKED = 480  # rows of each kind of drift that the model answers
QUICK = 60
CROPS = 1_400
WHEN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Answered:
    """Rows and the model's answers to them."""

    inputs: Rows
    outputs: Rows

    def draw(self, count: int, random: np.random.Generator) -> CapturedRequest:
        """Return a window of ``count`` rows, drawn with replacement, as one request."""
        picked = random.integers(len(next(iter(self.inputs.values()))), size=count)
        return CapturedRequest(
            "e",
            WHEN,
            "benchmark",
            "m_1.0.0.tar.gz",
            "AllTraffic",
            inputs={name: array[picked] for name, array in self.inputs.items()},
            outputs={name: array[picked] for name, array in self.outputs.items()},
        )


def measure(context: BenchmarkContext) -> list[Report]:
    """Return a table of each model, and the false alarms of all."""
    samples = [
        drift_data.churn(),
        drift_data.photographs(context.work, 200 if context.quick else CROPS),
        drift_data.snippets(context.work),
    ]
    reports = []
    for sample in samples[:1] if context.quick else samples:
        with _remembered_pictures():
            reports.append(_measure(sample, context.settings, context.work, context.quick))
    return reports


def _measure(sample: Sample, settings: Settings, work: Path, quick: bool) -> Report:
    random = np.random.default_rng(5)
    count = len(next(iter(sample.rows.values())))
    order = random.permutation(count)
    halves = [
        {name: array[part] for name, array in sample.rows.items()}
        for part in (order[: count // 2], order[count // 2 :])
    ]
    if quick:
        halves = [{name: array[:400] for name, array in half.items()} for half in halves]
    asked = QUICK if quick else ASKED
    with _served(sample.model, settings, work) as model:
        reference, other = (_answer(model, half) for half in halves)
        drifted = {}
        for kind, change in sample.changes.items():
            changed = change(halves[1], random)
            part = {name: array[:asked] for name, array in changed.items()}
            try:
                drifted[kind] = _answer(model, part)
            except SlipwayError:  # the model refuses such values: there is no answer to compare
                drifted[kind] = Answered(part, {})
    profile = build_profile(reference.inputs, reference.outputs, source="one half of the rows")
    began = time.perf_counter()
    rows = [_kind(kind, profile, pool, random, quick) for kind, pool in drifted.items()]
    size = 200 if quick else CHECKED.get(sample.model, 200)
    rows.append(_days(profile, other, random, quick))
    rows.append(_false_alarms(profile, other, random, 20 if quick else CHECKS, size))
    rows.append(alone("profile.json", len(profile.dump()) / 1000, lambda kb: f"{kb:.1f} kB"))
    rows.append(alone("all checks above", time.perf_counter() - began, lambda s: f"{s:.0f} s"))
    title = f"drift of {sample.model}: rows needed, of {', '.join(f'{n:,}' for n in SIZES)}"
    return Report(title, "", rows)


def _kind(
    kind: str, profile: Profile, pool: Answered, random: np.random.Generator, quick: bool
) -> Row:
    found: dict[int, DriftReport] = {
        size: _check(profile, pool, size, random) for size in SIZES[: 1 if quick else 3]
    }
    words = [f"{'found' if report.moved else 'silent'}" for report in found.values()]
    last = list(found.values())[-1]
    worst = sorted((tensor for tensor in last.tensors if tensor.moved), key=lambda t: -t.score)
    by = []
    for tensor in worst[:2]:
        name, statistic = max(
            tensor.statistics.items(), key=lambda item: item[1].value / item[1].threshold
        )
        by.append(f"{tensor.name} {name} {statistic.value:.2f}")
    return Row(kind, " / ".join(words), "; ".join(by), target="found", met=last.moved)


def _days(profile: Profile, pool: Answered, random: np.random.Generator, quick: bool) -> Row:
    alarms = sum(
        _check(profile, pool, size, random).moved
        for size in SIZES[: 1 if quick else 3]
        for _ in range(DAYS)
    )
    checks = DAYS * (1 if quick else 3)
    return Row(
        f"{DAYS} undrifted days of each size",
        f"{alarms} of {checks} alarm",
        target="0",
        met=alarms == 0,
    )


def _false_alarms(
    profile: Profile, pool: Answered, random: np.random.Generator, checks: int, size: int
) -> Row:
    alarms = sum(_check(profile, pool, size, random).moved for _ in range(checks))
    high = float(beta.ppf(0.95, alarms + 1, checks - alarms)) if alarms < checks else 1.0
    return Row(
        f"{checks:,} undrifted checks of {size:,} rows",
        f"{alarms} alarms",
        f"at most {high:.2%} of checks (95 %)",
        target="≤ 1",
        met=alarms <= 1,
    )


def _check(profile: Profile, pool: Answered, size: int, random: np.random.Generator) -> DriftReport:
    return evaluate(profile, [pool.draw(size, random)])


@contextmanager
def _served(name: str, settings: Settings, work: Path) -> Iterator[ServedModel]:
    folder = ROOT / "models" / name
    artifact = build.build(folder, settings, work / "artifacts").path
    with ServedArtifact(settings, folder, artifact) as served:
        yield ServedModel(served)


def _answer(model: ServedModel, inputs: Rows) -> Answered:
    outputs = ask_in_batches(model, inputs, model.interface)
    return Answered(inputs, {name: np.concatenate(parts) for name, parts in outputs.items()})


@contextmanager
def _remembered_pictures() -> Iterator[None]:
    """Measure each picture once: windows are drawn from the same ones thousands of times."""
    once = functools.lru_cache(maxsize=None)(images._measure_file)
    usual, images._measure_file = images._measure_file, once
    try:
        yield
    finally:
        images._measure_file = usual
