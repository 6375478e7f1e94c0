"""``slipway new``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from slipway import settings
from slipway.cli.progress import working
from slipway.errors import SlipwayError
from slipway.scaffold import from_onnx, from_template, naming
from slipway.scaffold.from_onnx import Derived
from slipway.settings import Settings

ONNX = "onnx"
KINDS = (ONNX, *from_template.KINDS)
ABOUT = {
    ONNX: "an ONNX file of yours: everything is derived from its graph",
    "image": "a sample: JPEG or PNG → label and score",
    "tabular": "a sample: columns of a table → probability",
    "text": "a sample: text → label and score",
}

type Write = Callable[[], Path]


@click.command()
@click.argument("name", required=False)
@click.option(
    "--onnx",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Derive everything from this graph.",
)
@click.option(
    "--template", "kind", type=click.Choice(from_template.KINDS), help="A working sample."
)
@click.option(
    "--max-batch-size",
    type=click.IntRange(min=0),
    help="Rows that Triton joins; 0: no batches. By default what the graph takes.",
)
@click.option("--version", default="0.1.0", show_default=True, help="The release version.")
@click.option("--yes", is_flag=True, help="Write without asking.")
def new(
    name: str | None,
    file: Path | None,
    kind: str | None,
    max_batch_size: int | None,
    version: str,
    yes: bool,
) -> None:
    """Make the folder models/NAME: a model that checks, tests and publishes as it is.

    On a terminal it asks for what is not given.

    Example: slipway new translate --onnx translate.onnx
    """
    configured = settings.load(Path.cwd())
    asks = _is_terminal()
    if file and kind:
        raise SlipwayError("--onnx and --template are two ways to begin", fix="give one of them")
    if asks and not (file or kind):
        chosen = _ask_kind()
        kind = None if chosen == ONNX else chosen
        file = Path(click.prompt("ONNX file")) if chosen == ONNX else None
    if asks and name is None:
        name = click.prompt("Name", default=naming.proposed(file.stem) if file else None)
    if name is None or not (file or kind):
        raise SlipwayError(
            "a name and a kind are needed",
            fix=f"slipway new NAME --onnx FILE, or --template {'|'.join(from_template.KINDS)}",
        )
    naming.refuse(name, configured.root)
    naming.refuse_version(version)
    choose = asks and not yes and max_batch_size is None
    if file:
        write = _from_onnx(name, file, max_batch_size, version, configured, choose)
    else:
        assert kind is not None
        write = _from_template(name, kind, max_batch_size, version, configured, choose)
    if asks and not yes:
        click.confirm(f"Write models/{name}?", default=True, abort=True)
    with working(f"writing models/{name}"):
        folder = write()
    _say_next(folder, configured)


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _ask_kind() -> str:
    for kind, about in ABOUT.items():
        click.echo(f"  {kind:8} {about}")
    chosen: str = click.prompt("Kind", type=click.Choice(KINDS), default=ONNX)
    return chosen


def _ask_batch(proposed: int) -> int:
    asked: int = click.prompt("Rows in a batch, at most", proposed, type=click.IntRange(min=0))
    return asked


def _from_onnx(
    name: str,
    file: Path,
    max_batch_size: int | None,
    version: str,
    configured: Settings,
    choose: bool,
) -> Write:
    with working(f"reading {file}"):
        derived = from_onnx.derive(file, max_batch_size)
    if choose and derived.steps.max_batch_size:
        chosen = _ask_batch(derived.steps.max_batch_size)
        if chosen != derived.steps.max_batch_size:
            derived = from_onnx.derive(file, chosen)
    _show(name, derived)
    return lambda: from_onnx.write(name, derived, configured, version=version)


def _from_template(
    name: str,
    kind: str,
    max_batch_size: int | None,
    version: str,
    configured: Settings,
    choose: bool,
) -> Write:
    rows = from_template.DEFAULT_BATCH if max_batch_size is None else max_batch_size
    if choose:
        rows = _ask_batch(rows)
    click.echo(f"{name}: {ABOUT[kind]}")
    return lambda: from_template.write(name, kind, configured, version=version, max_batch_size=rows)


def _show(name: str, derived: Derived) -> None:
    console = Console(highlight=False, soft_wrap=True)
    planned = derived.steps
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("", "tensor", "type", "dims", ""):
        table.add_column(column)
    for side, tensors in (("input", planned.inputs), ("output", planned.outputs)):
        for tensor in tensors:
            renamed = "" if tensor.public == tensor.name else f"{tensor.name!r} in the graph"
            cells: list[Any] = [side, tensor.public, tensor.datatype, list(tensor.dims), renamed]
            table.add_row(*(escape(str(cell)) for cell in cells))
    console.print(table)
    rows = f"batches of up to {planned.max_batch_size}" if planned.max_batch_size else "no batches"
    console.print(f"{escape(name)} takes {rows}.")
    if derived.graph.optional:
        given = ", ".join(derived.graph.optional)
        console.print(escape(f"The graph's own values are served for: {given}."))
    if derived.example is None:
        console.print(
            "No example was found that the graph accepts: write the golden case yourself."
        )
    elif not derived.golden:
        console.print("It answers differently each time: there is no golden case.")


def _say_next(folder: Path, configured: Settings) -> None:
    shown = folder.relative_to(configured.root)
    click.echo(f"{shown} is there. Next:")
    for command, why in (
        (f"slipway check {shown}", "it is sound"),
        (f"slipway test {shown}", "its tests and golden cases, on a real Triton"),
        (f"git add {shown} && dvc push", "its weights are DVC's, the rest is git's"),
        (f"slipway publish {shown}", "to staging"),
    ):
        click.echo(f"  {command:{24 + len(str(shown))}}  # {why}")
