"""Build an artifact with the recipe that is common today: conda-pack and tar.

A conda environment, packed by conda-pack with its own settings, copied as ``python_env.tar.gz``
into pre- and postprocessing, each config pointing at its copy, the model repository packed by
``tar czf``. https://github.com/triton-inference-server/python_backend#creating-custom-execution-environments
The interpreter and the packages are those of Slipway's environment, installed by the same code.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import click
from conda_pack import CondaEnv

from slipway import settings
from slipway.environment import interpreter, packages
from slipway.model.folder import ModelFolder, read_model_folder, source_files
from slipway.model.weights import Weights
from slipway.settings import Settings
from slipway.triton.environment_path import PARAMETER

ARCHIVE = "python_env.tar.gz"
PLACE = f"$$TRITON_MODEL_DIRECTORY/{ARCHIVE}"


def build(model: ModelFolder, settings: Settings, work: Path) -> Path:
    """Build the artifact of ``model``; a packed environment that exists in ``work`` is reused."""
    packed = work / ARCHIVE
    if not packed.is_file():
        _pack_environment(model, settings, work, packed)
    folder = work / "repository"
    shutil.rmtree(folder, ignore_errors=True)
    for name, file in source_files(model).items():
        _copy(file, folder / name)
    # without a file in it, tar and git lose the ensemble's version directory
    (folder / model.ensemble / "1").mkdir(exist_ok=True)
    (folder / model.ensemble / "1" / ".keep").touch()
    store = Weights(settings.root)
    for pointer in model.pointers:
        for part, cached in store.cached(pointer).items():
            target = pointer.path / part if part else pointer.path
            _copy(cached, folder / target.relative_to(model.path))
    for name in model.python_models:
        _copy(packed, folder / name / ARCHIVE)
        with (folder / name / "config.pbtxt").open("a", encoding="utf-8") as config:
            line = f'parameters {{ key: "{PARAMETER}" value {{ string_value: "{PLACE}" }} }}\n'
            config.write(line)
    artifact = work / model.artifact_name
    tar(folder, artifact)
    return artifact


def tar(folder: Path, artifact: Path) -> None:
    """Pack what is in ``folder`` as the recipe does."""
    names = sorted(path.name for path in folder.iterdir())
    subprocess.run(["tar", "czf", str(artifact), "-C", str(folder), *names], check=True)


def untar(artifact: Path, folder: Path) -> None:
    """Unpack, as an endpoint's instance might."""
    subprocess.run(["tar", "xzf", str(artifact), "-C", str(folder)], check=True)


def _pack_environment(model: ModelFolder, settings: Settings, work: Path, packed: Path) -> None:
    prefix, site = work / "prefix", work / "packages"
    work.mkdir(parents=True, exist_ok=True)
    chosen = interpreter.choose_interpreter(settings, settings.platform)
    interpreter.install(chosen, prefix, settings.platform)
    lock = model.lock
    installed = packages.install(lock, settings, settings.platform, site, lock=lock)
    packages.merge(site, installed, prefix, lock)
    for name in (
        "python",
        "python3",
    ):  # conda's own package has these, the local channel's does not
        if not (prefix / "bin" / name).exists():
            (prefix / "bin" / name).symlink_to(f"python{settings.python}")
    # as pip and conda do when they install
    compileall = [sys.executable, "-m", "compileall", "-q", str(prefix / "lib")]
    subprocess.run(compileall, check=False, stdout=subprocess.DEVNULL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that packages are outside conda's own cache
        environment = CondaEnv.from_prefix(str(prefix), ignore_missing_files=True)
        environment.pack(output=str(packed), verbose=False)


def _copy(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, to)


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("work", type=click.Path(path_type=Path))
def main(model: Path, work: Path) -> None:
    """Build MODEL's artifact by the recipe in the folder WORK, as its own process."""
    print(build(read_model_folder(model), settings.load(model), work))


if __name__ == "__main__":
    main()
