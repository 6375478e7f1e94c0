"""``slipway breakdown``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.building import build_artifact
from slipway.cli.models import artifact_option, model_argument
from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.breakdown.measure import Breakdown
    from slipway.settings import Settings


@click.command()
@model_argument
@artifact_option
@click.option(
    "--clients",
    type=click.IntRange(1, 64),
    multiple=True,
    default=(1, 8),
    show_default=True,
    help="Clients at a time; may be given several times.",
)
@click.option(
    "--requests",
    type=click.IntRange(20, 100_000),
    default=400,
    show_default=True,
    help="Requests that are measured, of each number of clients.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def breakdown(
    model: Path, artifact: Path | None, clients: tuple[int, ...], requests: int, as_json: bool
) -> None:
    """Show where the time of a request goes: server and models.

    Serves the model on a local Triton and asks it its first golden case. Waits, copies and
    computing are Triton's own statistics; processor time is that of the processes.

    Example: slipway breakdown screen_detection
    """
    import json

    from slipway import settings
    from slipway.breakdown.table import rows, text

    configured = settings.load(Path.cwd())
    file = artifact or build_artifact(model, configured, Path("dist")).path
    found = _measure(model, file, configured, clients, requests)
    if as_json:
        keys = ("part", "waits_ms", "copies_ms", "computes_ms", "processor_ms")
        documents = [
            {
                "clients": each.clients,
                "requests": each.requests,
                "mean_ms": round(each.latency, 3),
                "server_ms": round(each.server, 3),
                "parts": [dict(zip(keys, row, strict=True)) for row in rows(each)],
            }
            for each in found
        ]
        click.echo(json.dumps(documents, indent=2))
        return
    for each in found:
        click.echo(text(each))


def _measure(
    model: Path, file: Path, configured: Settings, clients: tuple[int, ...], requests: int
) -> list[Breakdown]:
    from http import HTTPStatus

    from slipway.breakdown.measure import measure
    from slipway.errors import SlipwayError
    from slipway.model.folder import read_model_folder
    from slipway.server import triton
    from slipway.server.free_port import reserved_port
    from slipway.testing.example_request import choose_request
    from slipway.testing.model import Model
    from slipway.triton import kserve

    source = read_model_folder(model)
    target = source.artifact_name
    with (
        reserved_port() as port,
        triton.start(configured, isolated=False, statistics_port=port) as server,
    ):
        with working(f"loading {target}"):
            server.load(target, file)
        chosen = choose_request(Model(server, target), model)
        click.echo(f"{target} on {server.describe(target)}: {chosen.origin}", err=True)
        body, content_type = kserve.encode(chosen.arrays, parameters=chosen.parameters)
        name = server.model_hash(target)

        def ask() -> None:
            response = server.client.invoke_raw(name, target, body, content_type)
            if response.status != HTTPStatus.OK:
                raise SlipwayError(
                    f"status {response.status}: {response.body[:500]!r}",
                    where=chosen.origin,
                    fix=f"slipway test {source.name}",
                )

        ask()
        return [
            measure(
                ask,
                clients=count,
                requests=requests,
                port=port,
                supervisor=server.supervisor,
                served=target,
                steps=source.composing,
            )
            for count in clients
        ]
