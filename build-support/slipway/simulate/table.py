"""Print simulated fleets as tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from slipway.simulate.goal import Candidate
from slipway.simulate.plan import Plan

DASH = "–"
STYLES = {"guessed": "yellow", "measured": "green", "given": "", "documented": "dim"}


def print_simulation(
    plan: Plan, candidates: Sequence[Candidate], chosen: Candidate | None, console: Console
) -> None:
    """Print the fleets, the recommendation with its reason, and what is assumed."""
    goal = f"p99 of {plan.goal.p99_s:g} s"
    goal += f", {plan.goal.hit_rate:.4g} of the hits" if plan.goal.hit_rate else ""
    console.print(
        f"[bold]{plan.models.count:,} models[/], {len(plan.traffic.times):,} requests at"
        f" {plan.traffic.rate:.4g}/s; for {goal}; seed {plan.seed}"
    )
    console.print(_fleets(candidates, chosen))
    for line in recommendation(plan, candidates, chosen):
        console.print(line, highlight=False)
    table = Table("assumed", "", "from", title_justify="left")
    for each in plan.assumptions:
        style = STYLES[each.origin]
        table.add_row(each.what, each.value, f"[{style}]{each.origin}[/]" if style else each.origin)
    console.print(table)


def _fleets(candidates: Sequence[Candidate], chosen: Candidate | None) -> Table:
    table = Table("fleet", "hits", "p50", "p99", "cold p50", "cold p99", "429", "USD/month", "")
    for column in table.columns[1:8]:
        column.justify = "right"
    order = {
        name: number for number, name in enumerate(dict.fromkeys(c.type.name for c in candidates))
    }
    for each in sorted(candidates, key=lambda c: (order[c.type.name], c.instances)):
        summary = each.summary
        mark = (
            "[bold green]recommended[/]" if each is chosen else "enough" if each.is_enough else ""
        )
        paid = summary.instances
        scaled = "" if abs(paid - each.instances) < 0.005 else f" (mean {paid:.2f})"
        table.add_row(
            f"{each.instances} × {each.type.name}{scaled}",
            f"{summary.hit_rate:.2%}",
            _seconds(summary.latency["p50"]),
            _seconds(summary.latency["p99"]),
            _seconds(summary.cold["p50"]),
            _seconds(summary.cold["p99"]),
            f"{summary.not_ready + summary.failed:.2%}",
            DASH if each.usd is None else f"{each.usd:,.0f}",
            mark,
        )
    return table


def recommendation(
    plan: Plan, candidates: Sequence[Candidate], chosen: Candidate | None
) -> list[str]:
    """Return what is recommended, and why."""
    if chosen is None:
        closest = max(candidates, key=lambda each: (each.summary.hit_rate, each.instances))
        return [
            "[bold red]No fleet that was simulated is enough.[/]",
            f"Closest: {closest.instances} × {closest.type.name}: {'; '.join(closest.missing)}.",
            "More memory an instance helps hits, more instances help waits;"
            " other --instance types, more --instances, or a lower --p99 goal.",
        ]
    why = "the cheapest" if chosen.usd is not None else "with the fewest cores (no --prices given)"
    lines = [f"[bold]{chosen.instances} × {chosen.type.name}[/]: {why} of those that are enough."]
    one_less = next(
        (
            each
            for each in candidates
            if each.type == chosen.type and each.instances == chosen.instances - 1
        ),
        None,
    )
    if one_less is not None:
        lines.append(f"One less is not enough: {'; '.join(one_less.missing)}.")
    elif chosen.instances == 1:
        lines.append("AWS advises two instances at least, in two availability zones.")
    total = float(plan.models.memory.sum())
    room = plan.shape(chosen.type).memory * chosen.instances
    lines.append(
        f"All models need {total / 1e9:,.4g} GB of memory, and the fleet has {room / 1e9:,.4g} GB."
        f" Che's approximation expects {plan.expected_hit_rate(chosen):.2%} of the requests to find"
        " their model loaded, with one copy of each."
    )
    return lines


def _seconds(value: float | None) -> str:
    if value is None:
        return DASH
    return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"
