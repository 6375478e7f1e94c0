"""``slipway publish``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from slipway.cli.building import build_artifact, print_left_out
from slipway.cli.models import artifact_option, for_each, models_argument, select_folders
from slipway.cli.options import STAGES, json_option, renamed_option, stage_option
from slipway.cli.progress import uploading, working

if TYPE_CHECKING:
    from slipway.release.evidence.test_result import TestResult
    from slipway.release.publish import Release
    from slipway.settings.release import StageName

REPORTS = ("dist/test/reports", "dist/*.tests.xml")  # ./pants test, slipway test


@click.command()
@models_argument
@artifact_option
@stage_option("Publish to this stage.", default="staging")
@renamed_option("--to", "--stage", "stage", type=click.Choice(STAGES))
@click.option(
    "--tests",
    "reports",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="JUnit reports, or folders of them; by default those of slipway test and ./pants test.",
)
@json_option("Print one JSON object a line.")
def publish(
    models: tuple[Path, ...],
    artifact: Path | None,
    stage: str,
    reports: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Build models and publish them to a stage.

    Without MODEL, all models. The release store of slipway.toml gets the artifact with its
    provenance, test report, metrics, and the commits since production's release. Production accepts
    only what has all that [release.production] requires; slipway promote releases there what
    staging tested.

    Example: slipway publish screen_detection
    """
    from slipway import settings
    from slipway.artifact.artifact import Artifact
    from slipway.catalog import keys
    from slipway.catalog.origin import current_origin
    from slipway.model.folder import read_model_folder
    from slipway.model.local_weights import reject_different
    from slipway.release import metadata, publish
    from slipway.release.evidence import evidence
    from slipway.store.open import open_stage

    configured = settings.load(Path.cwd())
    to = cast("StageName", stage)
    releases, production = open_stage(configured, to), open_stage(configured, "production")
    releases.store.require_conditional_writes(keys.conditions(to))  # before anything is built
    by = current_origin(configured.root)
    report_paths = reports or tuple(path for pattern in REPORTS for path in Path().glob(pattern))

    def publish_one(folder: Path) -> None:
        if artifact is None:
            built = build_artifact(folder, configured, Path("dist"))
        else:
            # a build system packs in a sandbox, which has only what it knows of the folder
            model = read_model_folder(folder)
            for pointer in model.pointers:
                reject_different(pointer, pointer.path, configured.root)
            print_left_out(folder, configured)
            built = Artifact(artifact)
        with working(f"gathering the evidence of {built.path.name}"):
            known, notes = metadata.gather_metadata(
                configured, folder, built, by, reports=report_paths, production=production
            )
        for note in notes:
            click.echo(f"note: {note}", err=True)
        if to == "production":
            sha256 = built.sha256
            existing = evidence.load_evidence(releases, folder.name, sha256)
            target = publish.target_model(built.manifest, sha256, to)
            metadata.require_evidence(
                configured, to, target, {**existing, **known.evidence}, sha256
            )
        with uploading(f"publishing {built.path.name}", built.size) as bar:
            release = publish.publish(built, releases, metadata=known, progress=bar)
        test_result = evidence.load_test_result(releases, release.name, release.sha256)
        if as_json:
            tested = None if test_result is None else asdict(test_result)
            click.echo(json.dumps(asdict(release) | {"tested": tested}))
        else:
            _print(release, test_result)

    return for_each(select_folders(models, configured, artifact), publish_one)


def _print(release: Release, test_result: TestResult | None) -> None:
    from slipway.units import format_bytes

    state = "published" if release.created else "already there"
    click.echo(f"{release.name} {release.version} → {release.stage}: {release.target} ({state})")
    tests = "no test result is recorded for this artifact" if test_result is None else test_result
    click.echo(f"  {format_bytes(release.size)}; {tests}")
    if release.stays is not None:
        click.echo(f"  not served: {release.stays}")
