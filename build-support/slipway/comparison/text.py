"""A comparison as text for a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from slipway.comparison.report import MeasureLine, TrafficComparison
from slipway.comparison.sequence import Bounds

MINUS = "−"
DESIGNS = {
    "paired": "requests that both answered",
    "split": "requests to one or the other",
    "replay": "captured requests of A, asked of B again",
}
UNLABELLED = "which of the two is right is not known without labels"


def format_comparison(comparison: TrafficComparison, advice: Sequence[str]) -> str:
    """Return the text: the decision, measures, examples, what limits it, and what to do."""
    parts = [
        _head(comparison),
        [f"{comparison.decision}: " + statement(comparison).replace("; ", "\n  ")],
        _table(comparison.primary + comparison.details, comparison),
        _differences(comparison),
        _limits(comparison),
        ["what to do:", *(f"  {line}" for line in advice)],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def statement(comparison: TrafficComparison) -> str:
    """Return the decision as a sentence, with the bounds that it rests on."""
    line = _deciding(comparison)
    mean, between = _value(line, line.bounds.mean, sign=True), _between(line)
    margin = _value(line, comparison.margin)
    if comparison.labelled:
        return {
            "b better": f"{line.title}: {mean} for B, {between}",
            "a better": f"{line.title}: {mean} for B, {between}",
            "equivalent": f"{line.title}: the difference is within ±{margin}, {between}",
            "different": "",
            "undecided": f"{line.title}: {mean} for B, {between}"
            + (f"; B is not worse by more than {margin}" if comparison.not_worse else ""),
        }[comparison.decision]
    if comparison.design == "split":
        what = f"{line.title}: {mean} for B, {between}"
        limit = f"the margin is ±{margin}"
    else:
        what = f"{_value(line, line.bounds.mean)} of the answers are equal, {between}"
        limit = f"the margin allows {margin} to differ"
    return f"{what}; {limit}" + (f"; {UNLABELLED}" if comparison.decision != "equivalent" else "")


def _deciding(comparison: TrafficComparison) -> MeasureLine:
    """Return the measure that is farthest from no difference."""

    def distance(line: MeasureLine) -> float:
        bounds = line.bounds
        return max(bounds.lower, -bounds.upper, abs(bounds.mean) / 1e6 if line.count else -1.0)

    return max(comparison.primary, key=distance)


def _head(comparison: TrafficComparison) -> list[str]:
    times = [f"{time:%Y-%m-%d %H:%M}" for time in (comparison.since, comparison.until)]
    counts = f"{comparison.compared:,} {DESIGNS[comparison.design]}"
    if comparison.labelled:
        counts = f"{comparison.compared:,} labelled {DESIGNS[comparison.design]}"
    return [
        f"{comparison.name} on {comparison.endpoint}, {times[0]} to {times[1]} UTC",
        f"A  {comparison.a}  {comparison.requests[0]:,} requests",
        f"B  {comparison.b}  {comparison.requests[1]:,} requests",
        f"{counts}; answer: {comparison.answer}",
        f"risk of a wrong decision, at all looks together: {comparison.risk:g}",
    ]


def _table(lines: Sequence[MeasureLine], comparison: TrafficComparison) -> list[str]:
    rows = [("", "A", "B", f"B {MINUS} A", "between", "of")]
    for line in lines:
        bounds = line.bounds
        if line.a == line.b == 0:
            continue  # a label that neither gave
        is_share = comparison.design != "split" and line is comparison.primary[0]
        sign = not (is_share and not comparison.labelled)
        rows.append(
            (
                line.title,
                "" if line.a is None else _value(line, line.a),
                "" if line.b is None else _value(line, line.b),
                _value(line, bounds.mean, sign=sign),
                f"{_value(line, bounds.lower, sign=sign)} and"
                f" {_value(line, bounds.upper, sign=sign)}",
                f"{line.count:,}",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _differences(comparison: TrafficComparison) -> list[str]:
    lines = []
    if comparison.only_right is not None:
        a, b = comparison.only_right
        lines.append(f"only A is right: {a:,} requests; only B: {b:,}")
    for score in comparison.scores:
        if score.largest == 0:
            lines.append(f"{score.output}: equal in all")
            continue
        lines.append(
            f"{score.output}: B {MINUS} A is {score.mean:+.3g} on average,"
            f" {score.mean_absolute:.3g} in size, at most {score.largest:.3g}"
        )
    for flip in comparison.flips:
        lines.append(f"{flip.count:,} × A says {_short(flip.a)}, B says {_short(flip.b)}, such as")
        for event_id in flip.event_ids:
            lines.append(f"  {event_id}")
    if comparison.flips and comparison.redacted:
        kept = ", ".join(f"{name} ({rule})" for name, rule in sorted(comparison.redacted.items()))
        lines.append(f"the captures hold these events without: {kept}")
    return ["answered differently:", *(f"  {line}" for line in lines)] if lines else []


def _limits(comparison: TrafficComparison) -> list[str]:
    ratio = comparison.sample_ratio
    lines = [f"note: {note}" for note in comparison.notes]
    if ratio is not None and not ratio.broken:
        shares = " and ".join(f"{share:.0%}" for share in ratio.weights)
        lines.append(f"the split fits its weights of {shares} (p = {ratio.p_value:.2g})")
    lines += [
        f"left out: {count:,} {reason}" for reason, count in sorted(comparison.left_out.items())
    ]
    return lines


def _between(line: MeasureLine) -> str:
    bounds: Bounds = line.bounds
    signed = bounds.lower < 0 or line.a is not None
    return (
        f"between {_value(line, bounds.lower, sign=signed)} and"
        f" {_value(line, bounds.upper, sign=signed)}"
    )


def _value(line: MeasureLine, value: float, *, sign: bool = False) -> str:
    """Return a share in per cent, or a number in its own unit."""
    if math.isnan(value):
        return "unknown"
    wide = line.bounds.upper - line.bounds.lower
    if line.is_share:
        decimals = 1 if wide > 0.02 else 2
        text = f"{100 * value:{'+' if sign else ''}.{decimals}f} %"
    else:
        text = f"{value:{'+' if sign else ''}.4g}"
    return text.replace("-", MINUS)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
