"""``slipway invoke``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.data_option import CommandWithData, data_option
from slipway.cli.endpoint.options import endpoint_option, parse_parameters, url_option
from slipway.cli.models import name_argument
from slipway.cli.options import json_option, renamed_option, warn_renamed
from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.client import Model, Prediction


FOLDER = click.Path(file_okay=False, path_type=Path)


def _old_output(context: click.Context, option: click.Parameter, value: Path | None) -> Path | None:
    """Read ``--output table|json|npy``, the form of the output before ``--json`` was."""
    if value is None or str(value) not in ("table", "json", "npy"):
        return value
    if str(value) == "npy":
        warn_renamed("--output npy", "--output FOLDER")
        return Path()
    if str(value) == "json":
        warn_renamed("--output json", "--json")
        context.params["as_json"] = True
    else:
        warn_renamed("--output table", "no option")
    return None


@click.command(cls=CommandWithData)
@name_argument
@click.argument("files", nargs=-1, metavar="[[INPUT=]FILE]...")
@data_option("Send values by input: one row, lists of rows, or a list of objects, one a row.")
@click.option(
    "--npy", "arrays", multiple=True, metavar="[INPUT=]FILE", help="Send a NumPy array (.npy)."
)
@endpoint_option
@url_option
@click.option("--target", help="Invoke this target model instead of the alias's.")
@click.option("--key", help="Requests with the same key get the same variant of a split alias.")
@click.option(
    "--parameters",
    metavar="JSON",
    help='Of the request, such as {"sequence_id": 7, "sequence_start": true}.',
)
@click.option("--content-type", metavar="TYPE", help="Of a container's body; by default FILE's.")
@click.option("--accept", metavar="TYPE", help="What a container's answer should be.")
@json_option()
@click.option(
    "--output",
    type=FOLDER,
    metavar="FOLDER",
    callback=_old_output,
    help="Write each output to this folder as a .npy file.",
)
@renamed_option("--directory", "--output FOLDER", "output", type=FOLDER)
def invoke(
    name: str,
    files: tuple[str, ...],
    data: str | None,
    arrays: tuple[str, ...],
    where: str,
    url: str | None,
    target: str | None,
    key: str | None,
    parameters: str | None,
    content_type: str | None,
    accept: str | None,
    as_json: bool,
    output: Path | None,
) -> None:
    """Invoke a model on an endpoint and print its answer.

    Each FILE is a row of an input that takes bytes, such as a picture; several files are one batch.
    With several inputs, write INPUT=FILE. To a model of a container, FILE is the body.

    \b
    Example: slipway invoke screen_detection photo.jpg
      slipway invoke titanic --data '{"fare": 7, "sex": "male"}'
      slipway invoke adder --npy A=a.npy --npy B=b.npy --output answers
      slipway invoke wines rows.csv --endpoint containers
    """
    from slipway import settings
    from slipway.cli.endpoint.invoke_container import Request, has_containers, invoke_container
    from slipway.client import Endpoint, arguments

    configured = settings.load(Path.cwd())
    if has_containers(configured, configured.endpoint(where), name):
        request = Request(files, data, content_type, accept, target, key)
        invoke_container(name, where, url, request, as_json)
        return
    with Endpoint(where, url=url) as endpoint:
        model = endpoint.model(name, target=target)
        inputs = arguments.parse_inputs(
            model.interface(), name=name, files=files, text=data, arrays=arrays
        )
        with working(f"invoking {name}"):
            answer = model.ask(inputs, key=key, parameters=parse_parameters(parameters))
        _print(answer, model, as_json, output)


def _print(answer: Prediction, model: Model, as_json: bool, output: Path | None) -> None:
    from slipway.client import format

    files = [] if output is None else format.save_arrays(answer.outputs, output)
    if as_json:
        result = {
            "model": model.name,
            "target": answer.target,
            "outputs": format.outputs_as_json(answer.outputs),
        }
        click.echo(json.dumps(result, ensure_ascii=False))
        return
    if output is not None:
        for file in files:
            click.echo(str(file))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    batches = model.interface(answer.target).batches
    table = Table(*(escape(name) for name in answer.outputs), box=None, padding=(0, 2, 0, 0))
    for cells in format.table_rows(answer.outputs, batches):
        table.add_row(*(escape(cell) for cell in cells))
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]{escape(model.name)}[/]  {escape(answer.target)}")
    console.print(table)
