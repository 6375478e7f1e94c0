"""Compare a model's metrics with those of the served release, and decide about its promotion.

Metrics come from DVC's metrics files and from ``slipway evaluate``. ``evaluation.toml`` says how
far they may fall behind (:mod:`slipway.model.thresholds`). The release's record holds both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from slipway.artifact.artifact import Artifact
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.model import thresholds
from slipway.model.thresholds import EVALUATION_PROGRAM, Threshold
from slipway.release.evaluation import metrics_file

UNMEASURED = "not measured"
State = Literal["better", "same", "allowed", "refused", "changed", "new", "gone"]


class HasMetrics(Protocol):
    """The metrics of an artifact: a :class:`Record` or an :class:`Evaluation`."""

    @property
    def metrics(self) -> Mapping[str, float] | None: ...
    @property
    def rules(self) -> Mapping[str, Mapping[str, Any]] | None: ...


@dataclass(frozen=True)
class Evaluation:
    """A model's ``metrics`` by name, with dots where DVC's files nest. ``rules`` are thresholds by
    the metric's name, as JSON. ``notes`` explain which metrics were left out."""

    metrics: dict[str, float]
    rules: dict[str, dict[str, Any]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class MetricComparison:
    """One metric of a candidate and of the served release; ``None`` if it was not measured.

    Without a rule, ``state`` is ``same``, ``changed``, ``new`` or ``gone``; with a rule, also
    ``better``, ``allowed`` (worse, within its margin) or ``refused``. ``said`` is the reason of a
    refusal. ``loosened`` lists what the rule allows and the served release's rule did not.
    """

    name: str
    candidate: float | None
    served: float | None
    rule: dict[str, Any] | None
    state: State
    said: str | None = None
    loosened: tuple[str, ...] = ()


def read_evaluation(folder: Path, artifact: Artifact | None) -> Evaluation | None:
    """Return the metrics and rules of the model in ``folder``, as packed in ``artifact``; ``None``
    if it has neither.

    Metrics of other bytes or of other weights are left out, with a note.

    Raises:
        SlipwayError: ``evaluation.toml`` is malformed or names a missing file, or a metrics file
            is damaged.
    """
    from slipway.release.evaluation import dvc_metrics  # imports DVC, which is slow

    chosen = thresholds.load_thresholds(folder)
    metrics, notes = dvc_metrics.read_dvc_metrics(
        folder, artifact, None if chosen is None else chosen.files
    )
    if artifact is not None:
        values, file_notes = metrics_file.read_metrics(folder, artifact)
        metrics |= {EVALUATION_PROGRAM: values} if values else {}
        notes += file_notes
    rules = {} if chosen is None else {name: rule.dump() for name, rule in chosen.metric.items()}
    if not metrics and not rules:
        return None
    return Evaluation(_merge_files(metrics), rules, tuple(notes))


def compare_metrics(candidate: HasMetrics, served: HasMetrics | None) -> list[MetricComparison]:
    """Compare each metric of ``candidate`` or ``served``, those with a rule of the candidate first.

    ``served`` is the release in production; if it is ``None``, only bounds can refuse.
    """
    rules = _rules(candidate)
    mine, theirs = candidate.metrics or {}, (served.metrics if served is not None else None) or {}
    names = [*sorted(rules), *sorted((set(mine) | set(theirs)) - set(rules))]
    before = {} if served is None else _rules(served)
    return [
        _compare_metric(name, mine.get(name), theirs.get(name), rules.get(name), before.get(name))
        for name in names
    ]


def refuse_worse(candidate: Record, served: Record | None) -> None:
    """Refuse to promote a candidate that, by its own rules, is worse than ``served``, production's
    release. If nothing is served, only ``at_least`` and ``at_most`` count.

    Raises:
        SlipwayError: a metric is worse by more than its margin, is no longer measured, or breaks
            a bound; shows both values of each, and which rules were loosened.
    """
    compared = compare_metrics(candidate, served)
    refused = [metric for metric in compared if metric.state == "refused"]
    if not refused:
        return
    current = f", which serves {served.version}" if served is not None else ""
    title = f"{candidate.name} {candidate.version} may not go to production{current}:"
    loosened = [
        f"{metric.name}: its rule was loosened: {change}"
        for metric in compared
        for change in metric.loosened
    ]
    measure = f"slipway evaluate models/{candidate.name}, or dvc repro; then publish it again"
    missing = any(metric.candidate is None for metric in refused)
    raise SlipwayError(
        "\n  ".join([title, *map(_describe_refusal, refused), *loosened]),
        where=f"models/{candidate.name}/{thresholds.FILE_NAME}",
        fix=f"measure it: {measure}" if missing else "train it further, or change its rule there",
    )


def _describe_refusal(metric: MetricComparison) -> str:
    """Return the values of a refused metric, and the reason."""
    value = UNMEASURED if metric.candidate is None else f"{metric.candidate:g}"
    served = "" if metric.served is None else f", production has {metric.served:g}"
    reason = "" if metric.said == value else f": {metric.said}"
    better = "" if metric.rule is None else f" ({metric.rule['better']} is better)"
    return f"{metric.name}{better}: {value}{served}{reason}"


def _compare_metric(
    name: str,
    value: float | None,
    served: float | None,
    rule: Threshold | None,
    served_rule: Threshold | None,
) -> MetricComparison:
    dumped = None if rule is None else rule.dump()
    loosened = tuple(_loosened(rule, served_rule))
    problem = None if rule is None else _problem(rule, value, served)
    if problem is not None:
        return MetricComparison(name, value, served, dumped, "refused", problem, loosened)
    return MetricComparison(
        name, value, served, dumped, _state(rule, value, served), None, loosened
    )


def _state(rule: Threshold | None, value: float | None, served: float | None) -> State:
    if served is None:
        return "new"
    if value is None:
        return "gone"
    if value == served:
        return "same"
    if rule is None or not (math.isfinite(value) and math.isfinite(served)):
        return "changed"
    return "better" if rule.worsening(value, served) < 0 else "allowed"


def _problem(rule: Threshold, value: float | None, served: float | None) -> str | None:
    """Return why a metric is refused, for readers who see both values; ``None`` if it is not."""
    if served is None:
        return rule.beyond(value)
    if value is None:
        return UNMEASURED
    if not math.isfinite(value):
        return "not a finite number"
    if math.isfinite(served):
        worsening, allowed = float(rule.worsening(value, served)), float(rule.allowed(served))
        if rule.worsening(value, served) > rule.allowed(served):
            margin = f" ({rule.margin})" if isinstance(rule.margin, str) else ""
            return f"worse by {worsening:g}, allowed is {allowed:g}{margin}"
    return rule.beyond(value)


def _loosened(rule: Threshold | None, served_rule: Threshold | None) -> Sequence[str]:
    if served_rule is None:
        return ()
    return ["it was removed"] if rule is None else rule.looser_than(served_rule)


def _rules(measured: HasMetrics) -> dict[str, Threshold]:
    """Return the thresholds of a record.

    Raises:
        SlipwayError: they are damaged.
    """
    try:
        return {
            name: thresholds.parse_threshold(rule) for name, rule in (measured.rules or {}).items()
        }
    except (ValueError, TypeError) as error:
        raise SlipwayError(
            f"the rules in a release's record are damaged: {error}", fix="publish it again"
        ) from error


def _merge_files(files: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Merge metrics of several files; as in DVC, a name in two files is preceded by the file."""
    names = [name for metrics in files.values() for name in metrics]
    return {
        (name if names.count(name) == 1 else f"{file}:{name}"): value
        for file, metrics in files.items()
        for name, value in metrics.items()
    }
