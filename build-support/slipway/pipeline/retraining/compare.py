"""Compare what a training measured with the release that production serves.

The rules are those of ``evaluation.toml``, as a promotion applies them
(:mod:`slipway.release.evaluation.evaluation`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from slipway.catalog.catalog import Catalog
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.model.thresholds import EVALUATION_PROGRAM, FILE_NAME, load_thresholds
from slipway.release.evaluation.evaluation import (
    Evaluation,
    MetricComparison,
    compare_metrics,
    read_evaluation,
)
from slipway.store.stage import StageReader
from slipway.training.run import Compared, TrainingRun, Verdict

COMPARISON = "comparison.json"


@dataclass(frozen=True)
class Comparison:
    """A training of ``model`` against ``release``, the version in production, ``None`` if there is
    none.

    ``verdict``: ``worse`` if a rule refuses a metric; ``better`` if none does and a metric with a
    rule is better; ``equal`` if all are within their margins; ``none`` if there is nothing to
    compare with. ``why`` is a sentence. ``notes`` are metrics that were left out, and why.
    """

    model: str
    run: str | None
    release: str | None
    verdict: Verdict
    why: str
    metrics: tuple[MetricComparison, ...]
    notes: tuple[str, ...] = ()

    def dump(self) -> str:
        """Return the comparison as JSON text, ``null`` for NaN."""
        return json.dumps(_finite(asdict(self)), indent=1, sort_keys=True) + "\n"

    def compared(self) -> Compared:
        """Return what the run's record keeps of it."""
        return Compared(
            release=self.release,
            metrics={m.name: m.served for m in self.metrics if m.served is not None},
            verdict=self.verdict,
            rules={m.name: m.rule for m in self.metrics if m.rule is not None},
            broken=tuple(f"{m.name}: {m.said}" for m in self.metrics if m.state == "refused"),
        )


def compare_run(folder: Path, run: TrainingRun | None, production: StageReader) -> Comparison:
    """Compare the training of the model in ``folder`` with the release that ``production`` serves.

    The metrics are those of ``run``; without it, those in the files that ``dvc.yaml`` or
    ``evaluation.toml`` name.

    Raises:
        SlipwayError: nothing was measured, a metrics file is missing, or production's record or
            ``evaluation.toml`` is damaged.
    """
    candidate = measured(folder, run)
    name = folder.resolve().name
    return compare(
        name, None if run is None else run.id, candidate, served_record(production, name)
    )


def compare(
    model: str, run: str | None, candidate: Evaluation, served: Record | None
) -> Comparison:
    """Compare ``candidate`` with ``served``, the release in production; ``None``: there is none."""
    metrics = tuple(compare_metrics(candidate, served))
    verdict, why = _verdict(model, metrics, served)
    release = None if served is None else served.version
    return Comparison(model, run, release, verdict, why, metrics, candidate.notes)


def measured(folder: Path, run: TrainingRun | None) -> Evaluation:
    """Return what a training measured, with the rules of ``evaluation.toml``.

    A rule of a metric that ``evaluate.py`` measures on the served model is left out, with a note:
    the pipeline of the merge request measures it.

    Raises:
        SlipwayError: nothing was measured, or a metrics file is missing.
    """
    chosen = load_thresholds(folder)
    rules = {} if chosen is None else {n: rule.dump() for n, rule in chosen.metric.items()}
    metrics, notes = {} if run is None else dict(run.metrics), tuple[str, ...]()
    if not metrics and (run is None or rules):
        metrics, notes = _metrics_of_files(folder)
    if (folder / EVALUATION_PROGRAM).is_file():
        later = sorted(rules.keys() - metrics.keys())
        rules = {name: rule for name, rule in rules.items() if name in metrics}
        if later:
            where = f"measured by {EVALUATION_PROGRAM}, in the merge request's pipeline"
            notes += (f"{', '.join(later)}: {where}",)
    return Evaluation(metrics, rules, notes)


def _metrics_of_files(folder: Path) -> tuple[dict[str, float], tuple[str, ...]]:
    name = folder.resolve().name
    train = f"slipway train {name}"
    try:
        found = read_evaluation(folder, None)
    except SlipwayError as error:
        raise SlipwayError(error.what, where=error.where, fix=train) from error
    if found is None or not found.metrics:
        left_out = f": {'; '.join(found.notes)}" if found and found.notes else ""
        raise SlipwayError(
            f"nothing was measured{left_out}",
            where=str(folder),
            fix=f"name a metrics file of a stage in dvc.yaml, then {train}",
        )
    return found.metrics, found.notes


def served_record(production: StageReader, name: str) -> Record | None:
    """Return the record of the release that production's alias of ``name`` serves."""
    catalog = Catalog(production)
    alias = catalog.find_alias(name)
    return None if alias is None else catalog.record(name, alias.target)


def _verdict(
    model: str, metrics: Sequence[MetricComparison], served: Record | None
) -> tuple[Verdict, str]:
    def named(*states: str) -> list[str]:
        return [m.name for m in metrics if m.rule is not None and m.state in states]

    refused = [f"{m.name}: {m.said}" for m in metrics if m.state == "refused"]
    if refused:
        return "worse", "; ".join(refused)
    if served is None:
        return "none", f"production serves no release of {model}"
    if not any(m.candidate is not None for m in metrics):
        return "none", "the training measured nothing"
    if not any(m.rule for m in metrics):
        return "none", f"no rule in models/{model}/{FILE_NAME} says which metric has to be how good"
    better, allowed = named("better"), named("allowed")
    if not (better or allowed or named("same")):
        return "none", f"production's {served.version} has none of the metrics with a rule"
    within = f"worse within the margin: {', '.join(allowed)}" if allowed else ""
    if better:
        return "better", "; ".join(filter(None, [f"better: {', '.join(better)}", within]))
    return "equal", within or f"the same as production's {served.version}"


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
