"""``slipway endpoint warm``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.endpoint.options import endpoint_option, url_option
from slipway.cli.models import ModelName, for_each
from slipway.cli.options import json_option
from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.pipeline.warm import Warmed
    from slipway.settings import EndpointSettings


@click.command()
@click.argument("names", nargs=-1, required=True, type=ModelName(), metavar="NAME...")
@endpoint_option
@url_option
@json_option("Print one JSON object a line.")
def warm(names: tuple[str, ...], where: str, url: str | None, as_json: bool) -> int:
    """Let an endpoint load models before anybody asks for them.

    Asks each release that the names' aliases serve, in this order, with a golden case or with
    zeros. In AWS a request reaches one instance. Exits with 1 if a model could not be loaded.
    ci/infra/warm.yaml does it on a schedule.

    Example: slipway endpoint warm screen_detection --endpoint production
    """
    from slipway import settings
    from slipway.client import Endpoint
    from slipway.pipeline.smoke import DEADLINE_S
    from slipway.pipeline.warm import warm_model

    configured = settings.load(Path.cwd())
    entry = configured.endpoint(where)
    folders = [configured.root / "models" / name for name in dict.fromkeys(names)]
    with Endpoint(
        where, settings=configured, url=url, deadline_s=DEADLINE_S, is_probe=True
    ) as endpoint:

        def warm_one(folder: Path) -> bool:
            with working(f"loading {folder.name} on {where}"):
                results = warm_model(endpoint, folder)
            for result in results:
                click.echo(json.dumps(result.as_json()) if as_json else _text(result))
            return all(result.error is None for result in results)

        code = for_each(folders, warm_one)
    if entry.endpoint_name and url is None and not as_json:
        click.echo(_promise(entry))
    return code


def _text(result: Warmed) -> str:
    if result.error is not None:
        return f"{click.style('✗', fg='red')} {result.target}: {result.error}"
    first, again = result.first_s or 0.0, (result.again_s or 0.0) * 1e3
    what = {
        True: f"was loaded, answered in {first * 1e3:.3g} ms",
        False: f"loaded in {first:.2f} s, then {again:.3g} ms",
        None: f"answered in {first:.2f} s, then in {again:.3g} ms",
    }[result.was_loaded]
    note = f"\n    it refused the request, and is loaded: {result.note}" if result.note else ""
    return f"{click.style('✓', fg='green')} {result.target}: {what}{note}"


def _promise(entry: EndpointSettings) -> str:
    """Return what a request does not promise in AWS."""
    from slipway.pipeline.warm import count_instances, requests_to_reach

    instances = count_instances(entry)
    if instances == 1:
        return "The endpoint has one instance, and these models are loaded there."
    how_many = "An unknown number of" if instances is None else f"{instances}"
    even_so = ""
    if instances is not None:
        requests = requests_to_reach(instances)
        even_so = f" Even at random, {requests} requests would reach all of them with 99 %."
    return (
        f"note: {how_many} instances, and each model is loaded on one of them at least. SageMaker"
        " chooses which, prefers one that has the model, and loads a copy elsewhere only when that"
        f" one is busy.{even_so}"
    )
