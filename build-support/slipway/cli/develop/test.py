"""``slipway test``."""

from __future__ import annotations

from pathlib import Path

import click

from slipway import build as library
from slipway import settings
from slipway.cli import models as named
from slipway.cli.progress import working
from slipway.model.folder import read_model_folder
from slipway.testing import run

REPORT = ".tests.xml"


@click.command(context_settings={"ignore_unknown_options": True})
@named.argument
@named.artifact_option
@click.option("--update-golden", is_flag=True, help="Make today's answers the expected ones.")
@click.option("-k", "expression", help="Only the tests whose names fit, as pytest takes it.")
def test(
    models: tuple[Path, ...], artifact: Path | None, update_golden: bool, expression: str | None
) -> int:
    """Build MODELS, or all, and test each artifact on a real Triton server.

    A model's own tests, its golden cases, and the contract of a multi-model endpoint. What they
    found is written to dist/<artifact>.tests.xml, which `slipway publish` reads.

    Example: slipway test models/screen_detection
    """
    configured = settings.load(Path.cwd())
    arguments = ["-k", expression] if expression else []

    def one(folder: Path) -> bool:
        read_model_folder(folder)
        with working(f"building {folder.name}"):
            file = artifact or library.build(folder, configured, Path("dist")).path
        status = run.run(
            folder,
            configured.root,
            artifact=file,
            update_golden=update_golden,
            report=Path("dist") / (file.name.removesuffix(".tar.gz") + REPORT),
            arguments=arguments,
        )
        return status == 0

    return named.each(named.chosen(models, configured, artifact), one)
