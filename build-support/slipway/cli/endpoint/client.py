"""``slipway client``."""

from __future__ import annotations

from pathlib import Path

import click

from slipway import settings
from slipway.cli.progress import working
from slipway.errors import SlipwayError


@click.command()
@click.argument("name")
@click.option(
    "-o",
    "file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The Python module to write.",
)
@click.option(
    "--endpoint",
    "where",
    default="local",
    show_default=True,
    help="Of slipway.toml: whose releases. It need not be up.",
)
@click.option("--target", help="Of this target model, and not of the alias's main one.")
def client(name: str, file: Path, where: str, target: str | None) -> None:
    """Write a typed Python client for the model NAME, with its own inputs and outputs.

    Example: slipway client screen_detection -o screen_detection_client.py
    """
    from slipway.catalog.catalog import Catalog
    from slipway.client import stub  # numpy: not at every start
    from slipway.files import written_aside
    from slipway.store.open_reader import open_endpoint

    configured = settings.load(Path.cwd())
    entry = configured.endpoint(where)
    _refuse_foreign(file, stub.MADE_BY)
    with working(f"reading the releases of {name}"):
        catalog = Catalog(open_endpoint(configured, entry), entry.stage)
        chosen = target or catalog.alias(name).target
        text = stub.write(name, chosen, catalog.interface(name, chosen))
    try:
        with written_aside(file) as made:
            made.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SlipwayError(
            f"cannot be written: {error.strerror}", where=str(file), fix="choose another file"
        ) from error
    click.echo(f"{file}: a client of {name}, made from {chosen}")


def _refuse_foreign(file: Path, made_by: str) -> None:
    """Refuse to write over what was not generated.

    Raises:
        SlipwayError: it was not.
    """
    if file.is_file() and made_by not in file.read_text(encoding="utf-8", errors="replace")[:200]:
        raise SlipwayError(
            "there is a file that `slipway client` did not make",
            where=str(file),
            fix="choose another, or remove it",
        )
