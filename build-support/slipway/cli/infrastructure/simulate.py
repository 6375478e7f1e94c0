"""``slipway simulate``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.infrastructure import simulate_options

if TYPE_CHECKING:
    import numpy as np

    from slipway.simulate.plan import Plan
    from slipway.simulate.traffic import Traffic


@click.command()
@simulate_options.add_options
def simulate(**options: Any) -> int:
    """Simulate a fleet of instances for many models.

    Says how many instances of which type are enough, how many requests find their model loaded,
    how long the others wait, and the cost. Every figure that is not given or measured is named as
    a guess. Exits with 1 if no fleet is enough. See docs/simulation.md.

    \b
    Example: slipway simulate --models 1000 --traffic 50/s --p99 1s
      slipway simulate --measured state.json --instance ml.r5.xlarge
      slipway simulate --captured --since 7d --prices prices.toml
    """
    from slipway.cli.progress import working
    from slipway.loadtest.prices import read_price
    from slipway.simulate.goal import recommend
    from slipway.simulate.instance_type import find_instance_type

    simulate_options.refuse(options)
    kinds = [find_instance_type(name) for name in dict.fromkeys(options["types"])]
    prices = options["prices"]
    price = {kind.name: read_price(prices, kind.name) if prices else None for kind in kinds}
    plan = _plan(options)
    candidates = []
    for kind in kinds:
        with working(f"simulating {kind.name}"):
            candidates += list(
                plan.candidates(kind, price[kind.name], simulate_options.counts(options))
            )
    chosen = recommend(candidates)
    if options["as_json"]:
        from slipway.simulate.plan import as_json

        click.echo(json.dumps(as_json(plan, candidates, chosen)))
    else:
        from rich.console import Console

        from slipway.simulate.table import print_simulation

        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = 150  # a log has no width of its own
        print_simulation(plan, candidates, chosen, console)
    if options["output"]:
        from slipway.simulate.picture import draw

        title = f"{plan.models.count:,} models, {plan.traffic.rate:.4g} requests a second"
        draw(candidates, chosen, plan.goal, title, options["output"])
    return int(chosen is None)


def _plan(options: dict[str, Any]) -> Plan:
    import numpy as np

    from slipway.loadtest import quantity
    from slipway.simulate import plan
    from slipway.simulate.goal import Goal
    from slipway.simulate.measured import Measured, read_measured

    random = np.random.default_rng(options["seed"])
    found = Measured()
    if options["measured"]:
        found = read_measured(options["measured"], options["where"])
    traffic = _traffic(options, random)
    models, assumptions = plan.describe_models(
        len(traffic.shares),
        simulate_options.figures(options),
        found,
        random,
        options["concurrency"],
    )
    copy_after = options["copy_after"]
    return plan.rules(
        plan.Plan(
            models,
            traffic,
            Goal(
                quantity.parse_seconds(options["p99"], "--p99"),
                quantity.parse_share(options["hit_rate"], "--hit-rate"),
            ),
            options["reserved"],
            options["volume"],
            options["loads_at_once"],
            simulate_options.scaling(options),
            None if copy_after == "never" else quantity.parse_seconds(copy_after, "--copy-after"),
            options["seed"],
            (*_described(traffic, options), *assumptions),
        )
    )


def _traffic(options: dict[str, Any], random: np.random.Generator) -> Traffic:
    from slipway.loadtest import quantity
    from slipway.simulate.traffic import captured_traffic, draw_traffic

    rate = quantity.parse_rate(options["traffic"], "--traffic") if options["traffic"] else None
    if not options["captured"] and not options["captures"]:
        assert rate is not None
        return draw_traffic(options["models"], rate, options["requests"], options["zipf"], random)
    from datetime import UTC, datetime
    from pathlib import Path

    from slipway import settings
    from slipway.capture.location import capture_location, parse_location
    from slipway.capture.read import read_captured

    configured = settings.load(Path.cwd())
    if options["captures"]:
        location, own = parse_location(options["captures"], configured.root, foreign=True), None
    else:
        location, own = capture_location(configured, options["where"]), options["where"]
    since = datetime.now(UTC) - options["since"]
    requests = read_captured(location, endpoint=own, since=since)
    traffic = captured_traffic(requests, str(location))
    return traffic.faster(rate / traffic.rate) if rate else traffic


def _described(traffic: Traffic, options: dict[str, Any]) -> list[Any]:
    from slipway.simulate.assumptions import Assumption

    if traffic.targets:
        rate = f"{traffic.rate:.4g}/s"
        faster = f", at the rate of --traffic: {rate}" if options["traffic"] else f", {rate}"
        return [
            Assumption("traffic", f"captured, {len(traffic.targets)} models{faster}", "measured")
        ]
    return [
        Assumption("traffic", f"{options['traffic']}, at random times (Poisson)", "given"),
        Assumption("popularity of models", f"Zipf's law, exponent {options['zipf']:g}", "given"),
    ]
