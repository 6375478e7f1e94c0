"""``slipway profile``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from slipway.cli.models import model_argument
from slipway.cli.monitor.window import Window
from slipway.cli.options import FILE, json_option
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.cli.monitor.profile_rows import ProfileRows
    from slipway.profile.profile import Kind, Profile


def _kinds(
    context: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> dict[str, Kind]:
    from slipway.profile.profile import KINDS

    kinds: dict[str, Kind] = {}
    for value in values:
        name, _, kind = value.rpartition("=")
        if not name or kind not in KINDS:
            raise click.BadParameter(f"{value!r} is not TENSOR=KIND, of {', '.join(KINDS)}")
        kinds[name] = cast("Kind", kind)
    return kinds


@click.command()
@model_argument
@click.option(
    "--rows",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Rows of the training: .csv, .json, .jsonl, .npz, .npy, or a folder of images.",
)
@click.option(
    "--outputs",
    type=FILE,
    metavar="FILE",
    help="The model's answers to these rows, by output; without it the model is asked.",
)
@click.option("--captured", is_flag=True, help="Profile the requests that --endpoint captured.")
@click.option("--since", type=Window(), default="7d", show_default=True, help="Begin so long ago.")
@click.option(
    "--endpoint", "where", metavar="NAME", help="Ask this endpoint, instead of a server here."
)
@click.option(
    "--kind", "kinds", multiple=True, callback=_kinds, metavar="TENSOR=KIND",
    help="What a tensor holds: numbers, categories, texts, images, scores or arrays.",
)  # fmt: skip
@click.option(
    "--least",
    type=click.IntRange(min=2),
    default=5,
    show_default=True,
    help="Name only values that so many rows have.",
)
@json_option("Print the profile as one JSON object.")
def profile(
    model: Path,
    rows: Path | None,
    outputs: Path | None,
    captured: bool,
    since: timedelta,
    where: str | None,
    kinds: dict[str, Kind],
    least: int,
    as_json: bool,
) -> None:
    """Sketch a model's reference data, to find drift against it.

    slipway drift compares requests with it. It is written to profile.json in the model's folder,
    and travels in the artifact. It holds counts and quantiles, and no rows. Without --rows, the
    golden cases are profiled.

    \b
    Example: slipway profile churn --rows training/customers.csv
      slipway profile screen_detection --rows photos/
      slipway profile churn --captured --since 7d --endpoint production
    """
    from slipway import extras, settings
    from slipway.cli.monitor import profile_rows
    from slipway.files import atomic_write
    from slipway.profile.build import build_profile
    from slipway.profile.profile import FILE_NAME

    if captured and (rows or outputs):
        raise SlipwayError("--captured is for no --rows", fix="leave one of them out")
    if outputs is not None and rows is None:
        raise SlipwayError("--outputs are those of --rows", fix="add --rows FILE")
    extras.require("monitoring")
    configured = settings.load(Path.cwd())
    interface = profile_rows.interface_of(model)
    found: ProfileRows
    if captured:
        found = profile_rows.from_captures(configured, model.name, interface, since, where)
    elif rows is not None:
        found = profile_rows.from_rows(configured, model, interface, rows, outputs, where)
    else:
        found = profile_rows.from_golden(model, interface)
    made = build_profile(
        found.inputs,
        found.outputs,
        source=found.source,
        columns=found.columns,
        kinds=kinds,
        least=least,
        batches=interface.batches,
    )
    path = model / FILE_NAME
    data = made.dump()
    with atomic_write(path) as temporary:
        temporary.write_bytes(data)
    if as_json:
        click.echo(data.decode(), nl=False)
    else:
        _print(made, path, len(data))
    for note in (*made.notes, *found.notes):
        click.echo(f"note: {note}", err=True)


def _print(made: Profile, path: Path, size: int) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from slipway.profile.describe import describe_sketch

    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{path}: {made.rows:,} rows of {made.source}, {size / 1000:.1f} kB")
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("", "tensor", "kind", "series", "reference"):
        table.add_column(column)
    for side, tensors in (("in", made.inputs), ("out", made.outputs)):
        for name, tensor in tensors.items():
            for number, (series, sketch) in enumerate(tensor.series.items()):
                head = ("", "", "") if number else (side, escape(name), tensor.kind)
                table.add_row(*head, escape(series), escape(describe_sketch(sketch)))
    console.print(table)
