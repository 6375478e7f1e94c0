"""Print what ``slipway new`` has read, and what to do next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from slipway.formats.conversion import Conversion
    from slipway.scaffold.from_conversion import Plan
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


def show_conversion(conversion: Conversion) -> None:
    """Print which backend serves a file and why, what was changed, and how close answers are."""
    choice, converted = conversion.choice, conversion.converted
    reasons = {choice.backend: choice.reason, **choice.others}
    click.echo(f"served by {converted.backend}: {reasons.get(converted.backend, 'as asked')}")
    for backend, reason in reasons.items():
        if backend != converted.backend:
            click.echo(f"  or --backend {backend}: {reason}")
    for repair in converted.repairs:
        click.echo(f"repaired: {repair}")
    for note in converted.notes:
        click.echo(f"note: {note}")
    count = len(next(iter(conversion.rows.values())))
    rows = f"{count} {'rows drawn from its ranges' if conversion.drawn else 'rows of yours'}"
    if conversion.difference is None:
        click.echo(f"its answers were not compared with the framework's ({rows})")
    else:
        tolerance = conversion.record["tolerance"]
        click.echo(
            f"largest difference to the framework: {conversion.difference:.2g}, on {rows}"
            f" (tolerance {tolerance:g})"
        )
    click.echo(f"converted in isolation: {conversion.isolation}")


def show_plan(name: str, planned: Plan) -> None:
    """Print the inputs and outputs as clients see them, and what a row may leave out."""
    steps = planned.steps
    table = [("input", c.public, c.datatype, c.dims, c.feature, c.fill) for c in steps.clients]
    table += [("output", t.public, t.datatype, t.dims, t.public, "") for t in steps.outputs]
    width = max(len(row[1]) for row in table)
    for side, public, datatype, dims, feature, fill in table:
        about = f"{feature!r} in the training" if feature != public else ""
        filled = "NaN if left out" if "nan" in fill else "empty if left out" if fill else ""
        text = "; ".join(part for part in (about, filled) if part)
        click.echo(f"{side:6}  {public:{width}}  {datatype:5}  {list(dims)!s:8}  {text}".rstrip())
    rows = f"batches of up to {steps.max_batch_size}" if steps.max_batch_size else "no batches"
    click.echo(f"{name} takes {rows}.")
    for tensor in steps.inputs:
        if tensor.joined:
            click.echo(
                f"The columns of {tensor.public!r} are inputs; --tensor keeps them in one input."
            )


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


def print_next_steps(folder: Path, root: Path, *, folds: bool) -> None:
    """Print the commands that follow, for the model folder that was written.

    ``folds`` says whether its postprocessing is one that can be folded, and is not.
    """
    path = folder.relative_to(root)
    click.echo(f"{path} created. Next:")
    name = path.name
    fold = (f"slipway fold {name}", "move its postprocessing into the graph: one process fewer")
    for command, why in (
        (f"slipway check {name}", "find mistakes"),
        (f"slipway test {name}", "run its tests and golden cases on a real Triton"),
        *([fold] if folds else []),
        (f"git add {path}", "git keeps all but the weights"),
        (f"slipway weights push {name}", "DVC's remote keeps the weights"),
        (f"slipway publish {name}", "publish to staging"),
    ):
        click.echo(f"  {command:{24 + len(str(path))}}  # {why}")
