"""Compare two releases over captured traffic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from slipway.capture.record import CapturedRequest
from slipway.comparison import answer_differences, decision, groups
from slipway.comparison.decision import Decision
from slipway.comparison.ground_truth import Truth
from slipway.comparison.measured import Measured
from slipway.comparison.outcomes import Outcome, accuracy, closer, error_within, read_answer
from slipway.comparison.report import TrafficComparison
from slipway.comparison.sample_ratio import SampleRatio
from slipway.comparison.sequence import Bounds
from slipway.comparison.series import Matched, measure, measure_distribution
from slipway.comparison.traffic import Design, Selection, SortedTraffic, Unit, sort_traffic
from slipway.errors import SlipwayError

Judge = Callable[[Sequence[Bounds]], Decision]


@dataclass(frozen=True)
class Question:
    """What is asked of the captures of the model ``name``.

    ``a`` and ``b`` are target models, ``endpoint`` the one they answered on. ``risk`` is that of a
    wrong decision, ``margin`` what is no difference in practice: a share, or with ``largest_error``
    in the unit of the numbers. ``weights`` are those of a split alias, if they are known.
    """

    name: str
    a: str
    b: str
    endpoint: str
    since: datetime
    until: datetime
    risk: float = 0.05
    margin: float = 0.01
    design: Design | None = None
    selection: Selection = Selection()
    largest_error: float | None = None
    weights: tuple[float, float] | None = None


def compare(
    captured: Iterable[CapturedRequest], question: Question, truth: Truth | None = None
) -> TrafficComparison:
    """Compare by what was ``captured``, and by the ``truth`` if there is one.

    Where both releases answered the same requests, those are compared; else the two groups of a
    split.

    Raises:
        SlipwayError: nothing can be compared; says what is missing.
    """
    traffic = sort_traffic(captured, question.a, question.b, question.selection)
    design: Design = question.design or ("paired" if traffic.pairs else "split")
    ratio: SampleRatio | None = None
    notes: list[str] = []
    if design == "split":
        ratio, notes = groups.check_groups(traffic, question.weights)
    else:
        alone = sum(map(len, traffic.answers)) - sum(1 for _ in traffic.pairs)
        traffic.leave_out(
            "answered by one release only: the other failed, or was dropped", max(0, alone)
        )
    sent = (len(traffic.answers[0]), len(traffic.answers[1]))
    if truth is not None:
        traffic = _with_truth(traffic, truth)
        if design == "split":
            notes += groups.check_labelled(traffic, sent)
    series = (
        groups.split(traffic, question.weights) if design == "split" else Matched(traffic.pairs)
    )
    _refuse_empty(series, traffic, question, design, labelled=truth is not None)
    measured, judge = _measure(series, traffic, question, design, labelled=truth is not None)
    bounds = [each.bounds() for each in measured]
    decided = judge(bounds)
    more = None
    if decided == "undecided":
        requests = series.count * series.requests_each
        more = decision.estimate_more(
            lambda factor: judge([each.bounds(factor) for each in measured]), requests
        )
    is_number = traffic.rule.is_number
    details = []
    if truth is not None or design != "split":
        details = measure_distribution(
            series, str(traffic.rule), read_answer, is_number=is_number, risk=question.risk
        )
    pairs = series.pairs
    return TrafficComparison(
        name=question.name,
        a=question.a,
        b=question.b,
        endpoint=question.endpoint,
        design=design,
        answer=str(traffic.rule),
        labelled=truth is not None,
        requests=sent if design == "split" else (len(traffic.pairs), len(traffic.pairs)),
        compared=series.count * series.requests_each,
        since=question.since,
        until=question.until,
        risk=question.risk,
        margin=question.margin,
        decision=decided,
        more=more,
        not_worse=bounds[0].lower > -question.margin if truth is not None else None,
        primary=tuple(each.line() for each in measured),
        details=tuple(each.line() for each in details),
        flips=answer_differences.list_flips(pairs, is_number=is_number),
        scores=answer_differences.measure_scores(pairs),
        only_right=(
            answer_differences.count_only_right(pairs)
            if truth is not None and pairs and not is_number
            else None
        ),
        sample_ratio=ratio,
        path=measured[0].path(),
        left_out=traffic.left_out,
        redacted=traffic.redacted,
        notes=tuple(notes),
    )


def _measure(
    series: Matched, traffic: SortedTraffic, question: Question, design: Design, *, labelled: bool
) -> tuple[list[Measured], Judge]:
    """Return what decides, and how."""
    risk, margin, rule = question.risk, question.margin, traffic.rule
    if labelled:
        outcome = _quality(traffic, question)
        return [measure(series, outcome, risk)], lambda bounds: decision.decide_better(
            bounds[0], margin
        )
    if design != "split":
        equal = answer_differences.agreement(series.pairs)
        return [Measured("equal answers", equal, risk, is_share=True)], (
            lambda bounds: decision.decide_agreement(bounds[0], margin)
        )
    many = measure_distribution(series, str(rule), read_answer, is_number=rule.is_number, risk=risk)
    return many, lambda bounds: decision.decide_differences(bounds, margin)


def _quality(traffic: SortedTraffic, question: Question) -> Outcome:
    if not traffic.rule.is_number:
        return accuracy()
    if question.largest_error is None:
        return closer()
    return error_within(question.largest_error)


def _with_truth(traffic: SortedTraffic, truth: Truth) -> SortedTraffic:
    """Return the traffic whose right answers are known."""
    labelled = SortedTraffic(
        traffic.rule, left_out=dict(traffic.left_out), redacted=traffic.redacted
    )

    def add(unit: Unit) -> Unit | None:
        values = truth.get(unit.event_id)
        if values is None:
            labelled.leave_out("without a label")
            return None
        try:
            right = traffic.rule.read_truth(values)
        except ValueError as error:
            raise SlipwayError(
                f"the label of {unit.event_id} is {', '.join(values)}; {traffic.rule} is a number",
                fix="name the output that the labels are of with --answer, or cut it with --cut",
            ) from error
        if len(right) != len(unit.rows):
            labelled.leave_out("with labels for another number of rows")
            return None
        return replace(unit, truth=right)

    for pair in traffic.pairs:
        first = add(pair.a)
        if first is None:
            continue
        if len(pair.b.rows) != len(pair.a.rows):
            labelled.leave_out("with another number of rows in the answers")
            continue
        labelled.pairs.append(replace(pair, a=first, b=replace(pair.b, truth=first.truth)))
    if not traffic.pairs:
        for group, kept in zip(traffic.answers, labelled.answers, strict=True):
            kept.extend(unit for unit in map(add, group) if unit is not None)
    return labelled


def _refuse_empty(
    series: Matched, traffic: SortedTraffic, question: Question, design: Design, *, labelled: bool
) -> None:
    """Refuse to compare nothing.

    Raises:
        SlipwayError: says which release lacks requests.
    """
    if series.count:
        return
    lost = "; ".join(f"{count:,} {why}" for why, count in sorted(traffic.left_out.items()))
    suffix = f" (left out: {lost})" if lost else ""
    if labelled:
        raise SlipwayError(
            f"no captured request has a label for {traffic.rule}{suffix}",
            fix="the labels' event ids are those of the captures: eventMetadata.eventId",
        )
    counts = dict(zip((question.a, question.b), map(len, traffic.answers), strict=True))
    described = " and ".join(f"{count:,} of {target}" for target, count in counts.items())
    raise SlipwayError(
        f"nothing to compare: {described}{suffix}",
        fix=f"slipway alias {question.name} {question.a} --shadow {question.b} sends requests to"
        " both; or --replay asks B what A was asked",
    )
