"""The results of a training as files: what a job hands over, and what a checkout takes.

A folder of results has ``run.json``, and below ``files`` what git keeps of the run: ``dvc.lock``,
metrics, other ``cache: false`` outputs, and parameters that were set. All other outputs are in
DVC's cache, or its remote.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from slipway.errors import SlipwayError
from slipway.files import atomic_write
from slipway.training.run import TrainingRun, dump_run, parse_run, write_run
from slipway.training.stages import address_of, open_dvc
from slipway.training.workspace import Workspace, checkout_lock, digest

RUN, FILES = "run.json", "files"
LOCK = "dvc.lock"
PARAMETERS = (".yaml", ".yml", ".json", ".toml")


def write_results(workspace: Workspace, run: TrainingRun, summary: Any, target: Path) -> list[str]:
    """Write the results of ``run`` in ``workspace`` to the folder ``target``.

    ``summary`` is that of :func:`slipway.training.record.summarize`. Returns the files that a stage
    left although they are no outputs; they are not kept.

    Raises:
        SlipwayError: a stage changed a file that is no output of it.
    """
    outs: Mapping[str, bool] = summary["outs"]
    kept, left = [], []
    for path, what in sorted(workspace.changes().items()):
        out = _out_of(path, outs)
        parameters = path.startswith(f"models/{run.model}/") and path in summary["set"]
        if (out is not None and outs[out]) or _out_of(path, summary["data"]) is not None:
            continue  # DVC's
        if out is not None or PurePosixPath(path).name == LOCK or parameters:
            kept += [path] if what != "removed" else []
        elif what == "new":
            left.append(path)
        else:
            raise SlipwayError(
                f"a stage has {what} {path}, which is no output of it",
                where=f"models/{run.model}",
                fix="add it to the outs of the stage, or write elsewhere; what it did is undone",
            )
    for path in kept:
        copy = target / FILES / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(workspace.root / path, copy)
    target.mkdir(parents=True, exist_ok=True)
    (target / RUN).write_text(dump_run(run), encoding="utf-8")
    return left


def read_results(results: Path) -> TrainingRun:
    """Return the run of a folder of results.

    Raises:
        SlipwayError: it is not such a folder, or has a file that is no result of its run.
    """
    try:
        text = (results / RUN).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SlipwayError(
            f"no results of a training: {error}", where=str(results), fix="train again"
        ) from error
    run = parse_run(text, where=str(results / RUN))
    outs = {out.path for stage in run.stages for out in stage.outs}
    for path in _listed(results):
        parts = PurePosixPath(path).parts
        inside = parts[:2] == ("models", run.model)
        fits = (
            _out_of(path, outs) is not None
            or (parts[-1] == LOCK and (inside or len(parts) == 1))
            or (inside and path.endswith(PARAMETERS))
        )
        if not fits or ".." in parts or (results / FILES / path).is_symlink():
            raise SlipwayError(
                f"{path} is no result of a training of {run.model}",
                where=str(results),
                fix="train again",
            )
    return run


def copy_files(results: Path, root: Path) -> list[str]:
    """Copy the files of a folder of results into ``root``, the unpacked code of the same commit;
    return their paths."""
    paths = _listed(results)
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(results / FILES / path, root / path)
    return paths


def apply_results(
    results: Path, root: Path, *, expected: Mapping[str, str] | None = None, fetch: bool = False
) -> list[str]:
    """Put a folder of results into the checkout ``root``; return the files that were written.

    ``expected`` has the digests that the checkout's files had when the training began. With
    ``fetch``, outputs come from DVC's remote, otherwise from its cache. In ``dvc.lock`` only the
    stages of the run are replaced.

    Raises:
        SlipwayError: a file has changed since, or the results are not those of a training. Nothing
            was written.
    """
    run = read_results(results)
    paths = _listed(results)
    with checkout_lock(root):
        for path in paths:
            current = digest(root / path) if os.path.lexists(root / path) else None
            fine = expected is None or current == expected.get(path)
            if not fine and PurePosixPath(path).name != LOCK:
                raise SlipwayError(
                    f"{path} has changed while {run.model} was trained",
                    where=str(root / path),
                    fix="put it aside or commit it, then train again: what ran is in the run cache",
                )
        written = [path for path in paths if PurePosixPath(path).name != LOCK]
        for path in written:
            with atomic_write(root / path) as temporary:
                shutil.copyfile(results / FILES / path, temporary)
        for path in paths:
            if PurePosixPath(path).name == LOCK:
                _merge_lock(results / FILES / path, root / path, _stage_names(run, path))
                written.append(path)
        changed = [stage.name for stage in run.stages if stage.source != "unchanged"]
        _check_out(root, changed, fetch=fetch)
        record = write_run(root / "models" / run.model, run)
    return sorted([*written, record.relative_to(root).as_posix()])


def _listed(results: Path) -> list[str]:
    base = results / FILES
    found = (path for path in base.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(path.relative_to(base).as_posix() for path in found)


def _out_of(path: str, outs: Sequence[str] | Mapping[str, bool] | set[str]) -> str | None:
    """Return the output that ``path`` is, or is in."""
    return next((out for out in outs if path == out or path.startswith(f"{out}/")), None)


def _stage_names(run: TrainingRun, lock: str) -> list[str]:
    """Return the names that the run's stages have in the file ``lock``."""
    file = lock.removesuffix(LOCK) + "dvc.yaml"
    addresses = [stage.name for stage in run.stages]
    if file == "dvc.yaml":
        return [name for name in addresses if ":" not in name]
    return [name.partition(":")[2] for name in addresses if name.startswith(f"{file}:")]


def _merge_lock(source: Path, target: Path, names: Sequence[str]) -> None:
    from dvc.utils.serialize import load_yaml, modify_yaml

    values = load_yaml(str(source))
    if not target.is_file():
        with atomic_write(target) as temporary:
            shutil.copyfile(source, temporary)
        return
    with atomic_write(target) as temporary:
        shutil.copyfile(target, temporary)
        with modify_yaml(str(temporary)) as content:
            stages = content.setdefault("stages", {})
            for name in names:
                if name in values["stages"] and stages.get(name) != values["stages"][name]:
                    stages[name] = values["stages"][name]


def _check_out(root: Path, stages: Sequence[str], *, fetch: bool) -> None:
    """Have the stages' outputs in ``root``, as far as cache or remote have them."""
    from dvc.repo import lock_repo

    with open_dvc(root) as repo, lock_repo(repo), repo.scm_context(autostage=False, quiet=True):
        known = {address_of(stage): stage for stage in repo.index.stages}
        for name in known.keys() & {*stages}:
            for out in known[name].outs:
                if out.use_cache:
                    _check_out_one(repo, out, fetch=fetch)
                    out.ignore()


def _check_out_one(repo: Any, out: Any, *, fetch: bool) -> None:
    if fetch and out.can_push and out.changed_cache():
        with contextlib.suppress(Exception):  # each remote has its own; DVC says what is missing
            for objects in out.get_used_objs().values():
                repo.cloud.pull(objects)
    if not out.changed_cache():
        out.checkout(force=True)
