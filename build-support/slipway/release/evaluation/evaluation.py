"""Whether a model's metrics allow its release: what was measured of it, beside what is served.

Metrics come from DVC's metrics files and from ``slipway evaluate``; how far they may fall behind is
said in ``evaluation.toml`` (:mod:`slipway.model.thresholds`). Both travel in the release's record.
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
    """What was measured of an artifact: a :class:`Record` or an :class:`Evaluation`."""

    @property
    def metrics(self) -> Mapping[str, float] | None: ...
    @property
    def rules(self) -> Mapping[str, Mapping[str, Any]] | None: ...


@dataclass(frozen=True)
class Evaluation:
    """``metrics`` by their names, with dots where DVC's files nest; ``rules`` are thresholds by the
    metric's name, as JSON. ``notes`` say which metrics were left out, and why."""

    metrics: dict[str, float]
    rules: dict[str, dict[str, Any]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class MetricComparison:
    """One metric of a candidate beside that of what is served; ``None`` where it was not measured.

    ``state`` without a rule is ``same``, ``changed``, ``new`` or ``gone``; with one, ``better``,
    ``allowed`` (worse, within its margin) and ``refused`` as well. ``said`` says why it is refused;
    ``loosened`` what the rule allows that the served release's did not.
    """

    name: str
    candidate: float | None
    served: float | None
    rule: dict[str, Any] | None
    state: State
    said: str | None = None
    loosened: tuple[str, ...] = ()


def read_evaluation(folder: Path, artifact: Artifact | None) -> Evaluation | None:
    """What is known of the model in ``folder`` as it is packed in ``artifact``; ``None`` if it has
    neither metrics nor thresholds.

    What ``slipway evaluate`` measured of other bytes is left out, and so are DVC's metrics of other
    weights; ``notes`` say so.

    Raises:
        SlipwayError: its ``evaluation.toml`` is malformed or names a file that is not there, or a
            file of metrics is damaged.
    """
    from slipway.release.evaluation import dvc_metrics  # DVC behind it

    chosen = thresholds.load_thresholds(folder)
    found, notes = dvc_metrics.read_dvc_metrics(
        folder, artifact, None if chosen is None else chosen.files
    )
    if artifact is not None:
        values, more = metrics_file.read_metrics(folder, artifact)
        found |= {EVALUATION_PROGRAM: values} if values else {}
        notes += more
    rules = {} if chosen is None else {name: rule.dump() for name, rule in chosen.metric.items()}
    if not found and not rules:
        return None
    return Evaluation(_merged(found), rules, tuple(notes))


def compare_metrics(candidate: HasMetrics, served: HasMetrics | None) -> list[MetricComparison]:
    """Each metric that ``candidate`` or ``served`` has, those with a rule of the candidate's first.

    ``served`` is what production serves, ``None`` for nothing: then only bounds can refuse.
    """
    rules = _rules(candidate)
    mine, theirs = candidate.metrics or {}, (served.metrics if served is not None else None) or {}
    names = [*sorted(rules), *sorted((set(mine) | set(theirs)) - set(rules))]
    before = {} if served is None else _rules(served)
    return [
        _compared(name, mine.get(name), theirs.get(name), rules.get(name), before.get(name))
        for name in names
    ]


def refuse_worse(candidate: Record, served: Record | None) -> None:
    """Refuse to promote what is worse than ``served``, which production serves, by the candidate's
    own rules. With nothing served, only ``at_least`` and ``at_most`` count.

    Raises:
        SlipwayError: a metric is worse by more than its margin, was not measured any more, or
            breaks a bound; shows both values of each, and which rules were loosened.
    """
    compared = compare_metrics(candidate, served)
    refused = [each for each in compared if each.state == "refused"]
    if not refused:
        return
    against = f", which serves {served.version}" if served is not None else ""
    what = f"{candidate.name} {candidate.version} may not go to production{against}:"
    loosened = [
        f"{each.name}: its rule was loosened: {change}"
        for each in compared
        for change in each.loosened
    ]
    again = f"slipway evaluate models/{candidate.name}, or dvc repro; then publish it again"
    missing = any(each.candidate is None for each in refused)
    raise SlipwayError(
        "\n  ".join([what, *map(_told, refused), *loosened]),
        where=f"models/{candidate.name}/{thresholds.FILE_NAME}",
        fix=f"measure it: {again}" if missing else "train it further, or change its rule there",
    )


def _told(each: MetricComparison) -> str:
    """A refused metric: both values and why."""
    value = UNMEASURED if each.candidate is None else f"{each.candidate:g}"
    served = "" if each.served is None else f", production has {each.served:g}"
    why = "" if each.said == value else f": {each.said}"
    better = "" if each.rule is None else f" ({each.rule['better']} is better)"
    return f"{each.name}{better}: {value}{served}{why}"


def _compared(
    name: str,
    value: float | None,
    served: float | None,
    rule: Threshold | None,
    was: Threshold | None,
) -> MetricComparison:
    dumped = None if rule is None else rule.dump()
    loosened = tuple(_loosened(rule, was))
    said = None if rule is None else _problem(rule, value, served)
    if said is not None:
        return MetricComparison(name, value, served, dumped, "refused", said, loosened)
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
    """Why a metric is refused, for readers who see both values."""
    if served is None:
        return rule.beyond(value)
    if value is None:
        return UNMEASURED
    if not math.isfinite(value):
        return "no number"
    if math.isfinite(served):
        worsening, allowed = float(rule.worsening(value, served)), float(rule.allowed(served))
        if rule.worsening(value, served) > rule.allowed(served):
            margin = f" ({rule.margin})" if isinstance(rule.margin, str) else ""
            return f"worse by {worsening:g}, allowed is {allowed:g}{margin}"
    return rule.beyond(value)


def _loosened(rule: Threshold | None, was: Threshold | None) -> Sequence[str]:
    if was is None:
        return ()
    return ["it has none any more"] if rule is None else rule.looser_than(was)


def _rules(of: HasMetrics) -> dict[str, Threshold]:
    """The thresholds of a record.

    Raises:
        SlipwayError: they are none.
    """
    try:
        return {name: thresholds.parse_threshold(rule) for name, rule in (of.rules or {}).items()}
    except (ValueError, TypeError) as error:
        raise SlipwayError(
            f"the rules in a release's record are damaged: {error}", fix="publish it again"
        ) from error


def _merged(found: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The metrics of several files; a name that two have gets the file's before it, as in DVC."""
    names = [name for metrics in found.values() for name in metrics]
    return {
        (name if names.count(name) == 1 else f"{file}:{name}"): value
        for file, metrics in found.items()
        for name, value in metrics.items()
    }
