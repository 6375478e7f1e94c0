"""``slipway receive``."""

from __future__ import annotations

from pathlib import Path

import click

from slipway.cli.models import name_argument
from slipway.cli.options import Size, renamed_option
from slipway.cli.progress import working


@click.command()
@name_argument
@click.argument("version")
@click.option("--project", help="Path or number of the other project in GitLab.")
@click.option("--job", type=int, help="Number of its job that made the weights.")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take this tar.gz instead of a job's.",
)
@click.option(
    "--max-size",
    type=Size(),
    default="20GB",
    show_default=True,
    help="Refuse more, packed or unpacked.",
)
@renamed_option("--most", "--max-size", "max_size", type=Size())
def receive(
    name: str,
    version: str,
    project: str | None,
    job: int | None,
    file: Path | None,
    max_size: int,
) -> None:
    """Take weights from a job of another project.

    The weights become release VERSION of NAME. They are put below models/NAME by their paths in the
    archive, under DVC, and pushed to its remote; nothing is committed. Code and configs are never
    taken.

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
    with tempfile.TemporaryDirectory(prefix="slipway-handover-") as folder:
        archive = file or Path(folder) / job_artifact.FILE
        if file is None and project is not None and job is not None:
            with working("downloading the job's artifact"):
                job_artifact.download(os.environ, project, job, archive, max_size)
        with working(f"placing the weights of {name}"):
            received = receive_weights(configured, archive, name, version, max_bytes=max_size)
    for path in received.files:
        click.echo(str(path.relative_to(configured.root)))
    click.echo(f"{received.name} {received.version}")
