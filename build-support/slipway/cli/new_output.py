"""Print what ``slipway new`` has read, and what to do next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from slipway.scaffold.from_onnx import Derived
    from slipway.scaffold.steps import Steps


def show_derived(name: str, derived: Derived) -> None:
    """Print the tensors of an ONNX graph, and how it will be served."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    show_tensors(derived.steps)
    planned = derived.steps
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


def show_tensors(planned: Steps) -> None:
    """Print a table of the tensors as clients see them."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("", "tensor", "type", "dims", ""):
        table.add_column(column)
    for side, tensors in (("input", planned.inputs), ("output", planned.outputs)):
        for tensor in tensors:
            renamed = "" if tensor.public == tensor.name else f"{tensor.name!r} in the graph"
            cells: list[Any] = [side, tensor.public, tensor.datatype, list(tensor.dims), renamed]
            table.add_row(*(escape(str(cell)) for cell in cells))
    Console(highlight=False, soft_wrap=True).print(table)


def print_next_steps(folder: Path, root: Path) -> None:
    """Print the commands that follow, for the model folder that was written."""
    path = folder.relative_to(root)
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
