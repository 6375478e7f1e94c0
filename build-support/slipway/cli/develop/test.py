"""``slipway test``."""

from __future__ import annotations

from pathlib import Path

import click

from slipway.cli.building import build_artifact
from slipway.cli.models import artifact_option, for_each, models_argument, select_folders

REPORT = ".tests.xml"


@click.command()
@models_argument
@artifact_option
@click.option(
    "--update-golden", is_flag=True, help="Expect today's answers from now on, then test."
)
@click.option("-k", "expression", metavar="EXPRESSION", help="Run matching tests, as pytest -k.")
def test(
    models: tuple[Path, ...], artifact: Path | None, update_golden: bool, expression: str | None
) -> int:
    """Build models and test each on a real Triton server.

    Without MODEL, all models. Runs a model's own tests, its golden cases, and the contract of a
    multi-model endpoint. Writes the results to dist/<artifact>.tests.xml, which slipway publish
    reads. Requests and tests have time limits, which [test] of slipway.toml changes.

    Example: slipway test screen_detection
    """
    from slipway import settings
    from slipway.model.folder import read_model_folder
    from slipway.testing import run
    from slipway.testing.untestable import untestable_reason

    configured = settings.load(Path.cwd())

    def test_one(folder: Path) -> bool:
        read_model_folder(folder)
        untestable = untestable_reason(folder, configured)
        if untestable is not None:
            raise untestable
        file = artifact or build_artifact(folder, configured, Path("dist")).path
        status = run.run(
            folder,
            configured.root,
            artifact=file,
            update_golden=update_golden,
            report=Path("dist") / (file.name.removesuffix(".tar.gz") + REPORT),
            limit_s=configured.time_limits.model_timeout,
            arguments=["-k", expression] if expression else [],
        )
        return status == 0

    return for_each(select_folders(models, configured, artifact), test_one)
