"""What a stage's command finds: packages, SageMaker's folders and variables, checkpoints."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.training import variables
from slipway.training.parameters import stage_parameters
from slipway.training.stages import address_of
from slipway.training.variables import Folders, Machine

BYTECODE = "__pycache__"


@dataclass(frozen=True)
class CommandSettings:
    """``model`` is the model's folder, ``base`` the one with SageMaker's layout."""

    model: Path
    base: Path
    checkpoints: Path
    machine: Machine


class StageCommands:
    """Prepare the commands of ``stages``, all of those that run. ``provide`` returns the folder of
    the training's packages, and is called before the first command."""

    def __init__(
        self,
        repo: Any,
        settings: CommandSettings,
        stages: Sequence[Any],
        provide: Callable[[], Path],
    ) -> None:
        self._repo, self._settings, self._provide = repo, settings, provide
        self._environment: Path | None = None
        self.ran: set[str] = set()
        training = settings.model / "training"
        paths = {
            Path(dep.fs_path) for stage in stages for dep in stage.deps if dep.protocol == "local"
        }
        channels = {path.name: path for path in paths if path.parent == training and _is_dir(path)}
        folders = Folders(settings.base, channels)
        values = {name: value for name, (_, value) in stage_parameters(stages).items()}
        variables.prepare_folders(folders, settings.model, values, settings.machine)
        self._variables = variables.stage_variables(folders, values, settings.machine)

    @contextlib.contextmanager
    def prepared(self) -> Iterator[None]:
        """Have DVC prepare each command that it runs in the block."""
        from dvc.stage import run

        original = run.cmd_run

        def command(stage: Any, dry: bool = False, run_env: Any = None) -> None:
            with self._prepare(stage):
                original(stage, dry=dry, run_env=run_env)

        run.cmd_run = command
        try:
            yield
        finally:
            run.cmd_run = original

    @contextlib.contextmanager
    def _prepare(self, stage: Any) -> Iterator[None]:
        self._provide_packages()
        self.ran.add(address_of(stage))
        stage.save_deps()
        checkpoints = self._settings.checkpoints / _checkpoint_name(stage)
        checkpoints.mkdir(parents=True, exist_ok=True)
        os.environ |= self._variables | {variables.CHECKPOINTS: str(checkpoints)}
        targets = [self._settings.model / name for name in (variables.MODEL, variables.OUTPUT)]
        before = {folder: _files(folder) for folder in targets}
        missing = [folder for folder in targets if not folder.exists()]
        for folder in missing:
            folder.mkdir(parents=True)
        yield
        shutil.rmtree(checkpoints, ignore_errors=True)
        outs = {Path(out.fs_path) for s in self._repo.index.stages for out in s.outs}
        for folder in targets:
            if not any(out == folder or folder in out.parents for out in outs):
                self._reject_unnamed(stage, folder, before[folder])
                if folder in missing:
                    shutil.rmtree(folder)

    def _provide_packages(self) -> None:
        if self._environment is not None:
            return
        self._environment = self._provide()
        path = f"{self._environment / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        os.environ["PATH"] = path
        # the library's own packages are not the training's
        for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
            os.environ.pop(name, None)

    def _reject_unnamed(self, stage: Any, folder: Path, before: set[Path]) -> None:
        if written := sorted(_files(folder) - before):
            raise SlipwayError(
                f"{address_of(stage)} wrote {written[0].name} to SM_MODEL_DIR or "
                "SM_OUTPUT_DATA_DIR, which is no output of a stage",
                where=stage.path_in_repo,
                fix=f"add {folder.relative_to(self._settings.model)} to its outs",
            )


def _files(folder: Path) -> set[Path]:
    return {p for p in folder.rglob("*") if p.is_file() and BYTECODE not in p.parts}


def _checkpoint_name(stage: Any) -> str:
    """Return a name that changes with whatever the stage depends on: no stage continues from the
    checkpoint of another training."""
    from dvc.stage.cache import _can_hash, _get_stage_hash

    key = _get_stage_hash(stage) if _can_hash(stage) else "always"
    return f"{stage.name or 'stage'}-{key[:16]}"


def _is_dir(path: Path) -> bool:
    # data that are not here yet: a pointer says whether they are a folder
    pointer = path.with_name(f"{path.name}.dvc")
    return path.is_dir() or (pointer.is_file() and ".dir" in pointer.read_text(encoding="utf-8"))
