"""What a training changed: in a checkout, or in the folder that a container left."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.process import run as run_program
from slipway.training.results import FILES, RUN, read_results
from slipway.training.run import FILE_NAME as RUN_FILE
from slipway.training.run import TrainingRun, load_run

MODELS = "models"
LOCK = "dvc.lock"
BYTECODE = "__pycache__"


@dataclass(frozen=True)
class TrainingResult:
    """A ``run`` and the ``files`` that it left, by their path in the repository; ``None`` for one
    that was removed."""

    run: TrainingRun
    files: Mapping[str, Path | None]

    @property
    def folder(self) -> str:
        """Return the model's folder in the repository."""
        return f"{MODELS}/{self.run.model}"

    def apply(self, root: Path) -> None:
        """Write the files into the checkout at ``root``.

        Of a ``dvc.lock`` that several models share, only the stages of this run are taken.

        Raises:
            SlipwayError: a path leads out of the model's folder.
        """
        for path, source in sorted(self.files.items()):
            target = root / path
            if path == LOCK and source is not None:
                _take_stages(source, target, [stage.name for stage in self.run.stages])
                continue
            _refuse_outside(path, self.folder)
            if source is None:
                target.unlink(missing_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def changed_models(root: Path) -> list[str]:
    """Return the models whose record of a training differs from the commit, sorted."""
    listed = _changes(root, f"{MODELS}/*/{RUN_FILE}")
    return sorted({path.split("/")[1] for path in listed if listed[path] is not None})


def of_checkout(root: Path, name: str) -> TrainingResult | None:
    """Return what the last training of the model ``name`` changed in the checkout at ``root``;
    ``None`` if the record of its training is that of the commit.

    Raises:
        SlipwayError: the record is damaged, or ``root`` is not a git checkout.
    """
    folder = f"{MODELS}/{name}"
    files = _changes(root, folder)
    run = load_run(root / folder)
    if run is None or f"{folder}/{RUN_FILE}" not in files:
        return None
    files |= _changes(root, LOCK)
    return TrainingResult(run, files)


def of_folder(output: Path, name: str) -> TrainingResult:
    """Return what a container left in ``output``, a folder of :mod:`slipway.training.results`.

    Raises:
        SlipwayError: there is no record of a training, it is of another model, or a file is none
            of its results.
    """
    run = read_results(output)
    if run.model != name:
        raise SlipwayError(
            f"a training of {run.model}, not of {name}",
            where=str(output / RUN),
            fix="name the run's own model",
        )
    kept = output / FILES
    files: dict[str, Path | None] = {
        file.relative_to(kept).as_posix(): file
        for file in sorted(kept.rglob("*"))
        if file.is_file() and not file.is_symlink()
    }
    # what later steps added to the run is in its own file, not in what the training left
    return TrainingResult(run, files | {f"{MODELS}/{name}/{RUN_FILE}": output / RUN})


def _changes(root: Path, *paths: str) -> dict[str, Path | None]:
    """Return the files below ``paths`` that differ from the commit, or are new."""
    listed = run_program(
        ["git", "-C", str(root), "status", "--porcelain", "-z", "--untracked-files=all"]
        + ["--no-renames", "--", *paths],
        what="asking git for changes",
    ).stdout
    found = [entry[3:] for entry in listed.split("\0") if entry]
    return {
        path: root / path if (root / path).is_file() else None
        for path in found
        if BYTECODE not in path.split("/")
    }


def _take_stages(source: Path, target: Path, names: list[str]) -> None:
    from dvc.utils.serialize import load_yaml, modify_yaml

    stages = load_yaml(str(source)).get("stages", {})
    if not target.exists():
        target.write_text("schema: '2.0'\nstages: {}\n", encoding="utf-8")
    with modify_yaml(str(target)) as lock:
        kept = lock.setdefault("stages", {})
        for name in names:
            if name in stages:
                kept[name] = stages[name]


def _refuse_outside(path: str, folder: str) -> None:
    parts = path.split("/")
    if not path.startswith(f"{folder}/") or {"..", ".git", ""} & {*parts}:
        raise SlipwayError(
            f"a training may not write {path!r}",
            where=folder,
            fix=f"let its stages write below {folder} alone",
        )
