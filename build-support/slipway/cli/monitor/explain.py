"""``slipway explain``."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.data_option import data_option
from slipway.cli.endpoint.options import endpoint_option, parse_parameters, url_option
from slipway.cli.models import name_argument
from slipway.cli.monitor.explain_output import write_explanation, write_summary
from slipway.cli.monitor.window import Window
from slipway.cli.options import FILE, json_option
from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from datetime import timedelta


ONE, EACH = 200, 40  # requests for one answer, and for each row of a summary


def _numbers(context: click.Context, option: click.Parameter, value: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in value.split(","))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 2:
        raise SlipwayError(f"--windows {value}: not whole numbers from 2 on", fix="--windows 4,8")
    return numbers


@click.command()
@name_argument
@click.argument("files", nargs=-1, metavar="[[INPUT=]FILE]...")
@data_option("Explain the answer to these values, as slipway invoke takes them.")
@click.option(
    "--npy", "arrays", multiple=True, metavar="[INPUT=]FILE", help="Send a NumPy array (.npy)."
)
@click.option("--case", "case", metavar="CASE", help="Explain the answer to this golden case.")
@click.option("--row", type=click.IntRange(1), help="Which row of several, from 1 on.")
@click.option(
    "--cases",
    metavar="[FOLDER|FILE]",
    is_flag=False,
    flag_value="",
    help="Summarize many rows: those of the golden cases, of a folder of such, of JSON or CSV.",
)
@click.option("--captured", is_flag=True, help="Summarize rows that the endpoint captured.")
@click.option(
    "--captures",
    metavar="LOCATION",
    help="Summarize rows captured in this folder or s3://bucket/prefix, also by SageMaker.",
)
@click.option(
    "--since",
    type=Window(),
    default="1d",
    show_default=True,
    help="With --captured: rows since so long ago, 1d, 12h or 90m.",
)
@click.option(
    "--rows", "most", type=click.IntRange(1), default=50, show_default=True,
    help="Of a summary, at most so many rows.",
)  # fmt: skip
@endpoint_option
@url_option
@click.option("--target", help="Ask this target model instead of the alias's.")
@click.option("--parameters", metavar="JSON", help="Of each request, such as a sequence's.")
@click.option(
    "--method",
    type=click.Choice(["auto", "shapley", "occlusion", "server"]),
    default="auto",
    show_default=True,
    help="server: contributions that the model itself answers.",
)
@click.option("--as", "kind", type=click.Choice(["row", "text", "image", "audio"]), help="What"
              " the input is, if it is not recognised.")  # fmt: skip
@click.option("--output-tensor", metavar="OUTPUT", help="Explain this output.")
@click.option("--label", help="Explain this label: an index of the output, or a text answered.")
@click.option("--background", type=FILE, help="Rows that say what is usual: JSON or CSV.")
@click.option("--columns", metavar="A,B", default="", help="Names of a tensor's numbers.")
@click.option("--windows", default="4,8", show_default=True, callback=_numbers,
              help="Sizes of what is covered: parts of a picture's side.")  # fmt: skip
@click.option(
    "--requests",
    type=click.IntRange(3),
    help=f"Send at most so many: {ONE} by default, {EACH} for each row of a summary.",
)
@click.option("--error", type=click.FloatRange(0), default=0.0, help="Stop at this standard error.")
@click.option("--seed", type=int, default=7, show_default=True, help="Equal seeds, equal answers.")
@click.option("--color/--no-color", default=None, help="Mark words by colour.")
@json_option()
@click.option(
    "--output", "outputs", type=FILE, multiple=True,
    help="Write .png, .svg, .html or .json. May be repeated.",
)  # fmt: skip
def explain(
    name: str,
    files: tuple[str, ...],
    data: str | None,
    arrays: tuple[str, ...],
    case: str | None,
    row: int | None,
    cases: str | None,
    captured: bool,
    captures: str | None,
    since: timedelta,
    most: int,
    where: str,
    url: str | None,
    target: str | None,
    parameters: str | None,
    method: Any,
    kind: Any,
    output_tensor: str | None,
    label: str | None,
    background: Path | None,
    columns: str,
    windows: tuple[int, ...],
    requests: int | None,
    error: float,
    seed: int,
    color: bool | None,
    as_json: bool,
    outputs: tuple[Path, ...],
) -> None:
    """Explain why a model gave an answer, by asking it only.

    Works the same for a local endpoint and for one in AWS. Of a row, it says what each column adds;
    of a text, each word; of a picture or a recording, where the answer rests. With --cases or
    --captured, it summarizes many answers.

    \b
    Example: slipway explain screen_detection photo.jpg --output heat.png
      slipway explain fares --data '{"sex": "female", "class": "1st", "age": 30}'
      slipway explain churn --cases --output churn.png
    """
    from slipway import extras, settings
    from slipway.cli.monitor.explain_output import check_outputs
    from slipway.cli.monitor.explain_rows import RowSource
    from slipway.cli.monitor.explain_session import ExplainSession, choose_row
    from slipway.client import Endpoint
    from slipway.explain.options import Options

    captured = captured or captures is not None
    summarizes = cases is not None or captured
    check_outputs(outputs, summarizes=summarizes)
    extras.require("monitoring")
    given = sum((bool(files or data or arrays), case is not None, cases is not None, captured))
    if given != 1:
        raise SlipwayError(
            "nothing to explain" if not given else "more than one thing to explain",
            fix="give one of: a FILE or --data, --case CASE, --cases, --captured",
        )
    options = Options(
        method=method,
        kind=kind,
        seed=seed,
        requests=requests or (EACH if summarizes else ONE),
        error=error,
        output=output_tensor,
        label=label,
        columns=tuple(column.strip() for column in columns.split(",") if column.strip()),
        windows=windows,
    )
    configured = settings.load(Path.cwd())
    began = time.monotonic()
    with Endpoint(where, settings=configured, url=url, is_probe=True) as endpoint:
        first = endpoint.model(name, target=target)
        # one release answers all requests, also behind an alias of several, and no shadow is asked
        pinned = target or first.main_target()
        model = endpoint.model(name, target=pinned)
        source = RowSource(name, model.interface(), configured)
        session = ExplainSession(model, source, options, background, parse_parameters(parameters))
        if summarizes:
            asked, left_out = (
                (source.captured(where, since, captures), [])
                if captured
                else source.cases(cases or "")
            )
            with working(f"explaining {min(most, len(asked))} rows"):
                summary = session.summary(asked, left_out, most)
            write_summary(summary, f"{name} ({pinned})", outputs, as_json=as_json)
        else:
            chosen = choose_row(source, files, data, arrays, case, row)
            with working(f"asking {name}"):
                explanation, row_inputs = session.one(chosen)
            write_explanation(
                explanation,
                name,
                pinned,
                row_inputs,
                outputs,
                as_json=as_json,
                color=_colours() if color is None else color,
            )
    click.echo(f"explained in {time.monotonic() - began:.1f} s", err=True)


def _colours() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
