"""``slipway tune``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.building import build_artifact
from slipway.cli.endpoint.options import url_option
from slipway.cli.exit_codes import INTERRUPTED
from slipway.cli.models import artifact_option, model_argument
from slipway.cli.options import FILE, Size, json_option
from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.catalog.record import Record
    from slipway.loadtest.address import Address
    from slipway.settings import Settings
    from slipway.store.stage import StageStore
    from slipway.tune.tune import Tuned, Wish

ONLY = "threads, instances, batching, preferred, max_batch, precision"

OPTIONS: tuple[Callable[..., Any], ...] = (
    model_argument,
    artifact_option,
    click.option(
        "--goal",
        type=click.Choice(["throughput", "latency", "memory", "cpu"]),
        default="throughput",
        show_default=True,
        help="What decides, the others where it is equal; cpu: processor time an answer.",
    ),
    click.option("--max-p99", metavar="50ms", help="Choose only what keeps this p99."),
    click.option(
        "--max-memory", type=Size(), help="Choose only what needs at most this, as 400MB."
    ),
    click.option(
        "--budget",
        default="5m",
        show_default=True,
        metavar="90s",
        help="How long to measure, as 90s or 10m.",
    ),
    click.option(
        "--clients",
        default="1,8",
        show_default=True,
        metavar="N,N",
        help="Waiting clients: p50 is that of the first, all else that of the last.",
    ),
    click.option(
        "--endpoint",
        metavar="NAME",
        help="Measure at this endpoint of slipway.toml, not on a server of this machine.",
    ),
    url_option,
    click.option("--only", metavar="KNOB,…", help=f"Try these alone, of {ONLY}."),
    click.option(
        "--cpu",
        is_flag=True,
        help="The endpoint has no GPU: also try instance counts of models that ask for one.",
    ),
    click.option(
        "--exhaustive", is_flag=True, help="Measure every combination, while the budget lasts."
    ),
    click.option(
        "--seed",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="Of the order in which things are tried.",
    ),
    click.option(
        "--write", is_flag=True, help="Write what is chosen; by default only a diff is shown."
    ),
    click.option("--output", type=FILE, help="Draw what was measured as an .svg or .png."),
    json_option(),
)


def _add_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for decorate in reversed(OPTIONS):
        command = decorate(command)
    return command


@click.command()
@_add_options
def tune(model: Path, artifact: Path | None, **options: Any) -> int:
    """Find the config that serves a model best, by measuring.

    Tries threads, instance counts, dynamic batching and, where evaluate.py can judge it, precision.
    Each candidate runs on a real Triton server next to the config as it is, and must give the
    golden answers. See docs/tuning.md.

    What was measured is kept in .slipway/tune: the same command continues. It proposes a diff;
    --write writes it.

    Example: slipway tune screen_detection --goal latency --budget 3m
    """
    from slipway import settings
    from slipway.artifact.artifact import Artifact
    from slipway.extras import require
    from slipway.model.any_folder import read_any_folder
    from slipway.model.container_folder import is_container
    from slipway.tune import tune as tuning

    require("loadtest")
    wish = _wish(options)
    if options["output"]:
        from slipway.figure_file import check_figure_file

        check_figure_file(options["output"], "tuned")
    configured = settings.load(Path.cwd())
    read_any_folder(model)
    if is_container(model):
        raise SlipwayError(
            "a model in a container of its own has no config of Triton",
            where=str(model),
            fix="name a model that Triton serves; the code in container/ sets this one's threads",
        )
    endpoint = _endpoint(configured, options["endpoint"], options["url"])
    built = Artifact(artifact) if artifact else build_artifact(model, configured, Path("dist"))
    tuned = tuning.tune(
        model,
        configured,
        built,
        wish,
        working,
        _served(model, configured),
        endpoint,
    )
    _show(tuned, configured, options)
    if tuned.report.interrupted:
        return INTERRUPTED
    return int(tuned.report.chosen is None)


def _wish(options: dict[str, Any]) -> Wish:
    from slipway.loadtest import quantity
    from slipway.tune.candidate import NAMES
    from slipway.tune.estimate import Clients
    from slipway.tune.frontier import Limits
    from slipway.tune.session import Terms
    from slipway.tune.space import Extent
    from slipway.tune.tune import Wish

    counts = quantity.parse_counts(options["clients"], "--clients")
    budget = re.sub(r"(?<=\d)m$", "min", options["budget"].strip())
    names = [text.strip() for text in (options["only"] or ",".join(NAMES)).split(",")]
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        raise SlipwayError(f"--only: there is no knob {unknown[0]!r}", fix=f"one of {ONLY}")
    p99 = options["max_p99"]
    return Wish(
        goal=options["goal"],
        limits=Limits(
            quantity.parse_seconds(p99, "--max-p99") if p99 else None, options["max_memory"]
        ),
        extent=Extent(clients=counts[-1], names=frozenset(names), cpu=options["cpu"]),
        terms=Terms(
            Clients(counts[0], counts[-1]),
            quantity.parse_seconds(budget, "--budget"),
            options["seed"],
        ),
        exhaustive=options["exhaustive"],
    )


def _endpoint(
    configured: Settings, name: str | None, url: str | None
) -> tuple[Address, StageStore] | None:
    """Return where an endpoint is asked and what it loads from; ``None`` without one."""
    from slipway.loadtest.address import resolve_address
    from slipway.store.open import open_stage

    if name is None and url is None:
        return None
    entry = configured.endpoint(name or "local")
    return resolve_address(entry, configured.root, url), open_stage(configured, entry.stage)


def _served(folder: Path, configured: Settings) -> Record | None:
    """Return what production serves, if that can be known."""
    from slipway.catalog.catalog import Catalog
    from slipway.store.open import open_stage

    name = folder.resolve().name
    try:
        catalog = Catalog(open_stage(configured, "production"))
        alias = catalog.find_alias(name)
        return None if alias is None else catalog.record(name, alias.target)
    except SlipwayError:
        return None


def _show(tuned: Tuned, configured: Settings, options: dict[str, Any]) -> None:
    from rich.console import Console

    from slipway.tune.table import print_report

    report = tuned.report
    diff = "".join(text.diff(configured.root) for text in tuned.texts)
    written, steps = _write(tuned, configured, options["write"])
    if options["output"] and report.points:
        from slipway.tune.picture import draw

        draw(report, options["output"])
    if options["as_json"]:
        click.echo(json.dumps(report.as_json() | {"diff": diff, "written": written}))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(width=140, highlight=False)  # rich assumes 80 columns for a pipe
    print_report(report, console)
    if diff:
        click.echo(diff, nl=False)
    for line in steps:
        click.echo(line)


def _write(tuned: Tuned, configured: Settings, write: bool) -> tuple[list[str], list[str]]:
    """Return the files that were written, and what to do next."""
    from slipway.tune.write import write_configs

    name = tuned.report.name
    if not (tuned.texts or tuned.weights):
        return [], []
    if not write:
        lines = [
            f"{weights.path}: {weights.precision}, made in {weights.made}"
            for weights in tuned.weights
        ]
        return [], [*lines, "nothing is written; add --write to the same command"]
    write_configs(list(tuned.texts))
    files = [str(text.path) for text in tuned.texts]
    steps = []
    for weights in tuned.weights:
        before = weights.write(tuned.kept)
        files.append(str(weights.path))
        steps += [f"the weights before are kept: {before}", *weights.next_steps(configured.root)]
    steps += [f"slipway test {name}", f"slipway bump {name}"]
    return files, [f"written: {', '.join(files)}", "next:", *(f"  {step}" for step in steps)]
