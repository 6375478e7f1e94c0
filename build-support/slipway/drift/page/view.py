"""What the page about a check for drift shows, as plain values for its template."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from slipway.drift.page.chart import Chart, draw_chart
from slipway.drift.report import Statistic, TensorDrift
from slipway.drift.verdict import Comparison, DriftCheck, ReleaseDrift

FIRST_CHARTS, FIRST_STATISTICS, FIRST_ROWS = 6, 6, 5
TONES = {"drift": "bad", "no drift": "good"}
LISTED = 12  # names in one line


@dataclass(frozen=True)
class StatisticRow:
    """One line of a tensor's table."""

    name: str
    value: str
    threshold: str
    reference: str
    verdict: str
    tone: str


@dataclass(frozen=True)
class TensorView:
    """A tensor: the first of each are shown, what is ``more`` on demand."""

    name: str
    about: str
    moved: bool
    charts: tuple[Chart, ...]
    more_charts: tuple[Chart, ...]
    statistics: tuple[StatisticRow, ...]
    more_statistics: tuple[StatisticRow, ...]
    rows: tuple[tuple[str, ...], ...]
    more_rows: int


@dataclass(frozen=True)
class ComparisonView:
    """A comparison with one reference; tensors that moved come first."""

    title: str
    lines: tuple[str, ...]
    tensors: tuple[TensorView, ...]


@dataclass(frozen=True)
class ReleaseView:
    """A release: its card, and its comparisons."""

    name: str
    target: str
    verdict: str
    tone: str
    cells: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]
    comparisons: tuple[ComparisonView, ...]


@dataclass(frozen=True)
class View:
    """The whole page."""

    headline: str
    foot: str
    lines: tuple[str, ...]
    releases: tuple[ReleaseView, ...]


def build_view(check: DriftCheck) -> View:
    """Return the page of ``check``. Releases without a comparison are named in one line each
    verdict, unless only one release was checked."""
    compared = [release for release in check.releases if release.comparisons]
    shown = compared if len(check.releases) > 1 else list(check.releases)
    ordered = sorted(shown, key=lambda release: (release.verdict != "drift", release.name))
    lines = list(check.problems)
    for verdict in ("no requests", "no profile", "too few rows"):
        names = [r.name for r in check.releases if r.verdict == verdict and r not in shown]
        if names:
            lines.append(f"{verdict}: {_list(sorted(set(names)))}")
    if check.others:
        count = sum(check.others.values())
        lines.append(
            f"left out: {count:,} requests to releases that no checked alias serves:"
            f" {_list(sorted(check.others))}"
        )
    return View(
        _headline(check),
        f"Captured by {check.endpoint} from {check.since:%Y-%m-%d %H:%M} to"
        f" {check.until:%Y-%m-%d %H:%M} UTC",
        tuple(lines),
        tuple(_release(release) for release in ordered),
    )


def _headline(check: DriftCheck) -> str:
    verdicts = Counter(release.verdict for release in check.releases)
    if len(check.releases) == 1:
        return f"{check.releases[0].name} on {check.endpoint}: {check.verdict}"
    drifted = verdicts["drift"]
    compared = drifted + verdicts["no drift"]
    if not compared:
        return f"Nothing to compare on {check.endpoint}"
    return f"Drift in {drifted} of {compared} compared releases on {check.endpoint}"


def _release(release: ReleaseDrift) -> ReleaseView:
    moved = release.moved
    cells = [
        ("verdict", release.verdict, TONES.get(release.verdict, "note")),
        ("requests", f"{release.requests:,}", ""),
    ]
    if release.comparisons:
        cells.append(("rows", f"{release.comparisons[0].report.rows:,}", ""))
        cells.append(("tensors that moved", _list(moved) if moved else "none", ""))
    return ReleaseView(
        release.name,
        release.target,
        release.verdict,
        TONES.get(release.verdict, "note"),
        tuple(cells),
        release.notes,
        tuple(_comparison(comparison) for comparison in release.comparisons),
    )


def _comparison(comparison: Comparison) -> ComparisonView:
    report = comparison.report
    if comparison.reference == "profile":
        title = f"Against its profile of {report.reference_rows:,} rows from {report.source}"
    else:
        title = f"Against {comparison.reference}, {report.reference_rows:,} rows"
    lines = list(report.notes)
    if comparison.verdict == "too few rows":
        lines.insert(0, "too few rows: no distribution of so few can be told from chance")
    tensors = sorted(report.tensors, key=lambda tensor: (not tensor.moved, -tensor.score))
    return ComparisonView(title, tuple(lines), tuple(_tensor(tensor) for tensor in tensors))


def _tensor(tensor: TensorDrift) -> TensorView:
    statistics = sorted(
        tensor.statistics.items(), key=lambda item: (not item[1].moved, -_ratio(item[1]))
    )
    moved = {one.series for _, one in statistics if one.moved}
    order = {one.series: rank for rank, (_, one) in reversed(list(enumerate(statistics)))}
    charts = [
        draw_chart(series, distribution, moved=series in moved)
        for series, distribution in sorted(
            tensor.distributions.items(), key=lambda item: order.get(item[0], len(order))
        )
    ]
    rows = [_statistic(name, statistic) for name, statistic in statistics]
    first = max(FIRST_STATISTICS, sum(one.moved for _, one in statistics))
    return TensorView(
        tensor.name,
        f"{tensor.side.removesuffix('s')}, {tensor.kind}",
        tensor.moved,
        tuple(charts[:FIRST_CHARTS]),
        tuple(charts[FIRST_CHARTS:]),
        tuple(rows[:first]),
        tuple(rows[first:]),
        tuple(
            (
                row.event_id,
                str(row.row),
                row.series,
                "" if row.value is None else _value(row.value),
                row.reason,
            )
            for row in tensor.rows[:FIRST_ROWS]
        ),
        len(tensor.rows[FIRST_ROWS:]),
    )


def _statistic(name: str, statistic: Statistic) -> StatisticRow:
    endless = statistic.threshold == float("inf")
    verdict = "moved" if statistic.moved else "too few rows to say" if endless else "as before"
    return StatisticRow(
        name,
        f"{statistic.value:.3g}",
        "–" if endless else f"{statistic.threshold:.3g}",
        "" if statistic.reference is None else f"{statistic.reference:.3g}",
        verdict,
        "bad" if statistic.moved else "note" if endless else "",
    )


def _ratio(statistic: Statistic) -> float:
    return statistic.value / statistic.threshold if statistic.threshold > 0 else 0.0


def _value(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


def _list(names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
