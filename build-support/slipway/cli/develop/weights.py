"""``slipway weights``."""

from __future__ import annotations

from pathlib import Path

import click

from slipway import settings, signature
from slipway.cli.progress import working
from slipway.model.weights import Weights, load_pointer

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def weights() -> None:
    """The bytes behind DVC pointers."""


@weights.command()
@click.argument("pointer", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--dvc-root", type=FOLDER, help="The checkout whose DVC configuration holds.")
@click.option("--output", type=click.Path(path_type=Path), help="Default: beside the pointer.")
def pull(pointer: Path, dvc_root: Path | None, output: Path | None) -> None:
    """Write the verified weights of POINTER.

    Example: slipway weights pull models/x/x_inferencer/1/model.onnx.dvc
    """
    read = load_pointer(pointer)
    root = dvc_root or settings.load(pointer.parent).root
    with working(f"pulling {read.path.name}"):
        Weights(root).pull(read, output or read.path)


@weights.command()
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
)
def add(files: tuple[Path, ...]) -> None:
    """Put each FILE under DVC and write its signature, which check reads in its stead.

    Example: slipway weights add models/x/x_inferencer/1/model.onnx
    """
    store = Weights(settings.load(files[0].parent).root)
    for file in files:
        with working(f"adding {file.name}"):
            pointer, signed = signature.add(file, store)
        _say_written(pointer.file, signed)


@weights.command()
@click.argument("pointers", metavar="POINTER...", nargs=-1, required=True, type=FILE)
def sign(pointers: tuple[Path, ...]) -> None:
    """Write the signature of the weights behind each POINTER, fetching what is not here.

    Example: slipway weights sign models/x/x_inferencer/1/model.onnx.dvc
    """
    store = Weights(settings.load(pointers[0].parent).root)
    for file in pointers:
        with working(f"signing {file.name}"):
            signed = signature.sign(load_pointer(file), store)
        _say_written(signed)
        if signed is None:
            click.echo(f"{file}: no signature is read from weights of this kind", err=True)


def _say_written(*files: Path | None) -> None:
    for file in files:
        if file is not None:
            click.echo(str(file))
