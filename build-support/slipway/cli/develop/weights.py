"""``slipway weights``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from slipway.cli.models import for_each, models_argument, select_folders
from slipway.cli.progress import working

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def weights() -> None:
    """Put weights under DVC, convert, sign, send or fetch them.

    Example: slipway weights add models/x/x_inferencer/1/model.onnx
    """


@weights.command()
@click.argument("pointer", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--dvc-root",
    type=FOLDER,
    envvar="SLIPWAY_DVC_ROOT",  # a sandbox of Pants does not know its checkout
    help="Use the DVC configuration of this checkout.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), help="Write here; by default next to the pointer."
)
@click.option("--force", is_flag=True, help="Replace other weights that lie there.")
def pull(pointer: Path, dvc_root: Path | None, output: Path | None, force: bool) -> None:
    """Fetch the weights of a DVC pointer and verify them.

    Other weights that lie there already are not replaced without --force. With --dvc-root, those of
    that checkout have to be the pointer's as well.

    Example: slipway weights pull models/x/x_inferencer/1/model.onnx.dvc
    """
    from slipway import settings
    from slipway.model.local_weights import reject_different
    from slipway.model.pointer import load_pointer
    from slipway.model.weights import Weights

    tracked = load_pointer(pointer)
    root = dvc_root or settings.load(pointer.parent).root
    target = output or tracked.path
    with working(f"pulling {tracked.path.name}"):
        if not force:
            # a build system runs this in a sandbox, and the author's weights lie in the checkout
            for path in (target, root / tracked.path) if dvc_root else (target,):
                reject_different(tracked, path, root)
        Weights(root).pull(tracked, target)


@weights.command()
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
)
def add(files: tuple[Path, ...]) -> None:
    """Put each FILE under DVC and write its signature.

    slipway check reads the signature instead of the weights. A file that the model's backend does
    not open is named as what it is, with what serves it.

    Example: slipway weights add models/x/x_inferencer/1/model.onnx
    """
    from slipway import settings, signature
    from slipway.model.container_folder import is_in_container
    from slipway.model.weights import Weights
    from slipway.scaffold.foreign_weights import is_original, refuse_foreign

    configured = settings.load(files[0].parent)
    store = Weights(configured.root)
    for file in files:
        weights = refuse_foreign(file, configured)
        with working(f"adding {file.name}"):
            pointer, signature_file = signature.add_weights(file, store)
        _print_paths(pointer.file, signature_file)
        if is_original(file):
            click.echo(f"convert it: slipway weights convert {file.resolve().parents[1].name}")
        elif weights is not None and not weights.opened and not is_in_container(file):
            click.echo(f"note: {weights}, which this model does not open; {weights.fix}", err=True)


@weights.command()
@models_argument
@click.option("--add", "serve", is_flag=True, help="Serve what is converted, if it differs.")
def convert(models: tuple[Path, ...], serve: bool) -> int:
    """Convert the originals of models again, and compare.

    Without MODEL, of all models that were converted. What comes of it is written below
    original/converted; what is served stays as it is without --add.

    Example: slipway weights convert churn
    """
    from slipway import settings
    from slipway.cli.converted_again import show_repeated
    from slipway.model.original import FOLDER, OPTIONS
    from slipway.scaffold.convert_again import convert_again, serve_converted

    configured = settings.load(Path.cwd())

    def convert_one(folder: Path) -> None:
        with working(f"converting {folder.name}"):
            repeated = convert_again(folder, configured)
            if serve:
                serve_converted(folder, repeated, configured)
        show_repeated(folder, repeated, served=serve)

    folders = select_folders(models, configured)
    if not models:
        folders = [folder for folder in folders if (folder / FOLDER / OPTIONS).is_file()]
    return for_each(folders, convert_one)


@weights.command()
@models_argument
def push(models: tuple[Path, ...]) -> int:
    """Send the weights of models to DVC's remote and verify them.

    Without MODEL, of all models. What the remote has is not sent again.

    Example: slipway weights push screen_detection
    """
    from slipway import settings
    from slipway.model.any_folder import read_any_folder
    from slipway.model.folded import folded_pointers
    from slipway.model.original import original_pointers
    from slipway.model.push_weights import push_weights
    from slipway.model.weights import Weights
    from slipway.units import format_bytes

    configured = settings.load(Path.cwd())
    store = Weights(configured.root)

    def push_one(folder: Path) -> None:
        served = read_any_folder(folder).pointers
        pointers = [*served, *folded_pointers(folder), *original_pointers(folder)]
        if not pointers:
            click.echo(f"{folder.name}: no weights under DVC")
        for pointer in pointers:
            with working(f"sending {pointer.path.name}"):
                done = push_weights(pointer, store)
            objects = f"{done.sent} object{'s' if done.sent > 1 else ''}"
            sent = f"sent {objects}, {format_bytes(done.size)}" if done.sent else "already there"
            click.echo(f"{os.path.relpath(pointer.path)} → {done.remote}: {sent}")

    return for_each(select_folders(models, configured), push_one)


@weights.command()
@click.argument("pointers", metavar="POINTER...", nargs=-1, required=True, type=FILE)
def sign(pointers: tuple[Path, ...]) -> None:
    """Write the signature of the weights behind each POINTER.

    Weights that are not here are fetched.

    Example: slipway weights sign models/x/x_inferencer/1/model.onnx.dvc
    """
    from slipway import settings, signature
    from slipway.model.pointer import load_pointer
    from slipway.model.weights import Weights

    store = Weights(settings.load(pointers[0].parent).root)
    for file in pointers:
        with working(f"signing {file.name}"):
            signature_file = signature.sign_weights(load_pointer(file), store)
        _print_paths(signature_file)
        if signature_file is None:
            click.echo(f"{file}: weights of this kind have no signature", err=True)


def _print_paths(*files: Path | None) -> None:
    for file in files:
        if file is not None:
            click.echo(str(file))
