"""``slipway run``."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from slipway import build as library
from slipway import settings
from slipway.cli.models import artifact_option
from slipway.cli.progress import working
from slipway.model.folder import read_model_folder
from slipway.server import triton
from slipway.testing import example


@click.command()
@click.argument("model", type=click.Path(file_okay=False, path_type=Path))
@artifact_option
def run(model: Path, artifact: Path | None) -> None:
    """Serve MODEL on the local Triton server until Ctrl-C; print a request to paste.

    Example: slipway run models/screen_detection
    """
    configured = settings.load(Path.cwd())
    read = read_model_folder(model)
    with working(f"building {read.name}"):
        file = artifact or library.build(model, configured, Path("dist")).path
    target = read.artifact_name
    with triton.start(configured) as server:
        with working(f"loading {target}"):
            lowered = server.load(target, file)
        click.echo(f"{target} on {server.source}")
        for note in lowered:
            click.echo(f"for this machine without a GPU, {note}")
        body = Path(".slipway", "requests", read.name)
        click.echo(f"\n{example.request(server, target, read, body)}\n")
        click.echo("Ctrl-C ends it.")
        try:
            signal.pause()
        except KeyboardInterrupt:
            click.echo("\nended")
