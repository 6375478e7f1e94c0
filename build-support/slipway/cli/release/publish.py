"""``slipway publish``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from slipway.cli import models as named
from slipway.cli.progress import uploading, working

if TYPE_CHECKING:
    from slipway.catalog.keys import Stage
    from slipway.release.evidence.test_result import Tested
    from slipway.release.publish import Release

REPORTS = ("dist/test/reports", "dist/*.tests.xml")  # ./pants test, slipway test


@click.command()
@named.argument
@named.artifact_option
@click.option("--to", "stage", type=click.Choice(["staging", "production"]), default="staging")
@click.option(
    "--tests",
    "reports",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="A JUnit report, or a folder of them; by default those of slipway test and ./pants test.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def publish(
    models: tuple[Path, ...],
    artifact: Path | None,
    stage: str,
    reports: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Build MODELS, or all, and publish them to the release store of slipway.toml.

    With the bytes go their provenance, the report of their tests if there is one, what was measured
    of them, and the commits since what production serves. To production, what [release.production]
    requires has to be among it; slipway promote brings there what staging tested.

    Example: slipway publish models/screen_detection
    """
    from slipway import build as library
    from slipway import settings
    from slipway.artifact.artifact import Artifact
    from slipway.catalog.origin import origin
    from slipway.release import metadata
    from slipway.release import publish as publishing
    from slipway.release.evidence import evidence
    from slipway.store.open import open_stage

    configured = settings.load(Path.cwd())
    to = cast("Stage", stage)
    store, production = open_stage(configured, to), open_stage(configured, "production")
    by = origin(configured.root)
    among = reports or tuple(path for pattern in REPORTS for path in Path().glob(pattern))

    def one(folder: Path) -> None:
        with working(f"building {folder.name}"):
            built = (
                Artifact(artifact) if artifact else library.build(folder, configured, Path("dist"))
            )
        with working(f"gathering what is known of {built.path.name}"):
            known, notes = metadata.gather(
                configured, folder, built, by, reports=among, production=production
            )
        for note in notes:
            click.echo(f"note: {note}", err=True)
        if to == "production":
            sha256 = built.sha256
            there = evidence.read(store, to, folder.name, sha256)
            target = publishing.target_model(built.manifest, sha256, to)
            metadata.refuse_lacking(configured, to, target, {**there, **known.evidence}, sha256)
        with uploading(f"publishing {built.path.name}", built.size) as bar:
            made = publishing.publish(built, store, stage=to, told=known, progress=bar)
        tested = evidence.tested(store, to, made.name, made.sha256)
        if as_json:
            how = None if tested is None else asdict(tested)
            click.echo(json.dumps(asdict(made) | {"tested": how}))
        else:
            _print(made, tested)

    return named.each(named.chosen(models, configured, artifact), one)


def _print(made: Release, tested: Tested | None) -> None:
    from slipway.cli.format import size

    state = "published" if made.created else "there already"
    click.echo(f"{made.name} {made.version} → {made.stage}: {made.target} ({state})")
    ran = str(tested) if tested is not None else "these bytes were not tested"
    click.echo(f"  {size(made.size)}; {ran}")
    if made.stays is not None:
        click.echo(f"  not served: {made.stays}")
