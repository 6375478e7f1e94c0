"""``slipway new``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.scaffold.from_onnx import Derived
    from slipway.settings import Settings

ONNX = "onnx"
TEMPLATES = ("image", "tabular", "text")
KINDS = (ONNX, *TEMPLATES)
ABOUT = {
    ONNX: "your ONNX file: everything is derived from its graph",
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
    help="Derive everything from this ONNX graph.",
)
@click.option(
    "--template", "kind", type=click.Choice(TEMPLATES), help="Start from a working sample."
)
@click.option(
    "--max-batch-size",
    type=click.IntRange(min=0),
    help="Rows that Triton may join in a batch; 0: no batches. Default: what the graph allows.",
)
@click.option("--version", default="0.1.0", show_default=True, help="The release version.")
@click.option("--yes", is_flag=True, help="Write without asking for confirmation.")
def new(
    name: str | None,
    file: Path | None,
    kind: str | None,
    max_batch_size: int | None,
    version: str,
    yes: bool,
) -> None:
    """Create a model folder from an ONNX file or a template.

    models/NAME passes its checks and tests and can be published as it is. On a terminal, the
    command asks for what is missing.

    Example: slipway new translate --onnx translate.onnx
    """
    from slipway import settings
    from slipway.scaffold import naming

    configured = settings.load(Path.cwd())
    asks = _is_terminal()
    if file and kind:
        raise SlipwayError("--onnx and --template exclude each other", fix="give one of them")
    naming.refuse_version(version)
    if name is not None:
        naming.refuse_name(name, configured.root)
    if asks and not (file or kind):
        chosen = _ask_kind()
        kind = None if chosen == ONNX else chosen
        file = Path(click.prompt("ONNX file")) if chosen == ONNX else None
    if asks and name is None:
        name = click.prompt("Name", default=naming.propose_name(file.stem) if file else None)
    if name is None or not (file or kind):
        raise SlipwayError(
            "a name and a kind are needed",
            fix=f"slipway new NAME --onnx FILE, or --template {'|'.join(TEMPLATES)}",
        )
    naming.refuse_name(name, configured.root)
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
    _print_next_steps(folder, configured)


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _ask_kind() -> str:
    for choice, about in ABOUT.items():
        click.echo(f"  {choice:8} {about}")
    kind: str = click.prompt("Kind", type=click.Choice(KINDS), default=ONNX)
    return kind


def _ask_batch(proposed: int) -> int:
    rows: int = click.prompt("Rows in a batch, at most", proposed, type=click.IntRange(min=0))
    return rows


def _from_onnx(
    name: str,
    file: Path,
    max_batch_size: int | None,
    version: str,
    configured: Settings,
    choose: bool,
) -> Write:
    from slipway.scaffold import from_onnx

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
    from slipway.scaffold import from_template

    rows = from_template.DEFAULT_BATCH if max_batch_size is None else max_batch_size
    if choose:
        rows = _ask_batch(rows)
    click.echo(f"{name}: {ABOUT[kind]}")
    return lambda: from_template.write(name, kind, configured, version=version, max_batch_size=rows)


def _show(name: str, derived: Derived) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

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
    reason = f": {derived.no_batches}" if derived.no_batches else ""
    console.print(escape(f"{name} takes {rows}{reason}."))
    if derived.graph.optional:
        names = ", ".join(derived.graph.optional)
        console.print(escape(f"The graph's own values are used for: {names}."))
    if derived.example is None:
        console.print(
            "No example input was found that the graph accepts: write the golden case yourself."
        )
    elif not derived.golden:
        console.print("Its answers differ from call to call: no golden case was written.")


def _print_next_steps(folder: Path, configured: Settings) -> None:
    path = folder.relative_to(configured.root)
    click.echo(f"{path} created. Next:")
    name = path.name
    for command, why in (
        (f"slipway check {name}", "find mistakes"),
        (f"slipway test {name}", "run its tests and golden cases on a real Triton"),
        (f"git add {path}", "git keeps all but the weights"),
        (f"slipway weights push {name}", "DVC's remote keeps the weights"),
        (f"slipway publish {name}", "publish to staging"),
    ):
        click.echo(f"  {command:{24 + len(str(path))}}  # {why}")
