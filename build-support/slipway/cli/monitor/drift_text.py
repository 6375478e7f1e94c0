"""A check for drift as text, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from slipway.drift.report import MovedRow, Statistic, TensorDrift
    from slipway.drift.verdict import Comparison, DriftCheck, ReleaseDrift

STILL = 3  # statistics of a tensor below their thresholds that are printed
ROWS = 5  # of a tensor
OTHERS = 5  # target models that no alias serves


def render_text(check: DriftCheck) -> str:
    """Return the check as lines: each release, its tensors and statistics, and the rows."""
    lines: list[str] = []
    many = len(check.releases) > OTHERS
    quiet = [r for r in check.releases if many and r.verdict in ("no requests", "no profile")]
    for release in check.releases:
        if release not in quiet:
            lines += _release(check, release)
    for verdict in ("no requests", "no profile"):
        names = sorted({release.name for release in quiet if release.verdict == verdict})
        if names:
            shown = ", ".join(names[:OTHERS])
            more = f" and {len(names) - OTHERS} more" if len(names) > OTHERS else ""
            lines.append(f"{verdict}: {shown}{more}")
    lines += [f"note: {problem}" for problem in check.problems]
    if check.others:
        names = sorted(check.others, key=lambda target: -check.others[target])
        more = f" and {len(names) - OTHERS} more" if len(names) > OTHERS else ""
        lines.append(
            f"note: {sum(check.others.values()):,} requests to releases that no checked alias"
            f" serves are left out: {', '.join(names[:OTHERS])}{more}"
        )
    if check.verdict == "no requests":
        lines += [
            f"nothing was captured since {check.since:%Y-%m-%d %H:%M} in {check.location}",
            "  capture with: slipway endpoint up --capture; or look further back: --since 7d",
        ]
    return "\n".join(lines) + "\n"


def _release(check: DriftCheck, release: ReleaseDrift) -> Iterator[str]:
    name = click.style(release.name, bold=True)
    yield f"{name} on {check.endpoint}: {_verdict(release.verdict)} ({release.target})"
    for comparison in release.comparisons:
        yield from _comparison(check, comparison)
    if not release.comparisons and release.requests:
        yield f"  {release.requests:,} requests since {check.since:%Y-%m-%d %H:%M} UTC"
    yield from (f"  note: {note}" for note in release.notes)


def _comparison(check: DriftCheck, comparison: Comparison) -> Iterator[str]:
    report = comparison.report
    reference = f"{comparison.reference} of {report.reference_rows:,} rows"
    if comparison.reference == "profile":
        reference += f" from {report.source}"
    yield (
        f"  {report.rows:,} rows in {report.requests:,} requests since"
        f" {check.since:%Y-%m-%d %H:%M} UTC, against the {reference.removeprefix('the ')}"
    )
    if comparison.verdict == "too few rows":
        yield "  too few rows: no distribution of so few can be told from chance"
    for tensor in report.tensors:
        yield from _tensor(tensor)
    yield from (f"  note: {note}" for note in report.notes)


def _tensor(tensor: TensorDrift) -> Iterator[str]:
    mark = click.style("✗", fg="red") if tensor.moved else click.style("✓", fg="green")
    side = tensor.side.removesuffix("s")
    yield f"  {mark} {click.style(tensor.name, bold=True)}  {side}, {tensor.kind}"
    ordered = sorted(tensor.statistics.items(), key=lambda item: -_ratio(item[1]))
    moved = [(name, one) for name, one in ordered if one.moved]
    still = [(name, one) for name, one in ordered if not one.moved]
    shown = moved + still[:STILL]
    width = max((len(name) for name, _ in shown), default=0)
    if shown:
        yield f"      {'statistic':<{width}}  {'value':>9}  {'threshold':>9}"
    for name, statistic in shown:
        yield f"      {name:<{width}}  {_figures(statistic)}"
    if len(still) > STILL:
        yield f"      and {len(still) - STILL} more below their thresholds"
    yield from _rows(tensor.rows)


def _figures(statistic: Statistic) -> str:
    endless = statistic.threshold == float("inf")
    threshold = "–" if endless else f"{statistic.threshold:.3g}"
    verdict = "moved" if statistic.moved else "too few rows to say" if endless else ""
    if statistic.moved and statistic.reference is not None:
        verdict += f", reference {statistic.reference:.3g}"
    return f"{statistic.value:>9.3g}  {threshold:>9}  {verdict}".rstrip()


def _rows(rows: Sequence[MovedRow]) -> Iterator[str]:
    if rows:
        yield "      rows that moved:"
    for row in rows[:ROWS]:
        value = "" if row.value is None else f" = {row.value}"
        yield f"        {row.event_id} row {row.row}: {row.series}{value}, {row.reason}"
    if len(rows) > ROWS:
        yield f"        and {len(rows) - ROWS} more: --json"


def _ratio(statistic: Statistic) -> float:
    return statistic.value / statistic.threshold if statistic.threshold > 0 else 0.0


def _verdict(verdict: str) -> str:
    colour = {"drift": "red", "no drift": "green"}.get(verdict, "yellow")
    return click.style(verdict, fg=colour)
