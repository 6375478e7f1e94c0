"""``slipway invoke``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli import data_option
from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.client import Model, Prediction


@click.command()
@click.argument("name")
@click.argument("files", nargs=-1, metavar="[[INPUT=]FILE]...")
@click.option(
    "--json",
    "text",
    callback=data_option.read,
    metavar=data_option.METAVAR,
    help="Values by input: one row, lists of rows, or a list of objects, one for each row.",
)
@click.option("--npy", "arrays", multiple=True, metavar="[INPUT=]FILE", help="An array of numpy's.")
@click.option("--endpoint", "where", default="local", show_default=True, help="Of slipway.toml.")
@click.option("--url", help="Of a local endpoint, if it is not recorded here.")
@click.option("--target", help="A target model, whatever the alias says.")
@click.option("--key", help="The same key, the same variant of a weighted alias.")
@click.option(
    "--output",
    "form",
    type=click.Choice(["table", "json", "npy"]),
    default="table",
    show_default=True,
    help="npy: a file for each output.",
)
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where --output npy writes; by default here.",
)
def invoke(
    name: str,
    files: tuple[str, ...],
    text: str | None,
    arrays: tuple[str, ...],
    where: str,
    url: str | None,
    target: str | None,
    key: str | None,
    form: str,
    directory: Path,
) -> None:
    """Ask the model NAME on an endpoint and print its answer.

    FILES are rows of an input that takes bytes, such as pictures; several are one batch. With
    several inputs write INPUT=FILE.

    Example: slipway invoke screen_detection photo.jpg

    \b
    Others:
      slipway invoke titanic --json '{"fare": 7, "sex": "male"}'
      slipway invoke adder --npy A=a.npy --npy B=b.npy --output npy
    """
    from slipway.client import Endpoint, arguments  # boto3 and numpy: not at every start

    with Endpoint(where, url=url) as endpoint:
        model = endpoint.model(name, target=target)
        inputs = arguments.values(
            model.interface(), name=name, files=files, text=text, arrays=arrays
        )
        with working(f"asking {name}"):
            answer = model.ask(inputs, key=key)
        _say(answer, model, form, directory)


def _say(answer: Prediction, model: Model, form: str, directory: Path) -> None:
    from slipway.client import format

    if form == "json":
        said = {
            "model": model.name,
            "target": answer.target,
            "outputs": format.as_json(answer.outputs),
        }
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    if form == "npy":
        for file in format.save(answer.outputs, directory):
            click.echo(str(file))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    batches = model.interface(answer.target).batches
    table = Table(*(escape(name) for name in answer.outputs), box=None, padding=(0, 2, 0, 0))
    for cells in format.rows(answer.outputs, batches):
        table.add_row(*(escape(cell) for cell in cells))
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]{escape(model.name)}[/]  {escape(answer.target)}")
    console.print(table)
