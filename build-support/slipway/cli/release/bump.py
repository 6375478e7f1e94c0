"""``slipway bump``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from slipway.cli.building import build_artifact
from slipway.cli.models import artifact_option, for_each, models_argument, select_folders
from slipway.cli.options import json_option

if TYPE_CHECKING:
    from slipway.release.versioning.bump import VersionVerdict
    from slipway.release.versioning.compatibility import VersionPart
    from slipway.settings import Settings
    from slipway.store.stage import StageReader

STATES = {
    "new": "never released in production",
    "unchanged": "production has these bytes",
    "free": "can be released",
}
MOST_REASONS, MOST_IN_TABLE = 12, 3


@click.command()
@models_argument
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 1 if a version has to change."
)
@click.option(
    "--part",
    type=click.Choice(["major", "minor", "patch"]),
    help="Raise at least this part, whatever changed.",
)
@artifact_option
@json_option("Print one JSON object a line.")
def bump(
    models: tuple[Path, ...], check: bool, part: str | None, artifact: Path | None, as_json: bool
) -> int:
    """Raise the release version of models as far as needed.

    Without MODEL, of all models. Builds each model and compares it with the highest release that
    production ever had. Incompatible inputs, outputs or batches need a new major version; other
    weights, data or answers a minor; code and packages a patch. An unchanged model keeps its
    version.

    \b
    --json    {"name", "version", "state", "released", "part", "proposed",
              "reasons": [{"part", "what"}], "stopped", "written"}

    Example: slipway bump screen_detection
    """
    from slipway import settings
    from slipway.release.versioning import bump
    from slipway.store.open import open_stage

    configured = settings.load(Path.cwd())
    folders = select_folders(models, configured, artifact)
    production = open_stage(configured, "production")
    results: list[VersionVerdict] = []

    def bump_one(folder: Path) -> None:
        result = _judge(folder, artifact, cast("VersionPart | None", part), production, configured)
        results.append(result)
        written = result.stopped and not check
        if written:
            bump.write_version(folder, str(result.proposed))
        if as_json:
            reasons = [reason._asdict() for reason in result.reasons]
            more = {"reasons": reasons, "stopped": result.stopped, "written": written}
            click.echo(json.dumps(asdict(result) | more))
        elif len(folders) == 1 and (written or not result.stopped):
            _print(result)
        if result.stopped and check:
            raise bump.version_error(result, folder)

    status = for_each(folders, bump_one)
    if len(folders) > 1 and not as_json:
        _print_table(results)
    return status


def _judge(
    folder: Path,
    artifact: Path | None,
    part: VersionPart | None,
    releases: StageReader,
    configured: Settings,
) -> VersionVerdict:
    from slipway.artifact.artifact import Artifact
    from slipway.model.any_folder import read_any_folder
    from slipway.release.versioning import bump

    model = read_any_folder(folder)
    production = bump.ProductionVersions(releases, model.name)
    if production.highest is None:
        return bump.VersionVerdict(model.name, model.version, "new")
    built = Artifact(artifact) if artifact else build_artifact(folder, configured, Path("dist"))
    return bump.judge_version(production, model, built, part)


def _print(result: VersionVerdict) -> None:
    if not result.stopped:
        click.echo(f"{result.name} {result.version}: {_state(result)}")
        return
    click.echo(f"{result.name} {result.version} → {result.proposed} ({result.part or 'patch'})")
    for line in _reasons(result, MOST_REASONS):
        click.echo(f"  {line}")


def _state(result: VersionVerdict) -> str:
    if result.state == "unchanged" and result.released != result.version:
        # bytes of an earlier release, as after `git revert`
        return f"production has these bytes, and the later release {result.released}"
    return STATES.get(result.state, result.state)


def _reasons(result: VersionVerdict, most: int) -> list[str]:
    lines = [f"{reason.part}: {reason.what}" for reason in result.reasons[:most]]
    more = len(result.reasons) - most
    return lines + ([f"and {more} more"] if more > 0 else [])


def _print_table(results: list[VersionVerdict]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("model", "production", "here", "next", "why")
    for result in results:
        why = "\n".join(_reasons(result, MOST_IN_TABLE)) if result.stopped else _state(result)
        row = (result.name, result.released or "—", result.version, result.proposed or "—", why)
        table.add_row(*map(escape, row))
    console = Console(highlight=False)
    # rich assumes 80 columns where the output is not a terminal; the table needs more
    (console if console.is_terminal else Console(width=160, highlight=False)).print(table)
