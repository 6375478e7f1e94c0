"""``slipway new``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.settings import Settings

FILE = "file"
TEMPLATES = ("image", "tabular", "text")
KINDS = (FILE, *TEMPLATES)
ABOUT = {
    FILE: "what your training wrote: everything is derived from it",
    "image": "a sample: JPEG or PNG → label and score",
    "tabular": "a sample: columns of a table → probability",
    "text": "a sample: text → label and score",
}

type Write = Callable[[], Path]


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
    "--max-batch-size",
    type=click.IntRange(min=0),
    help="Rows that Triton may join in a batch; 0: no batches. Default: what the graph allows.",
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
) -> None:
    """Create a model folder from a training's file or a template.

    models/NAME passes its checks and tests and can be published as it is. On a terminal, the
    command asks for what is missing.

    Example: slipway new translate --from translate.onnx
    """
    from slipway import settings
    from slipway.cli.new_output import print_next_steps
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
    if file:
        write = _from_onnx(name, file, max_batch_size, version, configured, choose)
    elif prebuilt:
        write = _from_prebuilt(name, prebuilt, max_batch_size, version, configured)
    else:
        assert kind is not None
        write = _from_template(name, kind, max_batch_size, version, configured, choose)
    if asks and not yes:
        click.confirm(f"Write models/{name}?", default=True, abort=True)
    with working(f"writing models/{name}"):
        folder = write()
    print_next_steps(folder, configured.root)


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _find(source: str) -> Path:
    from slipway.scaffold.source import find_source

    file = find_source(source, lambda path: path.suffix == ".onnx")
    if file != Path(source):
        click.echo(f"{source} holds one model: {file}")
    return file


def _ask_kind() -> str:
    for choice, about in ABOUT.items():
        click.echo(f"  {choice:8} {about}")
    kind: str = click.prompt("Kind", type=click.Choice(KINDS), default=FILE)
    return kind


def _ask_batch(proposed: int) -> int:
    rows: int = click.prompt("Rows in a batch, at most", proposed, type=click.IntRange(min=0))
    return rows


def _from_onnx(
    name: str,
    file: Path,
    max_batch_size: int | None,
    version: str,
    configured: Settings,
    choose: bool,
) -> Write:
    from slipway.cli.new_output import show_derived
    from slipway.scaffold import from_onnx

    with working(f"reading {file}"):
        derived = from_onnx.derive(file, max_batch_size)
    if choose and derived.steps.max_batch_size:
        chosen = _ask_batch(derived.steps.max_batch_size)
        if chosen != derived.steps.max_batch_size:
            derived = from_onnx.derive(file, chosen)
    show_derived(name, derived)
    return lambda: from_onnx.write(name, derived, configured, version=version)


def _from_template(
    name: str,
    kind: str,
    max_batch_size: int | None,
    version: str,
    configured: Settings,
    choose: bool,
) -> Write:
    from slipway.scaffold import from_template

    rows = from_template.DEFAULT_BATCH if max_batch_size is None else max_batch_size
    if choose:
        rows = _ask_batch(rows)
    click.echo(f"{name}: {ABOUT[kind]}")
    return lambda: from_template.write(name, kind, configured, version=version, max_batch_size=rows)


def _from_prebuilt(
    name: str, prebuilt: str, max_batch_size: int | None, version: str, configured: Settings
) -> Write:
    from slipway.scaffold.prebuilt.registry import find_prebuilt
    from slipway.scaffold.prebuilt.write import write

    if max_batch_size is not None:
        raise SlipwayError(
            "a prebuilt model has its own batches",
            fix="leave --max-batch-size out, and change the folder's configs",
        )
    kind = find_prebuilt(prebuilt)
    click.echo(f"{name}: {kind.about}")
    return lambda: write(name, kind, configured, version=version)
