"""Find what a model's environment can do without, by running the model's tests."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway import build
from slipway.artifact.extract import extract
from slipway.artifact.pack import pack
from slipway.environment import ExecutionEnvironment, build_environment
from slipway.environment.libraries.inventory import load_inventory
from slipway.environment.pruning.choose import Choice, choose
from slipway.environment.pruning.listing import FILE_NAME, Pruned, lock_digest, read_pruned
from slipway.environment.pruning.traced import read_trace, with_trace
from slipway.errors import SlipwayError
from slipway.files import atomic_write
from slipway.model.folder import ModelFolder, read_model_folder, source_files
from slipway.settings import Settings
from slipway.testing import run

PRUNED_MODULE = "SW526"  # what the old list leaves out and the code imports, the new one keeps


@dataclass(frozen=True)
class Pruning:
    """What was written to ``file``, and how large the environment is before and without it."""

    file: Path
    pruned: Pruned
    sizes: Mapping[str, int]  # bytes by the name of each line
    before: ExecutionEnvironment
    after: ExecutionEnvironment


def prune(folder: Path, settings: Settings) -> Pruning:
    """Run the tests of the model in ``folder`` with a trace, and write its ``pruned.txt``.

    The patterns that the file keeps stay in it. The environment without what it lists is built.

    Raises:
        SlipwayError: the model has no environment, or its tests do not pass; the file is as it was.
    """
    model = read_model_folder(folder)
    file = folder / FILE_NAME
    if not model.python_models:
        raise SlipwayError("it has no Python models, so no environment", where=str(folder))
    build.refuse_errors(model, settings, but=[PRUNED_MODULE])
    keep = read_pruned(file).keep if file.is_file() else ()
    whole = build_environment(model.lock, settings, with_pruned=False)
    choice = _choose(model, whole, keep, settings)
    pruned = Pruned(lock_digest(model.lock), choice.names, keep)
    with atomic_write(file) as temporary:
        temporary.write_text(pruned.dump(model.name), encoding="utf-8")
    after = build_environment(model.lock, settings)
    return Pruning(file, pruned, choice.sizes, whole, after)


def _choose(
    model: ModelFolder,
    environment: ExecutionEnvironment,
    keep: tuple[str, ...],
    settings: Settings,
) -> Choice:
    with tempfile.TemporaryDirectory(prefix="slipway-prune-") as name:
        work = Path(name)
        work.chmod(0o755)  # the server may run as another user
        log = work / "imports.log"
        log.touch()
        log.chmod(0o666)
        (work / "environment").mkdir()
        traced = with_trace(environment, work / "environment", log)
        artifact = work / model.artifact_name
        files = build.pulled_weights(model, settings)
        pack(model, traced, files, artifact, layout="directory")
        status = run.run(
            model.path,
            settings.root,
            artifact=artifact,
            limit_s=settings.time_limits.model_timeout,
        )
        if status != run.PASSED:
            raise SlipwayError(
                "its tests do not pass, so what they import says nothing",
                where=str(model.path),
                fix=f"slipway test {model.name}",
            )
        extract(environment.archive, work / "root")
        own = [path for name, path in source_files(model).items() if name.endswith(".py")]
        minor = ".".join(environment.python.split(".")[:2])
        inventory = load_inventory(environment.folder)
        return choose(work / "root", minor, read_trace(log), inventory, keep=keep, own=own)
