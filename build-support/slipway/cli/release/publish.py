"""``slipway publish``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from slipway.cli.building import build_artifact, print_left_out
from slipway.cli.models import artifact_option, for_each, models_argument, select_folders
from slipway.cli.options import STAGES, json_option, renamed_option, stage_option
from slipway.cli.progress import uploading, working
from slipway.cli.release.registration import register_release

if TYPE_CHECKING:
    from slipway.catalog.commit import Worktree
    from slipway.release.evidence.test_result import TestResult
    from slipway.release.publish import Release
    from slipway.settings.release import StageName

MAX_SHOWN = 10
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
    help="JUnit reports, folders of them, or a file of slipway test --record; by default the"
    " reports of slipway test and ./pants test.",
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
    provenance, test report, metrics, and the commits since production's release. Files that are not
    committed are listed, and mark the release. Production accepts only committed files, and what
    has all that [release.production] requires; slipway promote releases there what staging tested.

    Example: slipway publish screen_detection
    """
    from slipway import settings
    from slipway.artifact.contents import read_contents
    from slipway.catalog import keys
    from slipway.catalog.commit import name_commit, read_worktree
    from slipway.catalog.origin import current_origin
    from slipway.model.any_folder import read_any_folder
    from slipway.model.local_weights import reject_different
    from slipway.release import metadata, publish
    from slipway.release.base_environments import require_base_environment
    from slipway.release.evidence import evidence
    from slipway.release.uncommitted import find_uncommitted, require_clean_commit
    from slipway.store.open import open_stage

    configured = settings.load(Path.cwd())
    to = cast("StageName", stage)
    releases, production = open_stage(configured, to), open_stage(configured, "production")
    releases.store.require_conditional_writes(keys.conditions(to))  # before anything is built
    by = current_origin(configured.root)
    worktree = read_worktree(configured.root)
    requires_clean = configured.stage(to).clean_commit
    report_paths = reports or tuple(path for pattern in REPORTS for path in Path().glob(pattern))

    def publish_one(folder: Path) -> None:
        if artifact is None:
            built = build_artifact(folder, configured, Path("dist"))
        else:
            # a build system packs in a sandbox, which has only what it knows of the folder
            model = read_any_folder(folder)
            for pointer in model.pointers:
                reject_different(pointer, pointer.path, configured.root)
            print_left_out(folder, configured)
            built = read_contents(artifact).artifact
        target = publish.target_model(built.manifest, built.sha256, to)
        require_base_environment(built.manifest, target, configured.stage(to))
        uncommitted = find_uncommitted(folder, built, worktree)
        commit = name_commit(worktree.commit, bool(uncommitted))
        _print_uncommitted(target, worktree, uncommitted)
        require_clean_commit(requires_clean, to, target, commit)
        with working(f"gathering the evidence of {built.path.name}"):
            known, notes = metadata.gather_metadata(
                configured,
                folder,
                built,
                replace(by, commit=commit),
                reports=report_paths,
                production=production,
            )
        for note in notes:
            click.echo(f"note: {note}", err=True)
        if to == "production":
            existing = evidence.load_evidence(releases, folder.name, built.sha256)
            metadata.require_evidence(
                configured, to, target, {**existing, **known.evidence}, built.sha256
            )
        with uploading(f"publishing {built.path.name}", built.size) as bar:
            release = publish.publish(built, releases, metadata=known, progress=bar)
        registered = register_release(configured, to, release.name, release.target)
        test_result = evidence.load_test_result(releases, release.name, release.sha256)
        if as_json:
            tested = None if test_result is None else asdict(test_result)
            click.echo(
                json.dumps(
                    asdict(release)
                    | {"tested": tested, "commit": commit, "uncommitted": uncommitted}
                    | {"model_package": registered.arn}
                )
            )
        else:
            _print(release, test_result)

    return for_each(select_folders(models, configured, artifact), publish_one)


def _print_uncommitted(target: str, worktree: Worktree, uncommitted: Sequence[str]) -> None:
    """Say on standard error what of a release is not in the commit that its record names."""
    if worktree.commit is None:
        click.echo(f"note: {target} names no commit: {worktree.problem}", err=True)
    elif uncommitted:
        click.echo(
            f"note: {target} is not commit {worktree.commit[:12]} alone; uncommitted:", err=True
        )
        for change in uncommitted[:MAX_SHOWN]:
            click.echo(f"  {change}", err=True)
        if len(uncommitted) > MAX_SHOWN:
            click.echo(f"  … and {len(uncommitted) - MAX_SHOWN} more", err=True)


def _print(release: Release, test_result: TestResult | None) -> None:
    from slipway.units import format_bytes

    state = "published" if release.created else "already there"
    click.echo(f"{release.name} {release.version} → {release.stage}: {release.target} ({state})")
    tests = "no test result is recorded for this artifact" if test_result is None else test_result
    click.echo(f"  {format_bytes(release.size)}; {tests}")
    if release.stays is not None:
        click.echo(f"  not served: {release.stays}")
