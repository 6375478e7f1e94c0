"""``slipway client``."""

from __future__ import annotations

from pathlib import Path

import click

from slipway.cli.models import name_argument
from slipway.cli.options import write_output
from slipway.cli.progress import working
from slipway.errors import SlipwayError


@click.command()
@name_argument
@click.option(
    "-o",
    "--output",
    "file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write this Python module.",
)
@click.option(
    "--endpoint",
    "where",
    default="local",
    show_default=True,
    help="Endpoint name from slipway.toml; it need not be running.",
)
@click.option("--target", help="Use this target model instead of the alias's.")
def client(name: str, file: Path, where: str, target: str | None) -> None:
    """Write a typed Python client for a model.

    It has the model's own inputs and outputs as parameters and attributes.

    Example: slipway client screen_detection --output screen_detection_client.py
    """
    from slipway import settings
    from slipway.catalog.catalog import Catalog
    from slipway.client import stub
    from slipway.store.open_reader import open_endpoint

    configured = settings.load(Path.cwd())
    entry = configured.endpoint(where)
    _refuse_foreign(file, stub.GENERATED_BY)
    with working(f"reading the releases of {name}"):
        catalog = Catalog(open_endpoint(configured, entry))
        chosen = target or catalog.alias(name).target
        if catalog.record(name, chosen).manifest.container is not None:
            raise SlipwayError(
                f"a container of its own serves {name}: its requests have any form",
                fix=f'Endpoint("NAME").container("{name}").invoke(body, content_type)',
            )
        text = stub.generate_client(name, chosen, catalog.interface(name, chosen))
    write_output(file, text)
    click.echo(f"{file}: a client for {name}, generated from {chosen}")


def _refuse_foreign(file: Path, marker: str) -> None:
    """Refuse to overwrite a file that was not generated.

    Raises:
        SlipwayError: ``file`` exists and was not.
    """
    if file.is_file() and marker not in file.read_text(encoding="utf-8", errors="replace")[:200]:
        raise SlipwayError(
            "the file exists, and slipway client did not write it",
            where=str(file),
            fix="choose another file, or remove this one",
        )
