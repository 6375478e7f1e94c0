"""``slipway test``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.building import build_artifact
from slipway.cli.models import artifact_option, for_each, models_argument, select_folders

if TYPE_CHECKING:
    from slipway.settings import Settings

REPORT = ".tests.xml"


@click.command()
@models_argument
@artifact_option
@click.option(
    "--update-golden", is_flag=True, help="Expect today's answers from now on, then test."
)
@click.option("-k", "expression", metavar="EXPRESSION", help="Run matching tests, as pytest -k.")
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the result to FILE, to be handed over: slipway promote NAME --tests FILE.",
)
def test(
    models: tuple[Path, ...],
    artifact: Path | None,
    update_golden: bool,
    expression: str | None,
    record: Path | None,
) -> int:
    """Build models and test each on a real Triton server.

    Without MODEL, all models. Runs a model's own tests, its golden cases, and the contract of a
    multi-model endpoint. Writes the results to dist/<artifact>.tests.xml, which slipway publish
    reads. Requests and tests have time limits, which [test] of slipway.toml changes.

    --record is for a machine that has what others lack, such as a GPU: FILE says who tested which
    bytes, where, and on which Triton, and is signed if there is a key.

    Example: slipway test screen_detection
    """
    from slipway import settings
    from slipway.errors import SlipwayError
    from slipway.model.any_folder import read_any_folder
    from slipway.model.container_folder import is_container
    from slipway.testing import run
    from slipway.testing.untestable import untestable_reason

    configured = settings.load(Path.cwd())
    folders = select_folders(models, configured, artifact)
    if record is not None and len(folders) != 1:
        raise SlipwayError("--record is for one model", fix="name the model")

    def test_one(folder: Path) -> bool:
        read_any_folder(folder)
        untestable = None if is_container(folder) else untestable_reason(folder, configured)
        if untestable is not None:
            raise untestable
        if record is not None:
            record.unlink(missing_ok=True)  # an earlier one, whatever happens
        file = artifact or build_artifact(folder, configured, Path("dist")).path
        report = Path("dist") / (file.name.removesuffix(".tar.gz") + REPORT)
        status = run.run(
            folder,
            configured.root,
            artifact=file,
            update_golden=update_golden,
            report=report,
            limit_s=configured.time_limits.model_timeout,
            arguments=["-k", expression] if expression else [],
        )
        if record is not None and status == 0:
            _record(file, report, configured, record)
        return status == 0

    return for_each(folders, test_one)


def _record(artifact: Path, report: Path, configured: Settings, file: Path) -> None:
    from slipway.artifact.contents import read_contents
    from slipway.catalog.origin import current_origin
    from slipway.files import atomic_write
    from slipway.release.evidence import recorded

    tested = read_contents(artifact).artifact
    document = recorded.record_tests(tested, report, configured, current_origin(configured.root))
    with atomic_write(file) as temporary:
        temporary.write_bytes(document)
    click.echo(f"{file}: {recorded.load_result(document, file)}")
