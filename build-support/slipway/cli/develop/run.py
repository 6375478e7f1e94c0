"""``slipway run``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.building import build_artifact
from slipway.cli.models import artifact_option, model_argument
from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.settings import Settings


@click.command()
@model_argument
@artifact_option
def run(model: Path, artifact: Path | None) -> None:
    """Serve a model on a local Triton server until Ctrl-C.

    Prints a request to paste into a shell.

    Example: slipway run screen_detection
    """
    import signal

    from slipway import settings
    from slipway.model.container_folder import is_container
    from slipway.model.folder import read_model_folder
    from slipway.server import triton
    from slipway.testing import example

    configured = settings.load(Path.cwd())
    if is_container(model):
        file = artifact or build_artifact(model, configured, Path("dist")).path
        _run_container(model, file, configured)
        return
    source = read_model_folder(model)
    file = artifact or build_artifact(model, configured, Path("dist")).path
    target = source.artifact_name
    with triton.start(configured) as server:
        with working(f"loading {target}"):
            cpu_changes = server.load(target, file)
        click.echo(f"{target} on {server.describe(target)}")
        for change in cpu_changes:
            click.echo(f"for this machine without a GPU, {change}")
        body = Path(".slipway", "requests", source.name)
        click.echo(f"\n{example.curl_request(server, target, source, body)}\n")
        click.echo("Press Ctrl-C to stop.")
        try:
            signal.pause()
        except KeyboardInterrupt:
            click.echo("\nstopped")


def _run_container(model: Path, file: Path, configured: Settings) -> None:
    import signal

    from slipway.server import network
    from slipway.server.client import HOST
    from slipway.server.container import call
    from slipway.server.container.process import start_container

    declared = configured.containers.get(model.name)
    variables = declared.environment if declared else None
    with start_container(file, configured, environment=variables) as container:
        with working(f"starting the container of {model.name}"):
            call.await_ready(container)
        way = f"http://{HOST}:{container.place.port}"
        if container.entrance is not None:
            way = f"--unix-socket {network.http_socket(container.entrance)} http://{HOST}"
        click.echo(f"{file.name} as a process; its log: {container.log}")
        click.echo(f"\ncurl {way}/invocations -H 'Content-Type: text/csv' --data-binary @FILE\n")
        click.echo("Press Ctrl-C to stop.")
        try:
            signal.pause()
        except KeyboardInterrupt:
            click.echo("\nstopped")
