"""``slipway run``."""

from __future__ import annotations

from pathlib import Path

import click

from slipway.cli.building import build_artifact
from slipway.cli.models import artifact_option, model_argument
from slipway.cli.progress import working


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
    from slipway.model.folder import read_model_folder
    from slipway.server import triton
    from slipway.testing import example

    configured = settings.load(Path.cwd())
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
