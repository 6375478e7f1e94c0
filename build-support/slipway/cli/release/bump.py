"""``slipway bump``."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from slipway.cli import models as named
from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.release.versioning.bump import Judged
    from slipway.release.versioning.compatibility import Part
    from slipway.settings import Settings
    from slipway.store.interface import Store

WORDS = {
    "new": "production never had it",
    "unchanged": "production has these bytes",
    "free": "can be released",
}
SHOWN, FEW = 12, 3  # reasons


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 1 if a version has to change."
)
@click.option(
    "--part",
    type=click.Choice(["major", "minor", "patch"]),
    help="Raise this part at least, whatever changed.",
)
@named.artifact_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def bump(
    names: tuple[str, ...], check: bool, part: str | None, artifact: Path | None, as_json: bool
) -> int:
    """Raise the release version of each model NAME, or of all, if what was built needs another one.

    The model is built, or --artifact taken, and compared with the highest release that production
    ever had: incompatible inputs, outputs or batches call for a new major version, other weights,
    data or answers for a minor, code and packages for a patch. What did not change is left alone.

    \b
    --json    {"name", "version", "state", "released", "part", "proposed", "reasons":
              [{"part", "what"}], "stopped", "written"}

    Example: slipway bump screen_detection
    """
    from slipway import settings
    from slipway.release.versioning import bump as library
    from slipway.store.open import open_stage

    configured = settings.load(Path.cwd())
    folders = named.chosen([_folder(name, configured) for name in names], configured, artifact)
    store = open_stage(configured, "production")
    judged: list[Judged] = []

    def one(folder: Path) -> None:
        found = _judged(folder, artifact, cast("Part | None", part), store, configured)
        judged.append(found)
        written = found.stopped and not check
        if written:
            library.write(folder, str(found.proposed))
        if as_json:
            reasons = [reason._asdict() for reason in found.reasons]
            more = {"reasons": reasons, "stopped": found.stopped, "written": written}
            click.echo(json.dumps(asdict(found) | more))
        elif len(folders) == 1 and (written or not found.stopped):
            _say(found)
        if found.stopped and check:
            raise library.refusal(found, folder)

    status = named.each(folders, one)
    if len(folders) > 1 and not as_json:
        _table(judged)
    return status


def _folder(name: str, configured: Settings) -> Path:
    """A model's name, or its folder as the other commands take it."""
    path = Path(name)
    inside = configured.root / "models" / name
    named_so = inside.is_dir() and len(path.parts) == 1 and not path.is_dir()
    return Path(os.path.relpath(inside)) if named_so else path


def _judged(
    folder: Path, artifact: Path | None, part: Part | None, store: Store, configured: Settings
) -> Judged:
    from slipway import build as building
    from slipway.artifact.artifact import Artifact
    from slipway.model.folder import read_model_folder
    from slipway.release.versioning import bump as library

    model = read_model_folder(folder)
    had = library.Production(store, model.name)
    if had.highest is None:
        return library.Judged(model.name, model.version, "new")
    with working(f"building {model.name}"):
        built = Artifact(artifact) if artifact else building.build(folder, configured, Path("dist"))
    return library.judge(had, model, built, part)


def _say(found: Judged) -> None:
    if not found.stopped:
        click.echo(f"{found.name} {found.version}: {_state(found)}")
        return
    click.echo(f"{found.name} {found.version} → {found.proposed} ({found.part or 'patch'})")
    for line in _why(found, SHOWN):
        click.echo(f"  {line}")


def _state(found: Judged) -> str:
    if found.state == "unchanged" and found.released != found.version:
        # bytes of an earlier release, as after `git revert`
        return f"production has these bytes, and {found.released} above them"
    return WORDS.get(found.state, found.state)


def _why(found: Judged, most: int) -> list[str]:
    lines = [f"{reason.part}: {reason.what}" for reason in found.reasons[:most]]
    more = len(found.reasons) - most
    return lines + ([f"and {more} more"] if more > 0 else [])


def _table(judged: list[Judged]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("model", "production", "here", "next", "why")
    for found in judged:
        why = "\n".join(_why(found, FEW)) if found.stopped else _state(found)
        row = (found.name, found.released or "—", found.version, found.proposed or "—", why)
        table.add_row(*map(escape, row))
    console = Console(highlight=False)
    # the table needs more than the 80 columns that a pipe is taken for
    (console if console.is_terminal else Console(width=160, highlight=False)).print(table)
