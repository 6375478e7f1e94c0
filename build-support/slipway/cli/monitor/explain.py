"""``slipway explain``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.data_option import data_option
from slipway.cli.endpoint.options import endpoint_option, parse_parameters, url_option
from slipway.cli.models import name_argument
from slipway.cli.monitor.drift import Window
from slipway.cli.monitor.explain_output import write_explanation, write_summary
from slipway.cli.options import FILE, json_option
from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from datetime import timedelta

    from slipway.cli.monitor.explain_rows import Asked, RowSource
    from slipway.client import Model
    from slipway.explain.explanation import Explanation
    from slipway.explain.options import Options

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
@data_option("Values by input, as slipway invoke takes them.")
@click.option("--npy", "arrays", multiple=True, metavar="[INPUT=]FILE", help="A NumPy array.")
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
@click.option("--since", type=Window(), default="1d", show_default=True, help="With --captured.")
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
    help=f"Send at most so many.  [default: {ONE}; {EACH} for each row of a summary]",
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
    from slipway.client import Endpoint
    from slipway.explain.options import Options

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
    with Endpoint(where, settings=configured, url=url) as endpoint:
        first = endpoint.model(name, target=target)
        # one release answers all requests, also behind an alias of several, and no shadow is asked
        pinned = target or first.main_target()
        model = endpoint.model(name, target=pinned)
        source = RowSource(name, model.interface(), configured)
        session = _Session(model, source, options, background, parse_parameters(parameters))
        if summarizes:
            asked, left_out = (
                (source.captured(where, since), []) if captured else source.cases(cases or "")
            )
            with working(f"explaining {min(most, len(asked))} rows"):
                summary = session.summary(asked, left_out, most)
            write_summary(summary, f"{name} ({pinned})", outputs, as_json=as_json)
        else:
            chosen = _chosen(source, files, data, arrays, case, row)
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


class _Session:
    """Explains rows of one model with the same options."""

    def __init__(
        self,
        model: Model,
        source: RowSource,
        options: Options,
        background: Path | None,
        parameters: Mapping[str, Any],
    ) -> None:
        self.model, self.source, self.options = model, source, options
        self.background, self.parameters = background, parameters

    def one(self, asked: Asked) -> tuple[Explanation, Mapping[str, Any]]:
        """Return the explanation of one row, and the row without its batch dimension."""
        from dataclasses import replace

        from slipway.explain.explain import explain as explain_answer
        from slipway.explain.explain import one_row

        parameters = {**asked.parameters, **self.parameters} or None
        rows, place = self.source.background(self.background, asked.inputs, self.options.seed)
        found = explain_answer(
            lambda inputs: self.model.predict(inputs, parameters=parameters),
            self.source.interface,
            asked.inputs,
            background=rows,
            options=self.options,
        )
        if rows is not None and found.kind == "row" and found.method != "server":
            found = replace(found, statements=(*found.statements, f"background rows: {place}"))
        return found, one_row(self.source.interface, asked.inputs)

    def summary(self, asked: list[Asked], left_out: list[str], most: int) -> Any:
        """Return the summary of many rows; a row that cannot be explained is left out and said."""
        from slipway.cli.monitor.explain_rows import choose_rows
        from slipway.explain.summary import summarize

        explanations = []
        chosen = list(choose_rows(asked, most, self.options.seed))
        for one in chosen:
            try:
                explanations.append(self.one(one)[0])
            except SlipwayError as error:
                left_out.append(f"{one.place}: {error.what}")
        if len(chosen) < len(asked):
            left_out.append(f"{len(asked) - len(chosen)} rows beyond --rows {most}")
        return summarize(explanations, left_out)


def _chosen(
    source: RowSource,
    files: tuple[str, ...],
    data: str | None,
    arrays: tuple[str, ...],
    case: str | None,
    row: int | None,
) -> Asked:
    """Return the one row to explain.

    Raises:
        SlipwayError: there are several, and none was chosen, or there is no such row.
    """
    from slipway.client import arguments, request

    if case is not None:
        asked = source.case(case)
    else:
        values = arguments.parse_inputs(
            source.interface, name=source.name, files=files, text=data, arrays=arrays
        )
        fitted = request.fit(source.interface, values, name=source.name)
        asked = source.split(fitted, "the request", {})
    if row is None and len(asked) > 1:
        raise SlipwayError(
            f"{len(asked)} rows, and one answer is explained at a time",
            fix=f"choose one with --row 1 to {len(asked)}, or summarize all with --cases",
        )
    number = row or 1
    if number > len(asked):
        raise SlipwayError(f"there is no row {number}", fix=f"--row 1 to {len(asked)}")
    return asked[number - 1]


def _colours() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
