"""``slipway new``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.settings import Settings

FILE = "file"
TEMPLATES = ("image", "tabular", "text")
KINDS = (FILE, *TEMPLATES)
BACKENDS = ("onnxruntime", "fil", "pytorch", "openvino", "tensorrt", "python")
ABOUT = {
    FILE: "what your training wrote: everything is derived from it",
    "image": "a sample: JPEG or PNG → label and score",
    "tabular": "a sample: columns of a table → probability",
    "text": "a sample: text → label and score",
}
PATH = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("name", required=False)
@click.option(
    "--from",
    "source",
    metavar="FILE",
    help="Derive everything from this file, as a training wrote it.",
)
@click.option(
    "--template", "kind", type=click.Choice(TEMPLATES), help="Start from a working sample."
)
@click.option(
    "--prebuilt",
    metavar="MODEL",
    help="Take a model from a package: embeddings, file-type, ocr, sentiment-en, voice-activity.",
)
@click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    help="What serves the file. Default: what its format proposes; the reason is shown.",
)
@click.option(
    "--rows",
    type=PATH,
    help="Rows to compare answers on: CSV, JSON, .npz or .npy. Default: drawn from the training's"
    " ranges.",
)
@click.option(
    "--tolerance", type=float, help="The difference to the framework's answers that is accepted."
)
@click.option("--code", type=PATH, help="The Python file that defines the model of a state dict.")
@click.option(
    "--set", "values", multiple=True, metavar="KEY=VALUE", help="A setting of the format."
)
@click.option(
    "--with",
    "packages",
    multiple=True,
    metavar="NAME==VERSION",
    help="A package of the training, to convert with.",
)
@click.option(
    "--columns/--tensor",
    default=None,
    help="Make each named column an input, or keep them in one tensor. Default: columns that the"
    " training has named, up to 100.",
)
@click.option("--gpu", is_flag=True, help="Place the inferencer on a GPU.")
@click.option(
    "--max-batch-size",
    type=click.IntRange(min=0),
    help="Rows that Triton may join in a batch; 0: no batches. Default: what the file allows.",
)
@click.option(
    "--fold/--no-fold",
    "folds",
    default=False,
    help="Move the postprocessing into the graph at once, as slipway fold does.",
)
@click.option("--version", default="0.1.0", show_default=True, help="The release version.")
@click.option("--yes", is_flag=True, help="Write without asking for confirmation.")
def new(
    name: str | None,
    source: str | None,
    kind: str | None,
    prebuilt: str | None,
    max_batch_size: int | None,
    version: str,
    yes: bool,
    folds: bool,
    **wishes: Any,
) -> None:
    """Create a model folder from a training's file or a template.

    models/NAME passes its checks and tests and can be published as it is. A file that is not ONNX
    is converted, and its answers are compared with the framework's. On a terminal, the command
    asks for what is missing.

    Example: slipway new churn --from churn.ubj
    """
    from slipway import settings
    from slipway.cli import new_kinds
    from slipway.cli.new_output import print_next_steps
    from slipway.fold.plan import can_fold
    from slipway.scaffold import naming

    configured = settings.load(Path.cwd())
    asks = _is_terminal()
    if sum(map(bool, (source, kind, prebuilt))) > 1:
        raise SlipwayError(
            "--from, --template and --prebuilt exclude each other", fix="give one of them"
        )
    naming.refuse_version(version)
    if name is not None:
        naming.refuse_name(name, configured.root)
    if asks and not (source or kind or prebuilt):
        chosen = _ask_kind()
        kind = None if chosen == FILE else chosen
        source = click.prompt("File") if chosen == FILE else None
    file = _find(source) if source else None
    if asks and name is None:
        name = click.prompt("Name", default=naming.propose_name(file.stem) if file else None)
    if name is None or not (file or kind or prebuilt):
        raise SlipwayError(
            "a name and a kind are needed",
            fix=f"slipway new NAME --from FILE, --template {'|'.join(TEMPLATES)}, or --prebuilt"
            " MODEL",
        )
    naming.refuse_name(name, configured.root)
    choose = asks and not yes and max_batch_size is None
    request = new_kinds.Request(name, version, max_batch_size, choose, configured)
    if file:
        write = new_kinds.from_file(file, _wishes(wishes), request)
    else:
        _refuse_wishes(wishes)
        if prebuilt:
            write = new_kinds.from_prebuilt(prebuilt, request)
        else:
            assert kind is not None
            write = new_kinds.from_template(kind, ABOUT[kind], request)
    if asks and not yes:
        click.confirm(f"Write models/{name}?", default=True, abort=True)
    with working(f"writing models/{name}"):
        folder = write()
    if folds:
        _fold(folder, configured)
    print_next_steps(folder, configured.root, folds=not folds and can_fold(folder))


def _fold(folder: Path, configured: Settings) -> None:
    """Fold the new model, which stays as it is where that cannot be done."""
    from slipway.cli.fold_output import fold_model
    from slipway.model.weights import Weights

    try:
        with fold_model(folder, configured, Weights(configured.root)):
            pass
    except SlipwayError as error:
        click.echo(f"note: {folder.name} is not folded: {error}", err=True)


def _wishes(given: dict[str, Any]) -> Any:
    from slipway.cli.new_kinds import Wishes

    values = given.pop("values")
    return Wishes(**given | {"backend": given["backend"] or "", "settings": values})


def _refuse_wishes(given: dict[str, Any]) -> None:
    """Refuse options that only a file has."""
    names = [name for name, value in given.items() if value not in (None, (), False)]
    if names:
        option = {"values": "set", "packages": "with"}.get(names[0], names[0])
        raise SlipwayError(f"--{option} is about a file", fix="add --from FILE, or leave it out")


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _find(source: str) -> Path:
    from slipway.formats.recognise import find_format
    from slipway.scaffold.source import find_source

    def is_model(path: Path) -> bool:
        try:
            return find_format(path) is not None
        except SlipwayError:
            return True  # of a known format, and damaged: the error is for whoever names it

    file = find_source(source, is_model)
    if file != Path(source):
        click.echo(f"{source} holds one model: {file}")
    return file


def _ask_kind() -> str:
    for choice, about in ABOUT.items():
        click.echo(f"  {choice:8} {about}")
    kind: str = click.prompt("Kind", type=click.Choice(KINDS), default=FILE)
    return kind
