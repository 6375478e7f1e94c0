"""``slipway receive``."""

from __future__ import annotations

from pathlib import Path

import click

from slipway.cli.progress import working


@click.command()
@click.argument("name")
@click.argument("version")
@click.option("--project", help="The research project's path or number in GitLab.")
@click.option("--job", type=int, help="The number of its job that handed over.")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take this tar.gz instead.",
)
@click.option("--most", default="20GB", show_default=True, help="Refuse more, packed or unpacked.")
def receive(
    name: str, version: str, project: str | None, job: int | None, file: Path | None, most: str
) -> None:
    """Take over weights for the model NAME, as release VERSION, from a job of another project.

    They go below models/NAME by their paths in the archive, under DVC and to its remote; nothing
    is committed. Only weights are taken, never code or configs.

    Example: slipway receive translate 1.3.0 --project research/translate --job 4711
    """
    import os
    import tempfile

    from slipway import settings
    from slipway.errors import SlipwayError
    from slipway.pipeline.handover import job_artifact
    from slipway.pipeline.handover.receive import receive_weights

    if file is None and (project is None or job is None):
        raise SlipwayError("no source of the weights", fix="add --project and --job, or --file")
    configured = settings.load(Path.cwd())
    limit = settings.size(most)
    with tempfile.TemporaryDirectory(prefix="slipway-handover-") as folder:
        archive = file or Path(folder) / job_artifact.FILE
        if file is None and project is not None and job is not None:
            with working("downloading the job's artifact"):
                job_artifact.download(os.environ, project, job, archive, limit)
        with working(f"placing the weights of {name}"):
            received = receive_weights(configured, archive, name, version, max_bytes=limit)
    for path in received.files:
        click.echo(str(path.relative_to(configured.root)))
    click.echo(f"{received.name} {received.version}")
