"""``slipway lock``."""

from __future__ import annotations

from pathlib import Path

import click

from slipway.cli.models import for_each, models_argument, select_folders
from slipway.cli.progress import working


@click.command()
@models_argument
@click.option("--upgrade", is_flag=True, help="Take newer versions than the locked ones.")
def lock(models: tuple[Path, ...], upgrade: bool) -> int:
    """Pin the Python packages of models, with hashes.

    Writes requirements.lock from requirements.txt. Without MODEL, for all models. Says how large
    the packages are, and which newer versions were passed over and why.

    Example: slipway lock screen_detection
    """
    from slipway import environment, settings
    from slipway.model.container_folder import is_container
    from slipway.model.folder import read_model_folder
    from slipway.triton.config import asks_for_gpu

    configured = settings.load(Path.cwd())

    def lock_one(folder: Path) -> None:
        configs = {} if is_container(folder) else read_model_folder(folder).configs
        requirements = folder / "requirements.txt"
        with working(f"locking {requirements}"):
            lock_file = environment.lock_requirements(requirements, configured, upgrade=upgrade)
            gpu = any(map(asks_for_gpu, configs.values()))
            report = environment.report_lock(requirements, configured, gpu=gpu)
        click.echo(str(lock_file))
        for line in report.lines():
            click.echo(f"  {line}")

    return for_each(select_folders(models, configured), lock_one)
