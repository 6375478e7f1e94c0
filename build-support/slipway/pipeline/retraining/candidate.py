"""Make the candidates of a training the model's weights, as ``[weights]`` of training.toml says."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import slipway
from slipway import signature
from slipway.errors import SlipwayError
from slipway.model.any_folder import read_any_folder
from slipway.model.folded import FOLDER as FOLDED
from slipway.model.folded import folded_pointers, is_folded, load_fold, why_old
from slipway.model.original import FOLDER as ORIGINAL
from slipway.model.original import original_pointers
from slipway.model.pointer import Pointer, load_pointer
from slipway.model.push_weights import push_weights
from slipway.model.training_settings import FILE_NAME, load_training_settings
from slipway.model.weights import Weights
from slipway.process import run
from slipway.training.run import DataFile, TrainingRun

MD5 = "md5:"
POINTER = ".dvc"


@dataclass(frozen=True)
class Placed:
    """A ``candidate`` of a training and the file ``target`` that it became, both relative to the
    model's folder. ``converted``: what is served is made of it, by a conversion or a fold.
    ``changed``: the model had other weights before."""

    candidate: str
    target: str
    converted: bool
    changed: bool


def place_candidates(root: Path, run: TrainingRun) -> list[Placed]:
    """Replace the weights of the model by the candidates that ``run`` made, in the checkout at
    ``root``: their pointers, signatures and conversions. What the remotes of DVC lack is sent.

    Raises:
        SlipwayError: the run made no such candidate, its bytes are neither in DVC's cache nor in
            its remote, it cannot be converted, or a remote cannot be written.
    """
    folder = root / "models" / run.model
    outs = {out.path: out for stage in run.stages for out in stage.outs}
    store = Weights(root)
    placed = []
    for candidate, target in load_training_settings(folder).weights.items():
        out = outs.get(f"models/{run.model}/{candidate}")
        if out is None or not out.hash.startswith(MD5):
            raise SlipwayError(
                f"{candidate} is not an output of this training",
                where=str(folder / FILE_NAME),
                fix="name an output that DVC keeps: " + ", ".join(sorted(_kept(folder, run))),
            )
        converted = target.startswith((f"{ORIGINAL}/", f"{FOLDED}/"))
        changed = _place(folder / target, out, store, folder / candidate)
        placed.append(Placed(candidate, target, converted, changed))
    if any(each.changed and each.target.startswith(f"{ORIGINAL}/") for each in placed):
        _convert(root, run.model)
    if is_folded(folder) and why_old(folder, load_fold(folder)) is not None:
        _fold(root, run.model)
    _send(root, run.model)
    return placed


def _kept(folder: Path, run: TrainingRun) -> list[str]:
    prefix = f"models/{folder.name}/"
    paths = [out.path for stage in run.stages for out in stage.outs]
    return [path.removeprefix(prefix) for path in paths if path.startswith(prefix)]


def _place(target: Path, out: DataFile, store: Weights, candidate: Path) -> bool:
    """Put ``out`` at ``target``, under DVC; return whether it was another file before."""
    pointer = target.with_name(target.name + POINTER)
    md5 = out.hash.removeprefix(MD5)
    if pointer.is_file() and load_pointer(pointer).md5 == md5:
        return False
    made = Pointer(candidate.with_name(candidate.name + POINTER), md5, candidate, out.size, None)
    store.pull(made, target)
    signature.add_weights(target, store)
    return True


def _convert(root: Path, name: str) -> None:
    """Convert the originals again, by the command: in a process, as a stage of dvc.yaml does."""
    _slipway(
        root,
        ["weights", "convert", name, "--add"],
        what=f"converting what the training of {name} wrote",
        fix=f"slipway weights convert {name} --add, with the candidate in models/{name}/{ORIGINAL}",
    )
    _commit_stage(root, name)


def _fold(root: Path, name: str) -> None:
    """Fold the postprocessing again: of new weights, or of a threshold that a training wrote."""
    _slipway(
        root,
        ["fold", name, "--no-test"],  # what is proposed is tested afterwards
        what=f"folding what the training of {name} wrote",
        fix=f"slipway fold {name}, with the candidate in models/{name}/{FOLDED}",
    )


def _slipway(root: Path, words: list[str], *, what: str, fix: str) -> None:
    library = str(Path(slipway.__file__).parent.parent)
    path = os.pathsep.join(filter(None, [library, os.environ.get("PYTHONPATH")]))
    run(
        [sys.executable, "-m", "slipway", *words],
        what=what,
        cwd=root,
        env={**os.environ, "PYTHONPATH": path},
        fix=fix,
    )


def _commit_stage(root: Path, name: str) -> None:
    """Record in dvc.lock what was converted, where a stage converts: DVC would call it changed."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    folder = root / "models" / name / ORIGINAL
    # it would tell of each lock file that it writes, in a folder that is gone by then
    logging.getLogger("dvc").setLevel(logging.WARNING)
    try:
        with Repo(str(root)) as repo:
            for stage in repo.index.stages:
                if not stage.is_data_source and any(
                    Path(dep.fs_path).parent == folder for dep in stage.deps
                ):
                    repo.commit(stage.addressing, force=True)
    except (DvcException, OSError) as error:
        raise SlipwayError(
            f"DVC cannot record the conversion: {error}", where=str(folder), fix="dvc status"
        ) from error


def _send(root: Path, name: str) -> None:
    """Send the weights, the original and the training's outputs to DVC's remote."""
    folder = root / "models" / name
    store = Weights(root)
    served = read_any_folder(folder).pointers
    for pointer in (*served, *folded_pointers(folder), *original_pointers(folder)):
        push_weights(pointer, store)
