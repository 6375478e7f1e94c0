"""What the commands that take models share: which ones, and that one's error stops only it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from slipway.cli.exit_codes import print_error
from slipway.errors import SlipwayError
from slipway.model.folder import find_models
from slipway.settings import Settings

argument = click.argument(
    "models", nargs=-1, type=click.Path(file_okay=False, path_type=Path), metavar="[MODELS]..."
)
artifact_option = click.option(
    "--artifact",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take this artifact of the one model named, instead of building it.",
)


def chosen(models: Sequence[Path], settings: Settings, artifact: Path | None = None) -> list[Path]:
    """The folders named, or every model of the repository.

    Raises:
        SlipwayError: there are none, or an artifact is given for several.
    """
    folders = [Path(model) for model in models] or find_models(settings.root)
    if not folders:
        raise SlipwayError("no model in it", where=str(settings.root / "models"))
    if artifact is not None and len(folders) != 1:
        raise SlipwayError(
            "--artifact is for one model", fix="name the model's folder: models/<name>"
        )
    return folders


def each(folders: Sequence[Path], do: Callable[[Path], bool | None]) -> int:
    """Call ``do`` for each folder; print an error and go on. 1 if any failed or returned false."""
    failed = 0
    for folder in folders:
        try:
            failed |= do(folder) is False
        except SlipwayError as error:
            print_error(error)
            failed = 1
    return int(failed)
